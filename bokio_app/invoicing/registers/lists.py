"""Lists of customers and of items: what a person asks for, and one page of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from bokio_app.connections.models import Connection
from bokio_app.core.money import ZERO
from bokio_app.core.number_search import with_number, with_vat_number
from bokio_app.invoicing.models import Customer, Invoice, Item
from bokio_app.tenants.models import Tenant

from .twins import twins_of

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

PAGE = 100
OWING = "owing"  # the order that is worked out from invoices

Row = TypeVar("Row")


@dataclass(frozen=True)
class Order:
    """An order of rows: by these columns, the last of which tells any two apart."""

    label: StrPromise
    fields: tuple[str, ...]
    descending: bool = False


CUSTOMER_ORDERS: dict[str, Order] = {
    "name": Order(_("Name"), ("name", "id")),
    "city": Order(_("City"), ("city", "name", "id")),
    "new": Order(_("Newest first"), ("created_at", "id"), descending=True),
    OWING: Order(_("Owing most"), ()),
}
ITEM_ORDERS: dict[str, Order] = {
    "text": Order(_("Description"), ("description", "id")),
    "price": Order(_("Lowest price first"), ("unit_price", "id")),
}


@dataclass(frozen=True)
class Asked:
    """What a person asked a list for. `before` is the id of the last row of the page before."""

    company: Connection | None = None
    text: str = ""
    order: str = ""
    before: str = ""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of a list; `next` asks for the rows that follow, empty at the end."""

    rows: Sequence[Row]
    count: int
    next: str


@dataclass(frozen=True)
class CustomerRow:
    """A customer, how many invoices it has and what it owes by currency; drafts owe nothing."""

    customer: Customer
    invoices: int = 0
    owed: Mapping[str, Decimal] = field(default_factory=dict)
    twins: Sequence[Customer] = ()

    @property
    def open_amounts(self) -> list[tuple[str, Decimal]]:
        """What it owes by currency, kronor first."""
        return sorted(self.owed.items(), key=lambda pair: (pair[0] != "SEK", pair[0]))


def customers(tenant: Tenant, asked: Asked) -> QuerySet[Customer]:
    """The customers that fit, in no order."""
    found = tenant.customers.filter(gone_at=None).order_by()
    if asked.company:
        found = found.filter(connection=asked.company)
    return found.filter(_mentions(asked.text)) if asked.text else found


def _mentions(text: str) -> Q:
    fits = with_number(text) | with_vat_number(text)
    for name in ("name", "email", "city"):
        fits |= Q(**{f"{name}__icontains": text})
    return fits


def find_customers(tenant: Tenant, asked: Asked) -> Page[CustomerRow]:
    """One page of the tenant's customers."""
    found = customers(tenant, asked)
    if asked.order == OWING:
        return _owing(tenant, found, asked)
    order = CUSTOMER_ORDERS.get(asked.order, CUSTOMER_ORDERS["name"])
    page = _page(found.select_related("connection"), order, asked.before)
    return Page(rows_of(page.rows), page.count, page.next)


def rows_of(found: Sequence[Customer]) -> list[CustomerRow]:
    """The customers with what is known of them beside, in three queries."""
    counts: dict[UUID, int] = {}
    owed: dict[UUID, dict[str, Decimal]] = {}
    mine = Invoice.objects.filter(customer__in=[each.pk for each in found])
    sent = Q(open_amount__gt=0) & ~Q(status=Invoice.Status.DRAFT)
    sums = (
        mine.exclude(status=Invoice.Status.GONE)
        .order_by()
        .values_list("customer", "currency")
        .annotate(count=Count("*"), open=Sum("open_amount", filter=sent))
    )
    for pk, currency, count, amount in sums:
        counts[pk] = counts.get(pk, 0) + count
        if amount:
            owed.setdefault(pk, {})[currency] = amount
    twins = twins_of(found)
    return [
        CustomerRow(each, counts.get(each.pk, 0), owed.get(each.pk, {}), twins.get(each.pk, ()))
        for each in found
    ]


def _owing(tenant: Tenant, found: QuerySet[Customer], asked: Asked) -> Page[CustomerRow]:
    """Those who owe Swedish kronor, the most first. Other currencies cannot be compared."""
    open_ones = tenant.invoices.filter(open_amount__gt=0, currency="SEK").exclude(
        status__in=[Invoice.Status.DRAFT, Invoice.Status.GONE]
    )
    if asked.company:
        open_ones = open_ones.filter(connection=asked.company)
    owing = (
        open_ones.filter(customer__in=found.values("pk"))
        .order_by()
        .values_list("customer")
        .annotate(owed=Sum("open_amount"))
    )
    count = owing.count()
    if last := _id(asked.before):
        amount = open_ones.filter(customer=last).aggregate(sum=Sum("open_amount"))["sum"] or ZERO
        owing = owing.filter(Q(owed__lt=amount) | Q(owed=amount, customer__gt=last))
    ids = [pk for pk, _owed in owing.order_by("-owed", "customer")[: PAGE + 1]]
    more, ids = len(ids) > PAGE, ids[:PAGE]
    by_id = Customer.objects.select_related("connection").in_bulk(ids)
    return Page(rows_of([by_id[pk] for pk in ids]), count, str(ids[-1]) if more else "")


def items(tenant: Tenant, asked: Asked) -> QuerySet[Item]:
    """The items that fit, in no order."""
    found = tenant.items.filter(gone_at=None).order_by()
    if asked.company:
        found = found.filter(connection=asked.company)
    if not asked.text:
        return found
    fits = Q(description__icontains=asked.text)
    return found.filter(fits | Q(account=asked.text) if _is_account(asked.text) else fits)


def _is_account(text: str) -> bool:
    return len(text) == 4 and text.isdecimal()


def find_items(tenant: Tenant, asked: Asked) -> Page[Item]:
    """One page of the tenant's items."""
    order = ITEM_ORDERS.get(asked.order, ITEM_ORDERS["text"])
    return _page(items(tenant, asked).select_related("connection"), order, asked.before)


Model = TypeVar("Model", bound=models.Model)


def _page(found: QuerySet[Model], order: Order, before: str) -> Page[Model]:
    count = found.count()
    sign = "-" if order.descending else ""
    found = found.order_by(*(f"{sign}{name}" for name in order.fields))
    if last := _last(found, before):
        found = found.filter(_behind(last, order))
    rows = list(found[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    return Page(rows, count, str(rows[-1].pk) if more else "")


def _last(found: QuerySet[Model], before: str) -> Model | None:
    """The row after which the page begins; None at the beginning."""
    if not before:
        return None
    try:
        return found.filter(pk=before).first()
    except (ValueError, ValidationError):
        return None


def _behind(last: Any, order: Order) -> Q:
    """What follows after a row; its first column stands alone, for the index."""
    sign = "lt" if order.descending else "gt"
    behind, same = Q(), Q()
    for name in order.fields:
        value = getattr(last, name)
        behind |= same & Q(**{f"{name}__{sign}": value})
        same &= Q(**{name: value})
    first = order.fields[0]
    return Q(**{f"{first}__{sign}e": getattr(last, first)}) & behind


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
