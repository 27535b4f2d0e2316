"""Our copies of Bokio's lists: read page by page, written only where something differs."""
