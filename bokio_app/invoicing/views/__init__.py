"""Pages of invoices. They read our own copy; only workers talk to Bokio."""

from .crediting import credit, credit_preview
from .detail import delete, detail, send, start_over
from .editing import customer_options, edit, new, preview
from .lists import invoice_list
from .pdf import invoice_pdf

__all__ = [
    "credit",
    "credit_preview",
    "customer_options",
    "delete",
    "detail",
    "edit",
    "invoice_list",
    "invoice_pdf",
    "new",
    "preview",
    "send",
    "start_over",
]
