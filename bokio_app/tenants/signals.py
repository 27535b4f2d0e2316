"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that makes a workspace. Arguments: `tenant`, `by` (its owner).
workspace_made = Signal()
