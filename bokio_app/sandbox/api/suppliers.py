"""Suppliers: list, read, make, replace, delete."""
