"""What a company's month of calls leaves for readings; work of people comes first."""

from __future__ import annotations

from datetime import timedelta

from bokio_app.connections.budget import SWEEPS_SHARE, budget_of
from bokio_app.connections.models import Connection

from .times import Allowance

CALLS_PER_INVOICE = 2  # its payments, its settlements
PART_AT_ONCE = 4  # so much of what is left of a day is taken for details at a time


def allowance_of(connection: Connection) -> Allowance | None:
    """The rest of this month's calls that readings may use; None if Bokio counts no month."""
    budget = budget_of(connection)
    if budget is None:
        return None
    seconds = timedelta(days=budget.days).total_seconds()
    return Allowance(int(budget.left * SWEEPS_SHARE), seconds)


def most_details(connection: Connection, wanted: int) -> int:
    """How many invoices' payments may be read at once, at most `wanted`."""
    budget = budget_of(connection)
    if budget is None:
        return wanted
    return min(wanted, budget.for_sweep // PART_AT_ONCE // CALLS_PER_INVOICE)
