"""Credit notes: credit an invoice, then list, read, change, publish, record, download, delete."""
