"""What this folder announces to the folders above it."""

from django.dispatch import Signal

# Sent inside the transaction that makes a connection usable, new or again, and when a person
# asks for it: whoever keeps a copy of the books starts to read them. Arguments: `connection`,
# `by` (the person), `occasion` (a text; one reading for each).
reading_wanted = Signal()

# Sent inside the transaction that keeps a consent's tokens: what hindered work before may be
# over. Argument: `connection`.
consent_given = Signal()

# Sent inside the transaction by which a person wants what Bokio refused to be tried at once.
# Argument: `connection`.
look_wanted = Signal()

# Sent inside the transaction that keeps a pasted token, for a worker to try it. Arguments:
# `connection`, `by` (the person).
private_token_pasted = Signal()

# Sent inside the transaction that notes that a company needs a person, with `cause`, and the one
# that notes that it no longer does. Argument of both: `connection`.
connection_broke = Signal()
connection_recovered = Signal()

# Sent inside the transaction by which a company's consent moves to another workspace. Arguments:
# `old` (the connection that ends) and `connection` (the one that takes its place).
company_taken_over = Signal()

# Sent inside the transaction that notes a person's wish to disconnect at once: queued work is
# cancelled, and a running call is never cut off. Arguments: `connection`, `by` (the person).
work_unwanted = Signal()

# Sent inside the transaction after which nothing is sent for the connection any more: what is
# still open ends, and what may have taken effect stops for a person. Argument: `connection`.
work_over = Signal()
