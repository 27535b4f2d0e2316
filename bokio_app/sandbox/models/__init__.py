"""What the sandbox keeps: people, companies and their books, and who may use the API.

Money is kept as whole öre (`Amount`), so that sums are exact also inside the database.
Rows carry a `uuid` for the API; the automatic `id` gives lists a stable order.
"""

from bokio_app.sandbox.models.access import (
    AccessToken,
    Application,
    AuthorizationCode,
    Connection,
    RefreshToken,
    State,
    Usage,
)
from bokio_app.sandbox.models.amounts import Amount
from bokio_app.sandbox.models.books import (
    Comment,
    EntryTag,
    JournalEntry,
    JournalItem,
    Tag,
    TagGroup,
)
from bokio_app.sandbox.models.companies import Account, Company, FiscalYear, Person, Plan
from bokio_app.sandbox.models.purchases import BankPayment, Supplier, SupplierInvoice, Upload
from bokio_app.sandbox.models.sales import (
    Attachment,
    CreditNote,
    Customer,
    Invoice,
    InvoiceMetadata,
    Item,
    Payment,
    Settlement,
)

__all__ = [
    "AccessToken",
    "Account",
    "Amount",
    "Application",
    "Attachment",
    "AuthorizationCode",
    "BankPayment",
    "Comment",
    "Company",
    "Connection",
    "CreditNote",
    "Customer",
    "EntryTag",
    "FiscalYear",
    "Invoice",
    "InvoiceMetadata",
    "Item",
    "JournalEntry",
    "JournalItem",
    "Payment",
    "Person",
    "Plan",
    "RefreshToken",
    "Settlement",
    "State",
    "Supplier",
    "SupplierInvoice",
    "Tag",
    "TagGroup",
    "Upload",
    "Usage",
]
