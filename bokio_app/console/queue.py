"""The work queue of a tenant: what there is to do, in all and company by company."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min, Q, Sum

from bokio_app.connections import overview
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.flows.models import FlowState
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import Tenant

SHOWN = 20
NEEDY_SHOWN = 5


@dataclass(frozen=True)
class Work:
    """Invoices to deal with. Amounts are SEK; `drafts_total` and `overdue_total` with VAT."""

    drafts: int = 0
    drafts_total: Decimal = ZERO
    unrecorded: int = 0
    overdue: int = 0
    overdue_total: Decimal = ZERO
    oldest_days: int = 0

    @property
    def count(self) -> int:
        return self.drafts + self.unrecorded + self.overdue

    def __add__(self, other: Work) -> Work:
        return Work(
            drafts=self.drafts + other.drafts,
            drafts_total=self.drafts_total + other.drafts_total,
            unrecorded=self.unrecorded + other.unrecorded,
            overdue=self.overdue + other.overdue,
            overdue_total=self.overdue_total + other.overdue_total,
            oldest_days=max(self.oldest_days, other.oldest_days),
        )


@dataclass(frozen=True)
class Todo:
    """What one company needs: its work, and how many of its runs are stuck."""

    company: overview.Company
    work: Work
    stuck: int


@dataclass(frozen=True)
class Queue:
    """Everything that the start page shows; `todos` holds the companies with most to do, and
    `needy` the first of those whose connection needs a person.
    """

    total: Work
    stuck: int
    needing: int
    companies: int
    todos: list[Todo] = field(default_factory=list)
    needy: list[overview.Company] = field(default_factory=list)


def queue_of(tenant: Tenant) -> Queue:
    """Count what there is to do. The number of queries does not depend on how much that is."""
    work, stuck = _work(tenant), _stuck(tenant)
    found = overview.standings(tenant)

    def weight(pair: tuple[Connection, overview.Health]) -> tuple[bool, int, int]:
        """Sorts those first that need a person, then those with most to do."""
        connection, health = pair
        count, stopped = work.get(connection.pk, Work()).count, stuck.get(connection.pk, 0)
        return health.needs_person or stopped > 0, stopped, count

    shown = sorted(found, key=weight, reverse=True)[:SHOWN]
    todos = [
        Todo(
            company=each,
            work=work.get(each.connection.pk, Work()),
            stuck=stuck.get(each.connection.pk, 0),
        )
        for each in overview.companies_of(shown)
    ]
    needing = [pair for pair in found if pair[1].needs_person]
    return Queue(
        total=_sum(work.values()),
        stuck=sum(stuck.values()),
        needing=len(needing),
        companies=len(found),
        todos=todos,
        needy=overview.companies_of(needing[:NEEDY_SHOWN]),
    )


def _sum(works: Iterable[Work]) -> Work:
    return sum(works, Work())


def _work(tenant: Tenant) -> dict[UUID, Work]:
    draft = Q(status=Invoice.Status.DRAFT)
    sent = ~Q(status__in=(Invoice.Status.DRAFT, Invoice.Status.GONE))
    unrecorded = sent & Q(journal_entry_id="")
    overdue = sent & Q(open_amount__gt=0, due_date__lt=clock.today())
    rows = (
        tenant.invoices.filter(draft | unrecorded | overdue)
        .order_by()
        .values("connection")
        .annotate(
            drafts=Count("pk", filter=draft),
            drafts_total=Sum("total", filter=draft),
            unrecorded=Count("pk", filter=unrecorded),
            overdue=Count("pk", filter=overdue),
            overdue_total=Sum("open_amount", filter=overdue),
            oldest=Min("due_date", filter=overdue),
        )
    )
    return {
        row["connection"]: Work(
            drafts=row["drafts"],
            drafts_total=row["drafts_total"] or ZERO,
            unrecorded=row["unrecorded"],
            overdue=row["overdue"],
            overdue_total=row["overdue_total"] or ZERO,
            oldest_days=(clock.today() - row["oldest"]).days if row["oldest"] else 0,
        )
        for row in rows
    }


def _stuck(tenant: Tenant) -> dict[UUID, int]:
    rows = tenant.flows.filter(state=FlowState.STUCK).order_by().values("connection")
    return dict(rows.annotate(count=Count("pk")).values_list("connection", "count"))
