"""Bank payments: order one or many, list, read."""
