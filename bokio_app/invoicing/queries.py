"""Reads of customers and invoices, each starting from a tenant or from a company within it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.dateparse import parse_datetime

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.flows.models import Flow, FlowState
from bokio_app.ledger.models import JournalEntry
from bokio_app.tenants.models import Tenant

from .models import Customer, Invoice

PAGE = 100
CHOICES = 12
NAMED = 500
OPEN_STATES = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED, FlowState.STUCK)
VIEWS = ("all", "draft", "unrecorded", "open", "overdue", "paid")


@dataclass(frozen=True)
class Filter:
    """What a person asked the list for. `before` is the last row of the page before."""

    view: str = "all"
    text: str = ""
    company: Connection | None = None
    company_text: str = ""  # what was typed for a company, and names none
    before: tuple[datetime, uuid.UUID] | None = None

    @property
    def is_set(self) -> bool:
        return bool(self.text or self.company or self.company_text or self.view != "all")


@dataclass(frozen=True)
class Row:
    """One invoice of the list with the one state that needs action first."""

    invoice: Invoice
    state: str
    days: int
    entry: str


@dataclass(frozen=True)
class Page:
    """A page of the list. The sums are those of the whole filter, drafts owe nothing yet."""

    rows: Sequence[Row]
    count: int
    total: Decimal
    open_amount: Decimal
    next: str


def find_invoices(tenant: Tenant, asked: Filter) -> Page:
    """One page of the tenant's invoices, newest first."""
    found = _matching(tenant, asked)
    sums = found.aggregate(
        count=Count("*"),  # counting ids would keep the sums from being read from their index
        total=Sum("total"),
        open_amount=Sum("open_amount", filter=~Q(status=Invoice.Status.DRAFT)),
    )
    if asked.before:
        at, pk = asked.before
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk), created_at__lte=at)
    ordered = found.order_by("-created_at", "-pk").select_related("customer", "connection")
    page = list(ordered[: PAGE + 1])
    more, page = len(page) > PAGE, page[:PAGE]
    return Page(
        rows=_rows(page),
        count=sums["count"],
        total=sums["total"] or ZERO,
        open_amount=sums["open_amount"] or ZERO,
        next=_mark(page[-1]) if more else "",
    )


def _matching(tenant: Tenant, asked: Filter) -> QuerySet[Invoice]:
    found = tenant.invoices.exclude(status=Invoice.Status.GONE)
    if asked.company_text:
        return found.none()
    if asked.company:
        found = found.filter(connection=asked.company)
    sent = ~Q(status=Invoice.Status.DRAFT)
    if asked.view != "all":
        found = found.filter(
            {
                "draft": ~sent,
                "unrecorded": sent & Q(journal_entry_id=""),
                "open": sent & Q(open_amount__gt=0),
                "overdue": sent & Q(open_amount__gt=0, due_date__lt=clock.today()),
                "paid": sent & Q(open_amount__lte=0),
            }[asked.view]
        )
    if asked.text:
        found = found.filter(_mentions(tenant, asked.text))
    return found


def _mentions(tenant: Tenant, text: str) -> Q:
    """Number or reference begins with the text, or the customer has it.

    Few customers are named one by one, so that the database can take each part from its index.
    """
    fitting = Q(name__icontains=text) | Q(org_number__startswith=text)
    customers = tenant.customers.filter(fitting).order_by()
    some = list(customers.values_list("pk", flat=True)[: NAMED + 1])
    known = some if len(some) <= NAMED else customers.values("pk")
    return Q(number__startswith=text) | Q(ocr__startswith=text) | Q(customer__in=known)


def _rows(invoices: Sequence[Invoice]) -> list[Row]:
    numbers = dict(
        JournalEntry.objects.filter(
            connection__in={each.connection_id for each in invoices},
            remote_id__in=[each.journal_entry_id for each in invoices if each.journal_entry_id],
        ).values_list("remote_id", "number")
    )
    flows: dict[str, str] = dict(
        Flow.objects.filter(
            tenant__in={each.tenant_id for each in invoices},
            state__in=OPEN_STATES,
            resource_key__in=[each.resource_key for each in invoices],
        )
        .order_by("pk")
        .values_list("resource_key", "state")
    )
    return [
        Row(
            invoice=each,
            state=state_of(each, flow_state=flows.get(each.resource_key, "")),
            days=each.overdue_days,
            entry=numbers.get(each.journal_entry_id, ""),
        )
        for each in invoices
    ]


def state_of(invoice: Invoice, *, flow_state: str = "") -> str:
    """The one state that needs action first, as `{% glyph %}` names it. `flow_state` is that of
    the flow that works on it now.
    """
    if flow_state == FlowState.STUCK:
        return "needs"
    if invoice.is_draft:
        return "running" if flow_state else "draft"
    return _sent_state(invoice)


def _sent_state(invoice: Invoice) -> str:
    if invoice.status == Invoice.Status.CREDITED:
        return "credited"
    if invoice.overdue_days:
        return "overdue"
    if invoice.open_amount <= 0:
        return "paid"
    if invoice.open_amount < invoice.total:
        return "part-paid"
    return "recorded" if invoice.is_recorded else "published"


def states_of(invoice: Invoice) -> list[str]:
    """All states worth a badge on the invoice's own page."""
    first = state_of(invoice)
    partly = first == "overdue" and invoice.open_amount < invoice.total
    return [first, "part-paid"] if partly else [first]


def _mark(invoice: Invoice) -> str:
    return f"{invoice.created_at.isoformat()}_{invoice.pk}"


def read_mark(text: str) -> tuple[datetime, uuid.UUID] | None:
    """The place in the list that an address names; None for one that makes no sense."""
    moment, _sign, pk = text.rpartition("_")
    try:
        at = parse_datetime(moment)
        return (at, uuid.UUID(pk)) if at and at.tzinfo else None
    except ValueError:
        return None


def customers(connection: Connection, text: str) -> QuerySet[Customer]:
    """The first customers whose name or organisation number holds the text."""
    found = connection.customers.filter(gone_at=None)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(org_number__startswith=text))
    return found[:CHOICES]
