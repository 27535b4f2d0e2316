"""What becomes of a company's payments when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import Payment, Settlement


def erase(connection: Connection) -> None:
    """Erase settlements and payments."""
    closing.erase_rows(Settlement.ever.filter(invoice__connection=connection))
    closing.erase_rows(Payment.ever.filter(invoice__connection=connection))


closing.ERASERS.insert(0, erase)
