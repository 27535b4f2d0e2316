"""The registers of a company: its customers and items, as people look them up and keep them."""
