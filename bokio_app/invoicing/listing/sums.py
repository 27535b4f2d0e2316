"""Sums of a whole filter, and how many invoices each view holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from bokio_app.core.money import ZERO
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import Tenant

from .asked import Asked
from .matching import SENT, condition, invoices_of

HOME = "SEK"


@dataclass(frozen=True)
class Amounts:
    """Amounts of one currency; drafts owe nothing yet."""

    currency: str
    total: Decimal
    open_amount: Decimal

    @property
    def shown_currency(self) -> str:
        """As in the cells: crowns need no name."""
        return "" if self.currency == HOME else self.currency


@dataclass(frozen=True)
class Sums:
    """Of all invoices that fit; amounts of different currencies are never added."""

    count: int
    companies: int
    amounts: list[Amounts]


def sums_of(tenant: Tenant, asked: Asked) -> Sums:
    """Of all that was asked for, in one query."""
    return _sums(invoices_of(tenant, asked))


def sums_of_these(tenant: Tenant, picked: Iterable[UUID]) -> Sums:
    """Of the selected invoices, as far as they are the tenant's."""
    return _sums(tenant.invoices.filter(pk__in=picked))


def _sums(invoices: QuerySet[Invoice]) -> Sums:
    found = invoices.order_by().values_list("currency", "connection")
    groups = list(
        found.annotate(
            count=Count("*"),  # counting ids would keep the sums from being read from their index
            total=Sum("total"),
            open_amount=Sum("open_amount", filter=SENT),
        )
    )
    amounts: dict[str, tuple[Decimal, Decimal]] = {}
    for currency, _company, _count, total, open_amount in groups:
        so_far = amounts.get(currency, (ZERO, ZERO))
        amounts[currency] = (so_far[0] + total, so_far[1] + (open_amount or ZERO))
    return Sums(
        count=sum(group[2] for group in groups),
        companies=len({group[1] for group in groups}),
        amounts=[
            Amounts(currency, *amounts[currency])
            for currency in sorted(amounts, key=lambda each: (each != HOME, each))
        ],
    )


def counts_of(tenant: Tenant, views: Mapping[str, Asked]) -> dict[str, int]:
    """How many invoices each of the named filters holds, in one query for all of them."""
    if not views:
        return {}
    found = tenant.invoices.exclude(status=Invoice.Status.GONE).order_by()
    counted: dict[str, int] = found.aggregate(
        **{name: Count("pk", filter=_whole(tenant, asked)) for name, asked in views.items()}
    )
    return counted


def _whole(tenant: Tenant, asked: Asked) -> Q:
    company = Q(connection=asked.company) if asked.company else Q(pk__isnull=False)
    return company & condition(tenant, asked)
