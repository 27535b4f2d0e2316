"""One cell of the fault matrix: an operation about to be carried out, and a fault that strikes it.

A `Scene` is the operation's company, books and rows at the moment before its step is claimed. A
`Cell` begins there, as often as wanted: it is struck, workers come and go until the flow rests,
and what Bokio saw, what the rows hold and what the audit trail says is compared with what the
strike's story and the quiet run call for.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import OperationalError

from bokio_app.audit.models import Event
from bokio_app.connections.models import ConnectAttempt
from bokio_app.connections.services import finish_connect, start_connect
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.rows import Pace
from bokio_app.flows.models import Flow, FlowState, HeldFile, Step
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments.models import Payment, Settlement
from bokio_app.sandbox import lines
from tests.flows.cases import Case, World
from tests.simulation.plain_store import PlainStore
from tests.support import make

from .harness import EVERY_SCOPE, MOVING, Harness, one_flow
from .machine import FIRST_LINE
from .points import Ordered, Points
from .snapshots import Snapshot

MOST_TURNS = 40
FIRST_MADE = 1000  # number of the first row that a case makes, always the same
ONE_STEP = timedelta(milliseconds=1)  # a turn this long does one thing, for each call takes longer
OTHER_DICE = 1  # than those that made the scene, whose ids are taken
GIVEN_UP = 75.0  # seconds after which nobody waits for a worker any more; longer than any lease
MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\"']*"), "<moment>"),
    (re.compile(r"ref [A-Z0-9]{8}"), "<ref>"),
    (re.compile(r"\b17000000000\d{5}\b"), "<line>"),
)


@dataclass(frozen=True)
class Seen:
    """One call as Bokio recorded it; `at` in seconds since the cell began."""

    operation: str
    at: float
    status: int | None = None


@dataclass(frozen=True)
class Scene:
    """Where the cells of a case begin, and what a run without any fault leaves behind."""

    case: Case
    snapshot: Snapshot
    time: float
    flow: int
    made: dict[str, Any]
    earlier: tuple[str, ...]
    quiet: tuple[str, ...]
    books: str
    rows: str


class Stage:
    """Builds a scene for each case, once, and begins cells in it.

    Beside PostgreSQL the count of calls is Redis's business and takes no commits there, so it is
    kept in memory; the tables that count without Redis are in the cells on SQLite.
    """

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self._limits = None if settings.EMBEDDED else PlainStore(harness.kernel)
        self._scenes: dict[str, Scene] = {}

    def scene(self, case: Case) -> Scene:
        """The scene of this case; built when it is first asked for."""
        if case.op not in self._scenes:
            self._scenes[case.op] = self._build(case)
        return self._scenes[case.op]

    @contextmanager
    def cell(self, case: Case) -> Iterator[Cell]:
        """A cell at the moment before the step is claimed."""
        scene = self.scene(case)
        begin = (scene.snapshot, scene.time)
        with self._limiter(), self.harness.fresh(seed=OTHER_DICE, begin=begin):
            lines._ids = itertools.count(FIRST_LINE + 1000)  # those before are in the scene
            yield self._cell(case, scene)

    @contextmanager
    def beginning(self, case: Case) -> Iterator[Cell]:
        """A cell in which not even the flow exists yet."""
        scene = self.scene(case)
        with self._limiter(), self.harness.fresh():
            make._numbers = itertools.count(FIRST_MADE)
            yield self._cell(case, scene, begun=False)

    def lose_count(self) -> None:
        """All that is known of calls is gone."""
        if self._limits:
            self._limits.forget()
        Pace.objects.all().delete()

    @contextmanager
    def _limiter(self) -> Iterator[None]:
        if self._limits is None:
            yield
            return
        self._limits.forget()
        with patch.object(limiter, "_store", lambda: self._limits):
            yield

    def _build(self, case: Case) -> Scene:
        harness = self.harness
        with self._limiter(), harness.fresh():
            world = self._world()
            make._numbers = itertools.count(FIRST_MADE)
            flow = case.begin(world)
            world.sandbox.clear_calls()
            self._reach(case, flow)
            earlier = tuple(each.operation for each in seen(world))
            harness.kernel.sleep(5)  # longer than the network keeps a connection
            snapshot, time, made = Snapshot.take(), harness.kernel.time, dict(world.made)
            unknown = Scene(case, snapshot, time, flow.pk, made, earlier, (), "", "")
            cell = self._cell(case, unknown)
            cell.drive()
            assert cell.flow.state == FlowState.DONE, cell.told()
            quiet = tuple(each.operation for each in cell.calls())
            return Scene(
                case, snapshot, time, flow.pk, made, earlier, quiet, cell.books(), cell.rows()
            )

    def _reach(self, case: Case, flow: Flow) -> None:
        """Carry out what comes before the case's step, one step in each turn."""
        step = flow.steps.get(op=case.op)

        def one_step() -> None:
            claimed = claim(flow.connection_id)
            assert claimed
            engine.run(claimed, until=clock.now() + ONE_STEP)

        for _turn in range(MOST_TURNS):
            flow.refresh_from_db()
            if flow.cursor == step.pos:
                return
            self.harness.kernel.join(self.harness.worker("earlier", one_step))
        raise AssertionError((flow.state, flow.wait_reason, flow.cursor))

    def _world(self) -> World:
        [connection] = self.harness.connections
        return World(self.harness.sandbox, connection, self.harness.person)  # type: ignore[arg-type]

    def _cell(self, case: Case, scene: Scene, *, begun: bool = True) -> Cell:
        world = self._world()
        world.sandbox.clear_calls()
        if not begun:
            return Cell(self.harness, case, scene, world)
        world.made = dict(scene.made)
        return Cell(self.harness, case, scene, world, Flow.objects.get(pk=scene.flow))


