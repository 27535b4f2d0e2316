"""Importing this module fills the table of operations."""

from bokio_app.sandbox import oauth
from bokio_app.sandbox.api import company, connections, customers, invoices, receipts

MODULES = (company, connections, customers, invoices, receipts, oauth)
