"""The work queue of a tenant: what there is to do, in all and company by company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum

from bokio_app.connections import overview
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.flows.models import FlowState
from bokio_app.invoicing.currencies import WITHOUT_RATE, in_sek
from bokio_app.invoicing.leftovers import OWED, STUCK, Left, condition, left, published_long_ago
from bokio_app.invoicing.models import Invoice
from bokio_app.payments.models import Payment
from bokio_app.tenants.models import Tenant

from . import receivables
from .received import payments_of, unrecorded

SHOWN = 20
NEEDY_SHOWN = 5
DRAFT = Q(status=Invoice.Status.DRAFT)
COUNTED_WITH_WORK = (Left.UNRECORDED, Left.DRAFT)
NO_QUEUE = (Left.SETTLEMENT, Left.CREDIT, Left.NOT_IN_CLOSED)  # in none of the other counts


@dataclass(frozen=True)
class Work:
    """Invoices and payments to deal with. Amounts are SEK with VAT; `left` counts what has stayed
    behind by its kind, `rateless` the open invoices that no sum holds.
    """

    drafts: int = 0
    drafts_total: Decimal = ZERO
    unrecorded: int = 0
    unrecorded_since: date | None = None
    payments: int = 0
    payments_total: Decimal = ZERO
    ages: receivables.Ages = receivables.NOTHING
    due_since: date | None = None
    rateless: int = 0
    left: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """How much there is to do; nothing is counted twice."""
        counted = self.drafts + self.unrecorded + self.payments + self.overdue
        return counted + sum(self.left[kind.value] for kind in NO_QUEUE)

    @property
    def overdue(self) -> int:
        return receivables.late(self.ages).count

    @property
    def overdue_total(self) -> Decimal:
        return receivables.late(self.ages).amount

    @property
    def owed(self) -> receivables.Owed:
        return receivables.total(self.ages)

    @property
    def oldest_days(self) -> int:
        """Days since the due date of what has been due longest; 0 if nothing is overdue."""
        return (clock.today() - self.due_since).days if self.due_since else 0

    @property
    def unrecorded_days(self) -> int:
        """Days since the date of the oldest invoice to record."""
        since = self.unrecorded_since
        return max((clock.today() - since).days, 0) if since else 0

    def __add__(self, other: Work) -> Work:
        pairs = zip(self.ages, other.ages, strict=True)
        return Work(
            drafts=self.drafts + other.drafts,
            drafts_total=self.drafts_total + other.drafts_total,
            unrecorded=self.unrecorded + other.unrecorded,
            unrecorded_since=_first(self.unrecorded_since, other.unrecorded_since),
            payments=self.payments + other.payments,
            payments_total=self.payments_total + other.payments_total,
            ages=tuple(mine + others for mine, others in pairs),
            due_since=_first(self.due_since, other.due_since),
            rateless=self.rateless + other.rateless,
            left=self.left + other.left,
        )


@dataclass(frozen=True)
class Stopped:
    """Runs that need a person."""

    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Todo:
    """What one company needs: its work, and how many of its runs are stuck."""

    company: overview.Company
    work: Work
    stuck: int


@dataclass(frozen=True)
class Queue:
    """Everything that the start page shows; `todos` holds the companies with most to do, and
    `needy` the first of those whose connection needs a person. `having` counts the companies that
    have something of a kind, by the names of `Work`'s fields.
    """

    total: Work
    stuck: int
    stuck_since: datetime | None
    needing: int
    companies: int
    waiting: int = 0
    having: Counter[str] = field(default_factory=Counter)
    todos: list[Todo] = field(default_factory=list)
    needy: list[overview.Company] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return not (self.total.count or self.stuck or self.needing)


def queue_of(tenant: Tenant) -> Queue:
    """Count what there is to do. The number of queries does not depend on how much that is."""
    work, stopped = work_of(tenant), _stopped(tenant)
    found = overview.standings(tenant)

    def weight(pair: tuple[Connection, overview.Health]) -> tuple[bool, int, int]:
        """Sorts those first that need a person, then those with most to do."""
        connection, health = pair
        count = work.get(connection.pk, Work()).count
        stuck = stopped.get(connection.pk, Stopped()).count
        return health.needs_person or stuck > 0, stuck, count

    shown = sorted(found, key=weight, reverse=True)[:SHOWN]
    todos = [
        Todo(
            company=each,
            work=work.get(each.connection.pk, Work()),
            stuck=stopped.get(each.connection.pk, Stopped()).count,
        )
        for each in overview.companies_of(shown)
    ]
    needing = [pair for pair in found if pair[1].needs_person]
    waiting = overview.waiting_runs(tenant) if needing else {}
    return Queue(
        total=sum(work.values(), Work()),
        stuck=sum(each.count for each in stopped.values()),
        stuck_since=min((each.since for each in stopped.values() if each.since), default=None),
        needing=len(needing),
        companies=len(found),
        waiting=sum(waiting.get(connection.pk, 0) for connection, _health in needing),
        having=_having(work.values()) + Counter(stuck=len(stopped)),
        todos=todos,
        needy=overview.companies_of(needing[:NEEDY_SHOWN]),
    )


def work_of(tenant: Tenant, company: Connection | None = None) -> dict[UUID, Work]:
    """What there is to do with invoices and payments, by company: of all, or of one."""
    invoices = tenant.invoices.order_by()
    payments = payments_of(tenant)
    if company:
        invoices = invoices.filter(connection=company)
        payments = payments.filter(invoice__connection=company)
    parts = [
        _work_of_drafts(invoices),
        _work_to_record(invoices),
        _work_of_owed(invoices),
        _work_of_payments(payments),
        *(_left_behind(kind, invoices) for kind in STUCK if kind not in COUNTED_WITH_WORK),
    ]
    found: dict[UUID, Work] = {}
    for part in parts:
        for pk, work in part.items():
            found[pk] = found[pk] + work if pk in found else work
    return found


def _work_of_drafts(invoices: QuerySet[Invoice]) -> dict[UUID, Work]:
    rows = invoices.filter(DRAFT).values_list("connection")
    counted = rows.annotate(
        count=Count("pk"),
        sum=Sum(in_sek("total")),
        old=Count("pk", filter=condition(Left.DRAFT)),
    )
    return {
        pk: Work(drafts=count, drafts_total=total or ZERO, left=Counter({Left.DRAFT.value: old}))
        for pk, count, total, old in counted
    }


def _work_of_owed(invoices: QuerySet[Invoice]) -> dict[UUID, Work]:
    """Grouped by age and not counted age by age: that would ask the same of each row many times."""
    rows = (
        invoices.filter(OWED)
        .annotate(age=receivables.age_of())
        .values_list("connection", "age")
        .annotate(
            count=Count("pk"),
            sum=Sum(in_sek("open_amount")),
            due=Min("due_date"),
            rateless=Count("pk", filter=WITHOUT_RATE),
        )
    )
    found: dict[UUID, Work] = {}
    for pk, age, count, total, due, rateless in rows:
        work = Work(
            ages=receivables.only(age, receivables.Owed(count, total or ZERO)),
            due_since=due if age else None,
            rateless=rateless,
        )
        found[pk] = found[pk] + work if pk in found else work
    return found


def _work_to_record(invoices: QuerySet[Invoice]) -> dict[UUID, Work]:
    rows = left(Left.TO_RECORD, invoices).values_list("connection")
    counted = rows.annotate(
        count=Count("pk"), since=Min("invoice_date"), old=Count("pk", filter=published_long_ago())
    )
    return {
        pk: Work(
            unrecorded=count,
            unrecorded_since=since,
            left=Counter({Left.UNRECORDED.value: old}),
        )
        for pk, count, since, old in counted
    }


def _work_of_payments(payments: QuerySet[Payment]) -> dict[UUID, Work]:
    rows = unrecorded(payments).values("invoice__connection")
    return {
        row["invoice__connection"]: Work(payments=row["count"], payments_total=row["sum"])
        for row in rows.annotate(count=Count("pk"), sum=Sum("amount"))
    }


def _left_behind(kind: Left, invoices: QuerySet[Invoice]) -> dict[UUID, Work]:
    rows = left(kind, invoices).values_list("connection").annotate(count=Count("pk"))
    return {pk: Work(left=Counter({kind.value: count})) for pk, count in rows}


def _stopped(tenant: Tenant) -> dict[UUID, Stopped]:
    rows = tenant.flows.filter(state=FlowState.STUCK).order_by()
    found = rows.values_list("connection").annotate(count=Count("pk"), since=Min("created_at"))
    return {pk: Stopped(count, since) for pk, count, since in found}


def _having(works: Iterable[Work]) -> Counter[str]:
    having: Counter[str] = Counter()
    for work in works:
        for name in ("drafts", "unrecorded", "payments", "overdue"):
            having[name] += bool(getattr(work, name))
        having["left"] += bool(work.left.total())
    return having


def _first(one: date | None, other: date | None) -> date | None:
    return min((each for each in (one, other) if each), default=None)
