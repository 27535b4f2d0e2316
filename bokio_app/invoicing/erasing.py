"""What becomes of a company's invoices when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .listing.kept import SavedView
from .models import Attachment, CreditNote, Customer, Invoice, Item


def erase(connection: Connection) -> None:
    """Erase invoices with their lines and files, credit notes, items and customers, and the
    shared views of the list, whose names people chose. Views of a member alone go with the member.
    """
    closing.erase_rows(SavedView.objects.filter(tenant=connection.tenant_id))
    closing.erase_rows(CreditNote.objects.filter(connection=connection))
    closing.erase_rows(Attachment.objects.filter(invoice__connection=connection))
    closing.erase_rows(Invoice.objects.filter(connection=connection))
    closing.erase_rows(Item.objects.filter(connection=connection))
    closing.erase_rows(Customer.objects.filter(connection=connection))


closing.ERASERS.insert(0, erase)
