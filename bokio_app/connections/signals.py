"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that makes a connection usable, new or again, and when a person
# asks for it: whoever keeps a copy of the books starts to read them. Arguments: `connection`,
# `by` (the person), `occasion` (a text; one reading for each).
reading_wanted = Signal()

# Sent inside the transaction that keeps a consent's tokens: what hindered work before may be
# over. Argument: `connection`.
consent_given = Signal()
