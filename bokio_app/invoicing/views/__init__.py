"""Pages of invoices. They read our own copy; only workers talk to Bokio."""

from .detail import accept_total, delete, detail, send, start_over
from .editing import customer_options, edit, new, preview
from .lists import invoice_list, list_export, list_selection, list_sums, list_tabs
from .saved_views import edit_view, keep_filter, list_settings, save_view

__all__ = [
    "accept_total",
    "customer_options",
    "delete",
    "detail",
    "edit",
    "edit_view",
    "invoice_list",
    "keep_filter",
    "list_export",
    "list_selection",
    "list_settings",
    "list_sums",
    "list_tabs",
    "new",
    "preview",
    "save_view",
    "send",
    "start_over",
]
