"""Pages of invoices. They read our own copy; only workers talk to Bokio."""

from .attaching import attach, detach
from .crediting import credit, credit_preview
from .detail import accept_total, copy, delete, detail, send, start_over
from .editing import customer_options, edit, item_options, new, preview
from .lists import invoice_list, list_export, list_selection, list_sums, list_tabs
from .pdf import invoice_pdf
from .saved_views import edit_view, keep_filter, list_settings, save_view
from .saving import opened

__all__ = [
    "accept_total",
    "attach",
    "copy",
    "credit",
    "credit_preview",
    "customer_options",
    "delete",
    "detach",
    "detail",
    "edit",
    "edit_view",
    "invoice_list",
    "invoice_pdf",
    "item_options",
    "keep_filter",
    "list_export",
    "list_selection",
    "list_settings",
    "list_sums",
    "list_tabs",
    "new",
    "opened",
    "preview",
    "save_view",
    "send",
    "start_over",
]
