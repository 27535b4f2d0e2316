"""Pages of invoices. They read our own copy; only workers talk to Bokio."""

from .detail import copy, delete, detail, send, start_over
from .editing import customer_options, edit, item_options, new, preview
from .lists import invoice_list
from .saving import opened

__all__ = [
    "copy",
    "customer_options",
    "delete",
    "detail",
    "edit",
    "invoice_list",
    "item_options",
    "new",
    "opened",
    "preview",
    "send",
    "start_over",
]
