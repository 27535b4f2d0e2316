"""The calls that a private integration has in a month, and what of them a sweep may take.

Work is never held back by it; when Bokio says that all is spent, the company rests. A sweep gets
what work is likely to leave, the same share on each day that is left of the month.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from bokio_app.core import clock

from .models import Connection, Kind, Usage

SWEEPS_SHARE = 0.8  # of what is left: the rest is for work that nobody has thought of yet
LONGEST_DAY = timedelta(hours=25)  # when the clocks go back
KEPT_FOR_WORK = 0.05  # of the month: so much a sweep leaves untouched


@dataclass(frozen=True)
class Budget:
    """Calls: of the whole month, used this month, and used today. `days` are left, with today.

    Other programs of the company may use up the same allowance, which we do not see.
    """

    month: int
    used: int
    today: int
    days: int

    @property
    def left(self) -> int:
        return max(self.month - self.used, 0)

    @property
    def for_sweep(self) -> int:
        """How many calls a sweep may still make today. What work has used today comes off."""
        at_midnight = self.left + self.today
        share = int(at_midnight * SWEEPS_SHARE / self.days)
        kept = int(self.month * KEPT_FOR_WORK)
        return max(min(share - self.today, self.left - kept), 0)


def is_used_up(connection: Connection, *, until: datetime) -> bool:
    """Whether a spent quota that ends then is the month's, and not that of a day's refused calls.

    By how long it lasts, and on the month's last day by what we have counted.
    """
    if connection.kind != Kind.PRIVATE:
        return False
    budget = budget_of(connection)
    return until - clock.now() > LONGEST_DAY or (budget is not None and budget.left == 0)


def budget_of(connection: Connection, usage: Usage | None = None) -> Budget | None:
    """The budget of a connection; None for one that has none. `usage` saves reading it."""
    if connection.kind != Kind.PRIVATE:
        return None
    usage = usage or Usage.objects.filter(pk=connection.pk).first() or Usage()
    today = clock.today()
    last = calendar.monthrange(today.year, today.month)[1]
    return Budget(
        month=settings.BOKIO_PRIVATE_CALLS,
        used=usage.calls_this_month,
        today=usage.calls_today,
        days=last - today.day + 1,
    )
