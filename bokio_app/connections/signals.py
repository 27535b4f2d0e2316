"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that makes a connection usable, new or again.
# Arguments: `connection`, `by` (the person), `again` (True when it was connected before).
connected = Signal()
