"""The work queue of a tenant: what there is to do, in all and company by company."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min, QuerySet, Sum

from bokio_app.connections import overview
from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
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

SHOWN = 12
NEEDY_SHOWN = 5
COUNTED_WITH_WORK = (Left.UNRECORDED, Left.DRAFT)
NO_QUEUE = (Left.SETTLEMENT, Left.CREDIT, Left.NOT_IN_CLOSED)  # in none of the other counts


@dataclass
class Work:
    """Invoices and payments to deal with, filled in part by part. Amounts are SEK with VAT; `left`
    counts what has stayed behind by its kind, `rateless` the open invoices that no sum holds.
    """

    drafts: int = 0
    drafts_total: Decimal = ZERO
    unrecorded: int = 0
    unrecorded_since: date | None = None
    payments: int = 0
    payments_total: Decimal = ZERO
    ages: receivables.Ages = field(default_factory=receivables.nothing)
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

    def take(self, other: Work) -> None:
        """Add another company's work."""
        self.drafts += other.drafts
        self.drafts_total += other.drafts_total
        self.unrecorded += other.unrecorded
        self.unrecorded_since = _first(self.unrecorded_since, other.unrecorded_since)
        self.payments += other.payments
        self.payments_total += other.payments_total
        self.ages = [mine + others for mine, others in zip(self.ages, other.ages, strict=True)]
        self.due_since = _first(self.due_since, other.due_since)
        self.rateless += other.rateless
        self.left.update(other.left)


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
    total = Work()
    for each in work.values():
        total.take(each)
    troubled = {each.pk: (each, health) for each, health in overview.not_working(tenant)}
    needing = [pair for pair in troubled.values() if pair[1].needs_person]
    all_ids = list(live(tenant).values_list("pk", flat=True))

    counts = {pk: each.count for pk, each in work.items()}

    def weight(pk: UUID) -> tuple[bool, int, int]:
        """Sorts those first that need a person, then those with most to do."""
        needs = pk in troubled and troubled[pk][1].needs_person
        stuck = stopped.get(pk, Stopped()).count
        return needs or stuck > 0, stuck, counts.get(pk, 0)

    first = sorted(all_ids, key=weight, reverse=True)[:SHOWN]
    waiting = overview.waiting_runs(tenant) if needing else {}
    return Queue(
        total=total,
        stuck=sum(each.count for each in stopped.values()),
        stuck_since=min((each.since for each in stopped.values() if each.since), default=None),
        needing=len(needing),
        companies=len(all_ids),
        waiting=sum(waiting.get(connection.pk, 0) for connection, _health in needing),
        having=_having(work.values()) + Counter(stuck=len(stopped)),
        todos=_todos(tenant, first, troubled, work, stopped),
        needy=overview.companies_of(needing[:NEEDY_SHOWN]),
    )


def _todos(
    tenant: Tenant,
    ids: list[UUID],
    troubled: dict[UUID, tuple[Connection, overview.Health]],
    work: dict[UUID, Work],
    stopped: dict[UUID, Stopped],
) -> list[Todo]:
    """These companies in their order."""
    rest = live(tenant).in_bulk([pk for pk in ids if pk not in troubled])
    known = troubled | {pk: (each, overview.health(each)) for pk, each in rest.items()}
    standing = [known[pk] for pk in ids if pk in known]
    return [
        Todo(
            company=each,
            work=work.get(each.connection.pk, Work()),
            stuck=stopped.get(each.connection.pk, Stopped()).count,
        )
        for each in overview.companies_of(standing)
    ]


def work_of(tenant: Tenant, company: Connection | None = None) -> dict[UUID, Work]:
    """What there is to do with invoices and payments, by company: of all, or of one."""
    invoices, payments = tenant.invoices.order_by(), payments_of(tenant)
    if company:
        invoices = invoices.filter(connection=company)
        payments = payments.filter(invoice__connection=company)
    found: dict[UUID, Work] = defaultdict(Work)
    _drafts(invoices, found)
    _to_record(invoices, found)
    _owed(invoices, found)
    _payments(payments, found)
    for kind in STUCK:
        if kind not in COUNTED_WITH_WORK:
            _left_behind(kind, invoices, found)
    return dict(found)


def _drafts(invoices: QuerySet[Invoice], found: dict[UUID, Work]) -> None:
    rows = invoices.filter(status=Invoice.Status.DRAFT).values_list("connection")
    old = Count("pk", filter=condition(Left.DRAFT))
    for pk, count, total, left_behind in rows.annotate(
        count=Count("pk"), sum=Sum(in_sek("total")), old=old
    ):
        work = found[pk]
        work.drafts, work.drafts_total = count, total or ZERO
        work.left[Left.DRAFT.value] = left_behind


def _to_record(invoices: QuerySet[Invoice], found: dict[UUID, Work]) -> None:
    rows = left(Left.TO_RECORD, invoices).values_list("connection")
    old = Count("pk", filter=published_long_ago())
    for pk, count, since, left_behind in rows.annotate(
        count=Count("pk"), since=Min("invoice_date"), old=old
    ):
        work = found[pk]
        work.unrecorded, work.unrecorded_since = count, since
        work.left[Left.UNRECORDED.value] = left_behind


def _owed(invoices: QuerySet[Invoice], found: dict[UUID, Work]) -> None:
    """Grouped by age and not counted age by age: that would ask the same of each row many times."""
    by_age = invoices.filter(OWED).annotate(age=receivables.age_of())
    rows = by_age.values_list("connection", "age").annotate(
        count=Count("pk"),
        sum=Sum(in_sek("open_amount")),
        due=Min("due_date"),
        rateless=Count("pk", filter=WITHOUT_RATE),
    )
    for pk, age, count, total, due, rateless in rows:
        work = found[pk]
        work.ages[age] = receivables.Owed(count, total or ZERO)
        work.rateless += rateless
        if age:
            work.due_since = _first(work.due_since, due)


def _payments(payments: QuerySet[Payment], found: dict[UUID, Work]) -> None:
    rows = unrecorded(payments).values_list("invoice__connection")
    for pk, count, total in rows.annotate(count=Count("pk"), sum=Sum("amount")):
        found[pk].payments, found[pk].payments_total = count, total


def _left_behind(kind: Left, invoices: QuerySet[Invoice], found: dict[UUID, Work]) -> None:
    rows = left(kind, invoices).values_list("connection")
    for pk, count in rows.annotate(count=Count("pk")):
        found[pk].left[kind.value] = count


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
