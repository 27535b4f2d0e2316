"""What becomes of a company's readings when its workspace is erased. Runs stay: they say who did
what.
"""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import HeldFile, Listing, Reading


def erase(connection: Connection) -> None:
    """Erase how far lists were read, and files that were on their way to Bokio."""
    closing.erase_rows(Listing.objects.filter(connection=connection))
    closing.erase_rows(Reading.objects.filter(connection=connection))
    closing.erase_rows(HeldFile.objects.filter(tenant=connection.tenant_id))


closing.ERASERS.insert(0, erase)
