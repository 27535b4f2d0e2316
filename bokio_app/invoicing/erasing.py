"""What becomes of a company's invoices when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import CreditNote, Customer, Invoice, Item


def erase(connection: Connection) -> None:
    """Erase invoices with their lines, credit notes, items and customers."""
    closing.erase_rows(CreditNote.objects.filter(connection=connection))
    closing.erase_rows(Invoice.objects.filter(connection=connection))
    closing.erase_rows(Item.objects.filter(connection=connection))
    closing.erase_rows(Customer.objects.filter(connection=connection))


closing.ERASERS.insert(0, erase)
