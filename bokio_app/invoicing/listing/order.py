"""The order of the list, and the place in it where a page ended.

A place names the last row's values rather than its position, so that rows which come and go
meanwhile neither hide another row nor show one twice. No value may be missing for that.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Length
from django.utils.dateparse import parse_date, parse_datetime

from bokio_app.invoicing.models import Invoice

SIGN = "~"
NEWEST = "-new"
MOST_AMOUNT = Decimal(10) ** 13
OF_ONE = "customer"  # no index orders invoices by it: too slow over the books of many companies


def _moment(text: str) -> datetime | None:
    at = parse_datetime(text)
    return at.astimezone(UTC) if at and at.tzinfo else None


def _amount(text: str) -> Decimal | None:
    amount = Decimal(text)
    return amount if amount.is_finite() and abs(amount) < MOST_AMOUNT else None


@dataclass(frozen=True)
class Sort:
    """What rows are ordered by: expressions by name, and how each is read from an address.

    `descends`: largest or newest first, where nobody has turned it.
    """

    values: dict[str, Any]
    readers: tuple[Callable[[str], Any], ...]
    descends: bool = False


SORTS = {
    "new": Sort({"created_at": F("created_at")}, (_moment,), descends=True),
    "number": Sort(
        {"number_length": Length("number"), "number": F("number")}, (int, str), descends=True
    ),
    "customer": Sort({"customer_name": Coalesce("customer__name", Value(""))}, (str,)),
    "date": Sort({"invoice_date": F("invoice_date")}, (parse_date,), descends=True),
    "due": Sort({"due_day": Coalesce("due_date", "invoice_date")}, (parse_date,)),
    "total": Sort({"total": F("total")}, (_amount,), descends=True),
    "open": Sort({"open_amount": F("open_amount")}, (_amount,), descends=True),
}


def ordered(invoices: QuerySet[Invoice], sort: str, *, after: str = "") -> QuerySet[Invoice]:
    """In the order, from the row that follows the place on; from the first if it names none."""
    order, descends = SORTS[sort.removeprefix("-")], sort.startswith("-")
    named = {name: value for name, value in order.values.items() if not hasattr(Invoice, name)}
    invoices = invoices.annotate(**named)
    sign = "-" if descends else ""
    place = _place(order, after)
    if place:
        invoices = invoices.filter(
            _beyond((*order.values, "pk"), place, "lt" if descends else "gt")
        )
    return invoices.order_by(*(f"{sign}{name}" for name in order.values), f"{sign}pk")


def place_of(invoice: Invoice, sort: str) -> str:
    """The place of a row that `ordered` has found."""
    names = SORTS[sort.removeprefix("-")].values
    values = [getattr(invoice, name) for name in names]
    texts = [each.isoformat() if hasattr(each, "isoformat") else str(each) for each in values]
    return SIGN.join([str(invoice.pk), *texts])


def _place(order: Sort, text: str) -> tuple[Any, ...] | None:
    """Values of the row, its id last; None for what makes no sense."""
    pk, *texts = text.split(SIGN, len(order.readers))
    if len(texts) != len(order.readers):
        return None
    try:
        found = [read(each) for read, each in zip(order.readers, texts, strict=True)]
        place = (*found, uuid.UUID(pk))
    except (ValueError, InvalidOperation, OverflowError):
        return None
    return None if None in place else place


def _beyond(names: tuple[str, ...], place: tuple[Any, ...], step: str) -> Q:
    """Rows behind the place. The first value's own bound is there for the index."""
    beyond = Q()
    for at in range(len(names)):
        same = Q(**dict(zip(names[:at], place[:at], strict=True)))
        beyond |= same & Q(**{f"{names[at]}__{step}": place[at]})
    return Q(**{f"{names[0]}__{step}e": place[0]}) & beyond
