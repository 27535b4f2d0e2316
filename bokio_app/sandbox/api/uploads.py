"""Uploads: list, read, add, download."""
