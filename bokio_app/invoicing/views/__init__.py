"""Pages of invoices. They read our own copy; only workers talk to Bokio."""

from .detail import accept_total, delete, detail, send, start_over
from .editing import customer_options, edit, new, preview
from .lists import invoice_list

__all__ = [
    "accept_total",
    "customer_options",
    "delete",
    "detail",
    "edit",
    "invoice_list",
    "new",
    "preview",
    "send",
    "start_over",
]
