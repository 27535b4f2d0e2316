"""What becomes of a company's books when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import Account, FiscalYear, JournalEntry


def erase(connection: Connection) -> None:
    """Erase journal entries, accounts and fiscal years."""
    closing.erase_rows(JournalEntry.objects.filter(connection=connection))
    closing.erase_rows(Account.objects.filter(connection=connection))
    closing.erase_rows(FiscalYear.objects.filter(connection=connection))


closing.ERASERS.insert(0, erase)
