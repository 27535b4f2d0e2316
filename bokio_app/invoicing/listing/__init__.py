"""The list of invoices: what was asked for, its rows, sums and saved views."""
