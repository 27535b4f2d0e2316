"""The journal entries that we expect Bokio to write, to the öre, before anything is sent.

Pure functions of values: nothing here reads a row or calls anybody. The accounts are those of
Bokio's help, "how customer invoices are booked", and of the BAS chart; where neither says which
account it is, the row names its `doubt`, and `EntryRow.why` says it in words.
"""

from .accounts import DISCOUNTS, EU_COUNTRIES, RECEIVABLES, Buyer, Sold, sales_account
from .entries import Entry, EntryRow, as_entry
from .receipts import cash_entry, payment_entry, settlement_entry, settlement_sides
from .sales import Sale, credit_note_entry, invoice_entry, is_whole_kronor, sale_sides

__all__ = [
    "DISCOUNTS",
    "EU_COUNTRIES",
    "RECEIVABLES",
    "Buyer",
    "Entry",
    "EntryRow",
    "Sale",
    "Sold",
    "as_entry",
    "cash_entry",
    "credit_note_entry",
    "invoice_entry",
    "is_whole_kronor",
    "payment_entry",
    "sale_sides",
    "sales_account",
    "settlement_entry",
    "settlement_sides",
]
