"""Importing this module fills the table of operations."""

from bokio_app.sandbox import oauth
from bokio_app.sandbox.api import (
    attachments,
    bank_payments,
    comments,
    company,
    connections,
    credit_notes,
    customers,
    invoices,
    items,
    journal_entries,
    receipts,
    sie,
    supplier_invoices,
    suppliers,
    tags,
    uploads,
)

MODULES = (
    attachments,
    bank_payments,
    comments,
    company,
    connections,
    credit_notes,
    customers,
    invoices,
    items,
    journal_entries,
    receipts,
    sie,
    supplier_invoices,
    suppliers,
    tags,
    uploads,
    oauth,
)