@dataclass
class Cell:
    """One run from a scene. `orders` are the faults that must strike; `said` the reasons for which
    the flow waited; `ours` the seconds and the calls of people, which are not the flow's.
    """

    harness: Harness
    case: Case
    scene: Scene
    world: World
    _flow: Flow | None = None
    orders: list[Ordered | str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    consented: int = 0
    meddled: bool = False
    _hidden: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.harness.kernel.time

    # Where it stands

    @property
    def flow(self) -> Flow:
        assert self._flow
        return self._flow

    @property
    def step(self) -> Step:
        return self.flow.steps.get(op=self.case.op)

    @property
    def points(self) -> Points:
        return self.harness.points

    def calls(self) -> list[Seen]:
        """What Bokio was asked since the cell began, by the flow."""
        every = seen(self.world)
        hidden = {place for start, end in self._hidden for place in range(start, end)}
        return [each for place, each in enumerate(every) if place not in hidden]

    def books(self) -> str:
        """What Bokio's books hold, without what differs from run to run."""
        return _masked(json.dumps(self.world.books, default=str, sort_keys=True, indent=1))

    def rows(self) -> str:
        """What our own rows hold, likewise; how it came about is not in it."""
        company = {"connection": self.world.connection}
        of_invoice = {"invoice__connection": self.world.connection}
        found = {
            "customers": _rows(Customer.objects.filter(**company)),
            "invoices": _rows(Invoice.objects.filter(**company)),
            "payments": _rows(Payment.objects.filter(**of_invoice)),
            "settlements": _rows(Settlement.objects.filter(**of_invoice)),
            "files": HeldFile.objects.count(),
            "flow": _row(
                Flow.objects.get(pk=self.flow.pk), but={"fence", "failures", "lease_owner"}
            ),
            "steps": [
                {"op": step.op, "state": step.state, "bound": step.bindings.count()}
                | {"result": step.result, "error": step.error_code, "skip": step.skip_reason}
                for step in self.flow.steps.order_by("pos")
            ],
        }
        return _masked(json.dumps(found, default=str, sort_keys=True, indent=1))

    def lines(self) -> list[str]:
        """The step's lines of the attempt log."""
        return [each.outcome for each in self.step.attempts.order_by("pk")]

    def audited(self) -> list[str]:
        """What the audit trail says of the flow."""
        subject = f"flow:{self.flow.public_id}"
        return list(
            Event.objects.filter(subject=subject).order_by("pk").values_list("action", flat=True)
        )

    def told(self) -> str:
        """The run in short, for a failure."""
        calls = "\n  ".join(
            f"{each.at:9.2f} {each.operation} {each.status}" for each in self.calls()
        )
        flow, step = self.flow, self.step
        return (
            f"{self.case.op}: {flow.state} {flow.stuck_code} {flow.wait_reason} "
            f"cursor {flow.cursor}, step {step.state} {step.error_code} attempt {step.attempt}\n"
            f"lines {self.lines()}\nsaid {sorted(self.said)}\n  {calls}"
        )

    # What happens

    def drive(self) -> None:
        """Workers come, one after the other, until the flow moves no more. One that hangs for
        longer than any lease is not waited for; where consent is missing, a person gives it.
        """
        for _turn in range(MOST_TURNS):
            self.one_worker()
            if self.flow.state == FlowState.PARKED:
                self.consent()
            elif self.flow.state not in MOVING:
                return
            else:
                self.harness.pass_until_due(self.flow)
        raise AssertionError(self.told())

    def one_worker(self) -> None:
        """A worker takes the flow once, until it is through, dead, or given up for dead."""
        kernel = self.harness.kernel
        task = self.harness.worker("worker", lambda: one_flow(self.world.connection))
        kernel.wait(kernel._end_of(task), GIVEN_UP)
        if task.error and not isinstance(task.error, OperationalError):
            raise task.error
        self.flow.refresh_from_db()
        if self.flow.wait_reason:
            self.said.add(self.flow.wait_reason)

    def consent(self) -> None:
        """After a minute a person connects the company again."""
        self.harness.kernel.sleep(60)
        with self.unseen():
            world = self.world
            tenant = world.connection.tenant
            address = start_connect(
                tenant, by=world.person, browser="b", connection=world.connection
            )
            # Some cases use permissions that the product does not ask for yet.
            ConnectAttempt.objects.update(scopes=list(EVERY_SCOPE))
            state = parse_qs(urlsplit(address).query)["state"][0]
            code = world.sandbox.authorize_directly(str(world.connection.company_id), EVERY_SCOPE)
            finish_connect(by=world.person, browser="b", state=state, code=code, error="")
        self.consented += 1
        self.flow.refresh_from_db()

    def meddle(self, act: Callable[[World], object]) -> None:
        """Somebody does something in Bokio."""
        self.meddled = True
        with self.unseen():
            act(self.world)

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Leave out of the story what is called in the block."""
        start = len(seen(self.world))
        yield
        self._hidden.append((start, len(seen(self.world))))

    def begin(self) -> None:
        """Have the flow started, with whatever must exist at Bokio before."""
        self._flow = self.case.begin(self.world)
        self.world.sandbox.clear_calls()
        self.began = self.harness.kernel.time

    def strikes(self, fault: Ordered | str) -> None:
        """Note an ordered fault, which must have struck in the end."""
        self.orders.append(fault)

    def struck(self) -> list[int]:
        """How often each ordered fault has struck."""
        sandbox = self.world.sandbox
        return [
            sandbox.fault(each)["hits"] if isinstance(each, str) else each.hits
            for each in self.orders
        ]


def seen(world: World) -> list[Seen]:
    """All calls that the sandbox has recorded, in the order of their arrival."""
    recorded = world.sandbox.calls()["calls"]
    return [Seen(each["operation"], float(each["began"]), each["status"]) for each in recorded]


def _rows(rows: Any) -> list[dict[str, Any]]:
    return [_row(each) for each in rows.order_by("pk")]


def _row(row: Any, but: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    """A row's values but for its keys and moments."""
    return {
        each.attname: getattr(row, each.attname)
        for each in row._meta.concrete_fields
        if not (each.primary_key or each.name in but)
        and each.get_internal_type() != "DateTimeField"
    }


def _masked(text: str) -> str:
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return text
