"""Attachments of an invoice: list, read, add, delete, download."""
