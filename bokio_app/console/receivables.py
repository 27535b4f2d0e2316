"""What customers owe, by how long it has been due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Case, IntegerField, Q, Value, When
from django.utils.translation import gettext as _

from bokio_app.core import clock
from bokio_app.core.money import ZERO

# Days after the due date, from and up to; None has no end.
AGES: tuple[tuple[int | None, int | None], ...] = (
    (None, 0),
    (1, 30),
    (31, 60),
    (61, 90),
    (91, None),
)


@dataclass(frozen=True)
class Owed:
    """How many invoices are open, and what is open of them in SEK."""

    count: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: Owed) -> Owed:
        return Owed(self.count + other.count, self.amount + other.amount)


Ages = list[Owed]


@dataclass(frozen=True)
class Age:
    """One bar: what is owed, and the filter of the invoice list that shows the same."""

    label: str
    short: str
    owed: Owed
    query: dict[str, str]


def nothing() -> Ages:
    return [Owed()] * len(AGES)


def age_of() -> Case:
    """The place in `AGES` of an invoice that is owed, as a column of a query."""
    found = [When(_due(*bounds), then=Value(place)) for place, bounds in enumerate(_bounds())]
    return Case(*found, output_field=IntegerField())


def total(ages: Ages) -> Owed:
    return sum(ages, Owed())


def late(ages: Ages) -> Owed:
    """What is overdue."""
    return sum(ages[1:], Owed())


def shown(ages: Ages) -> list[Age]:
    """The bars, in order of age."""
    words = [
        (_("Not due"), _("Not due")),
        (_("1–30 days"), _("1–30 d")),
        (_("31–60 days"), _("31–60 d")),
        (_("61–90 days"), _("61–90 d")),
        (_("More than 90 days"), _("> 90 d")),
    ]
    return [
        Age(label, short, owed, _query(*bounds))
        for (label, short), owed, bounds in zip(words, ages, _bounds(), strict=True)
    ]


def _bounds() -> list[tuple[date | None, date | None]]:
    """First and last due date of each age, as of today."""
    today = clock.today()

    def before(days: int | None) -> date | None:
        return None if days is None else today - timedelta(days=days)

    return [(before(most), before(least)) for least, most in AGES]


def _due(first: date | None, last: date | None) -> Q:
    """Due within these days; what has no due date is not due."""
    fits = Q(due_date__gte=first) if first else Q()
    if last:
        return fits & Q(due_date__lte=last)
    return fits | Q(due_date=None)


def _query(first: date | None, last: date | None) -> dict[str, str]:
    query = {"view": "open"}
    if first:
        query["due_since"] = first.isoformat()
    if last:
        query["due_until"] = last.isoformat()
    return query
