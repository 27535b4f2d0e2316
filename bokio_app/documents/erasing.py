"""What becomes of a company's documents when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import Document


def erase(connection: Connection) -> None:
    """Erase the files."""
    closing.erase_rows(Document.objects.filter(connection=connection))


closing.ERASERS.insert(0, erase)
