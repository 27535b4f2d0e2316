"""Comments on journal entries."""
