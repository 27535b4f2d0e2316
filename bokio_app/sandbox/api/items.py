"""Items: list, read, make, replace, delete."""
