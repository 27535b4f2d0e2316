"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that ends a flow well. Argument: `flow`.
flow_finished = Signal()

# Sent inside the transaction that ends a flow because a person asked for it. Argument: `flow`.
flow_cancelled = Signal()

# Sent by each process that has swept, outside of any transaction. No arguments.
swept = Signal()
