"""Journal entries: list, read, make, reverse, tag."""
