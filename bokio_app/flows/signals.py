"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that ends a flow well. Argument: `flow`.
flow_finished = Signal()

# Sent inside the transaction that ends a flow because a person asked for it. Argument: `flow`.
flow_cancelled = Signal()

# Sent by a worker after each of its commits to a flow, from the midst of its work: a receiver may
# note it and nothing more. No arguments.
flow_moved = Signal()

# Sent by each process that has swept, outside of any transaction. No arguments.
swept = Signal()
