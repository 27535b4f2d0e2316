"""Money that has come in: payments of all companies, by week and one by one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek
from django.utils.dateparse import parse_date, parse_datetime

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.payments.models import Payment
from bokio_app.tenants.models import Tenant
from bokio_app.tenants.seen import limited

WEEKS = 12
PAGE = 100
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """What came in from `monday` on, in SEK, and in the same week a year earlier."""

    monday: date
    amount: Decimal
    count: int
    earlier: Decimal
    is_running: bool

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week


@dataclass(frozen=True)
class Asked:
    """Which payments to list: those of a week, else those to record. `before` is the last row of
    the page before.
    """

    company: Connection | None = None
    week: date | None = None
    before: tuple[date, datetime, uuid.UUID] | None = None

    @property
    def sunday(self) -> date | None:
        return self.week + WEEK - timedelta(days=1) if self.week else None

    def url(self, *, before: str = "") -> str:
        """The address of the same list, from the row after the one that is told."""
        parts = {
            "company": str(self.company.pk) if self.company else "",
            "week": self.week.isoformat() if self.week else "",
            "before": before,
        }
        return "?" + urlencode({name: value for name, value in parts.items() if value})


@dataclass(frozen=True)
class Listed:
    """A page of payments, newest first; count and sum are those of the whole list."""

    rows: Sequence[Payment]
    count: int
    total: Decimal
    next: str


def payments_of(tenant: Tenant) -> QuerySet[Payment]:
    """What Bokio has of the companies that the member may see."""
    found = Payment.objects.filter(invoice__tenant=tenant, remote_id__gt="").order_by()
    return limited(found, tenant.seen_by, field="invoice__connection") if tenant.seen_by else found


def unrecorded(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Those that are in no books yet."""
    return payments.filter(journal_entry_id="", invoice__gone_at=None)


def weeks_of(tenant: Tenant) -> list[Week]:
    """The last weeks up to the present one, with one query."""
    now = monday_of(clock.today())
    mondays = [now - WEEK * back for back in range(WEEKS)][::-1]
    before = {monday: year_before(monday) for monday in mondays}
    wanted = _within(mondays) | _within(list(before.values()))
    rows = payments_of(tenant).filter(wanted).annotate(week=TruncWeek("date")).values_list("week")
    found = {
        week: (amount, count)
        for week, amount, count in rows.annotate(amount=Sum("amount"), count=Count("pk"))
    }
    return [
        Week(
            monday=monday,
            amount=found.get(monday, (ZERO, 0))[0],
            count=found.get(monday, (ZERO, 0))[1],
            earlier=found.get(before[monday], (ZERO, 0))[0],
            is_running=monday == now,
        )
        for monday in mondays
    ]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def year_before(monday: date) -> date:
    """The week of the same number a year earlier; a 53rd is set beside the 52nd."""
    year, week, _day = monday.isocalendar()
    try:
        return date.fromisocalendar(year - 1, week, 1)
    except ValueError:
        return date.fromisocalendar(year - 1, week - 1, 1)


def _within(mondays: list[date]) -> Q:
    return Q(date__gte=min(mondays), date__lt=max(mondays) + WEEK)


def listed(tenant: Tenant, asked: Asked) -> Listed:
    """One page of the payments asked for, in a fixed number of queries."""
    found = payments_of(tenant)
    if asked.company:
        found = found.filter(invoice__connection=asked.company)
    found = found.filter(_within([asked.week])) if asked.week else unrecorded(found)
    sums = found.aggregate(count=Count("pk"), total=Sum("amount"))
    if asked.before:
        day, at, pk = asked.before
        later = Q(date__lt=day) | Q(date=day, created_at__lt=at)
        found = found.filter(later | Q(date=day, created_at=at, pk__lt=pk))
    ordered = found.order_by("-date", "-created_at", "-pk")
    page = list(ordered.select_related("invoice__connection", "invoice__customer")[: PAGE + 1])
    more, page = len(page) > PAGE, page[:PAGE]
    return Listed(
        rows=page,
        count=sums["count"],
        total=sums["total"] or ZERO,
        next=_mark(page[-1]) if more else "",
    )


def _mark(payment: Payment) -> str:
    return f"{payment.date.isoformat()}_{payment.created_at.isoformat()}_{payment.pk}"


def read_mark(text: str) -> tuple[date, datetime, uuid.UUID] | None:
    """The place in the list that an address names; None for one that makes no sense."""
    try:
        day, at, pk = text.split("_")
        read, moment = parse_date(day), parse_datetime(at)
        return (read, moment, uuid.UUID(pk)) if read and moment and moment.tzinfo else None
    except ValueError:
        return None


def read_week(text: str) -> date | None:
    """The Monday of the week that an address names by one of its days."""
    try:
        day = parse_date(text)
        monday = monday_of(day) if day else None
        return monday if monday and monday + WEEK else None
    except (ValueError, OverflowError):  # no day, or one of the last week there is
        return None
