"""Tag groups and their tags."""
