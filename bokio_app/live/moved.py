"""What has moved since the last look, read from the rows that are the truth.

Each call of a flow leaves an attempt and each act of a person an event: both are only ever added,
so that a look reads what is new behind a number, over the primary key. A flow under way is seen
by its cursor. None of it costs the workers anything.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Max, Q

from bokio_app.audit.models import Event
from bokio_app.connections.models import Connection
from bokio_app.flows.models import Attempt, Flow, FlowState
from bokio_app.invoicing.models import Invoice

MOST_ROWS = 5000  # in one look
MOST_IDS = 100  # told of one by one; beyond that, all that a page shows may have moved
# A number may be taken before another and committed after it: by so many seconds at most.
LATE = 10.0


@dataclass
class Moved:
    """Ids of what has moved, without a word of what it is. `all` stands for too many to name."""

    flows: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)
    connections: set[str] = field(default_factory=set)
    all: bool = False

    def __bool__(self) -> bool:
        return self.all or bool(self.flows or self.invoices or self.connections)

    def add(self, other: Moved) -> None:
        """Take in what else has moved; it stays small, however long nobody fetches it."""
        self.flows |= other.flows
        self.invoices |= other.invoices
        self.connections |= other.connections
        self.all = self.all or other.all
        if len(self.flows) + len(self.invoices) + len(self.connections) > MOST_IDS:
            self.all = True
        if self.all:
            self.flows, self.invoices, self.connections = set(), set(), set()

    def to_json(self) -> dict[str, object]:
        if self.all:
            return {"all": True}
        named = {
            "flow": self.flows,
            "invoice": self.invoices,
            "connection": self.connections,
        }
        return {name: sorted(ids) for name, ids in named.items() if ids}


@dataclass(frozen=True)
class Thing:
    """One id that has moved, and whose it is: who may not see the company hears nothing of it."""

    tenant: int
    connection: UUID
    flow: str = ""
    invoice: str = ""


class Cursor:
    """How far a table that is only added to has been read."""

    def __init__(self, start: int) -> None:
        self._floor = start
        self._seen: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), start)])

    @property
    def floor(self) -> int:
        """Up to here nothing can come any more."""
        return self._floor

    def fresh(self, ids: Iterable[int], *, newest: int = 0, full: bool = False) -> set[int]:
        """Those of the ids that were not read before. `newest` is the table's last row as it was
        before they were read, whoever's that is. With `full`, more of them wait behind.
        """
        now, found = time.monotonic(), set(ids)
        new = found - self._seen
        self._seen |= new
        last = max(found, default=self._floor)
        self._marks.append((now, last if full else max(last, newest)))
        while len(self._marks) > 1 and self._marks[1][0] <= now - LATE:
            self._marks.popleft()
        if self._marks[0][0] <= now - LATE:
            self._floor = max(self._floor, self._marks[0][1])
        if full:
            self._floor = last
        self._seen = {each for each in self._seen if each > self._floor}
        return new


class Watch:
    """What one process has seen, for all workspaces that somebody of it looks at."""

    def __init__(self) -> None:
        self._attempts = Cursor(_newest(Attempt))
        self._events = Cursor(_newest(Event))
        self._under_way: dict[int, dict[int, int]] = {}

    def look(self, tenants: Collection[int]) -> list[Thing]:
        """What has moved in these workspaces since the last look; few queries whatever it is."""
        flow_keys = self._called(tenants) | self._went_on(tenants)
        subjects = self._acted(tenants)
        flow_ids = _ids(subjects, "flow")
        flows = Flow.objects.filter(Q(pk__in=flow_keys) | Q(public_id__in=flow_ids))
        things = []
        if flow_keys or flow_ids:
            columns = ("tenant_id", "connection_id", "public_id", "resource_key")
            for tenant, connection, flow, about in flows.order_by().values_list(*columns):
                kind, _colon, key = about.partition(":")
                invoice = key if kind == "invoice" else ""
                things.append(Thing(tenant, connection, flow=str(flow), invoice=invoice))
        if connection_ids := _ids(subjects, "connection"):
            rows = Connection.objects.filter(pk__in=connection_ids).order_by()
            things += [Thing(*each) for each in rows.values_list("tenant", "pk")]
        if invoice_ids := _ids(subjects, "invoice"):
            invoices = Invoice.objects.filter(pk__in=invoice_ids).order_by()
            for tenant, connection, invoice in invoices.values_list("tenant", "connection", "pk"):
                things.append(Thing(tenant, connection, invoice=str(invoice)))
        return things

    def _called(self, tenants: Collection[int]) -> set[int]:
        """Flows of which a call has ended."""
        newest = _newest(Attempt)
        rows = Attempt.objects.filter(
            pk__gt=self._attempts.floor, step__flow__tenant__in=tenants
        ).order_by("pk")
        found = dict(rows.values_list("pk", "step__flow")[:MOST_ROWS])
        new = self._attempts.fresh(found, newest=newest, full=len(found) == MOST_ROWS)
        return {found[each] for each in new}

    def _acted(self, tenants: Collection[int]) -> set[str]:
        """What somebody has acted upon, or the app by itself."""
        newest = _newest(Event)
        rows = Event.objects.filter(pk__gt=self._events.floor, tenant__in=tenants).order_by("pk")
        found = dict(rows.values_list("pk", "subject")[:MOST_ROWS])
        new = self._events.fresh(found, newest=newest, full=len(found) == MOST_ROWS)
        return {found[each] for each in new}

    def _went_on(self, tenants: Collection[int]) -> set[int]:
        """Flows that have begun, gone on to another step, or come to rest."""
        running = Flow.objects.filter(tenant__in=tenants, state=FlowState.RUNNING).order_by()
        now: dict[int, dict[int, int]] = {tenant: {} for tenant in tenants}
        for tenant, key, cursor in running.values_list("tenant", "pk", "cursor"):
            now[tenant][key] = cursor
        moved: set[int] = set()
        for tenant, flows in now.items():
            before = self._under_way.get(tenant, flows)
            moved |= {key for key, _at in before.items() ^ flows.items()}
        self._under_way = now
        return moved


def _newest(model: type[Attempt | Event]) -> int:
    return model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0  # noqa: SLF001  Django documents it


def _ids(subjects: Iterable[str], kind: str) -> set[UUID]:
    """The ids of the subjects (`kind:id`) of a kind; what is none is left out."""
    found = set()
    for subject in subjects:
        of, _colon, key = subject.partition(":")
        if of == kind:
            try:
                found.add(UUID(key))
            except ValueError:
                continue
    return found
