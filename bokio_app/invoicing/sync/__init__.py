"""Reading customers, items, invoices and credit notes from Bokio into our own rows."""

from . import credit_notes, invoices, items
from .customers import READ_CUSTOMERS, read_customers

__all__ = ["READ_CUSTOMERS", "credit_notes", "invoices", "items", "read_customers"]
