"""Supplier invoices: list, read, make, replace, delete, connect an upload."""
