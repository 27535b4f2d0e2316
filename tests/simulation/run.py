"""One run of the simulation: everything in it follows from its seed."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.conf import settings
from django.db import DatabaseError, connections

from bokio_app.connections.models import Connection, State
from bokio_app.connections.services import (
    SCOPES,
    BokioUnreachable,
    finish_connect,
    start_connect,
)
from bokio_app.flows import daily, tasks
from bokio_app.flows import services as flows
from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.rows import Pace
from bokio_app.flows.models import Flow, FlowState
from bokio_app.mirror import planner
from tests.inprocess.bells import Bell
from tests.inprocess.harness import Harness
from tests.inprocess.kernel import Task
from tests.inprocess.points import Place
from tests.simulation import rules
from tests.simulation.plain_store import PlainStore
from tests.simulation.stock import Stocked
from tests.simulation.weather import Weather
from tests.simulation.wishes import Wish, draw
from tests.simulation.witness import Witness

PLENTY = 200  # calls a minute: more than any run makes
AN_HOUR = timedelta(hours=1)
LONGEST = 1800.0  # seconds of virtual time in which all must have come to rest
MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)


@dataclass(frozen=True)
class Outcome:
    """What came of a seed. `problems` is empty when every rule was kept."""

    seed: int
    problems: list[str]
    story: list[str]
    digest: str
    seconds: float
    calls: int
    ends: dict[str, int]


@dataclass
class Run:
    """The people, the workers and the sweeper of one seed."""

    harness: Harness
    stocked: Stocked
    seed: int
    mail: list[tuple[float, Bell]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    over: bool = False
    made: int = 0

    def __post_init__(self) -> None:
        self.kernel = self.harness.kernel
        self.lots = random.Random(self.seed)
        self.began = self.kernel.time
        self.posted = self.kernel.event()
        self.person = self.harness.person
        self.companies = self.harness.connections

    def outcome(self) -> Outcome:
        """Play it to its end, and hold it to the rules."""
        self.witness = witness = Witness(self.harness)
        with ExitStack() as undo:
            limit = self.lots.choice((PLENTY, PLENTY, PLENTY, 25, 12))
            undo.callback(setattr, settings, "BOKIO_RATE_LIMIT", settings.BOKIO_RATE_LIMIT)
            settings.BOKIO_RATE_LIMIT = limit
            if limit == PLENTY:
                store = PlainStore(self.kernel)
                undo.enter_context(patch.object(limiter, "_store", lambda: store))
            self._switch(limit)
            undo.enter_context(witness.watching())
            stocks = self.stocked.companies[: self.lots.randint(1, len(self.stocked.companies))]
            self.companies = self.companies[: len(stocks)]
            if self.lots.random() < 0.8:
                daily._next_look = math.inf  # nobody counts what was made: a fifth of the runs do
            planner._next_look = math.inf  # no company's books are copied here
            wishes = draw(self.lots, stocks)
            weather = Weather.draw(self.harness, self.lots, self.tell)
            self._begin(wishes, weather, stocks)
            rest = self._play(wishes)
            problems = [*witness.problems, *self._failures(), *rules.broken(self, witness, wishes)]
            if not rest:
                problems.append(f"not at rest after {LONGEST:.0f} s: {self._moving()}")
            return Outcome(
                seed=self.seed,
                problems=problems,
                story=[
                    *(f"wish: {wish.name} (company {wish.company})" for wish in wishes),
                    *self.story,
                ],
                digest=hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16],
                seconds=self.kernel.time - self.began,
                calls=witness.calls,
                ends=dict(Counter(Flow.objects.values_list("state", flat=True))),
            )

    def tell(self, what: str) -> None:
        """Keep what happened, for whoever reads the story of a seed."""
        self.story.append(f"{self.kernel.time - self.began:9.3f} {what}")

    # What is set up

    def _switch(self, limit: int) -> None:
        lots = self.lots
        self.harness.sandbox.set_switches(
            rate_limit=limit,
            metadata_lag_seconds=lots.choice((0.0, 0.0, 0.0, 50.0)),
            refresh_accepts_previous_once=lots.random() < 0.5,
            concurrent_write_status=lots.choice((429, 429, 409)),
        )
        slow = lots.choice((0.01, 0.05, 0.3))
        self.harness.network.latency = lambda: lots.uniform(0.1, 1) * slow

    def _begin(self, wishes: list[Wish], weather: Weather, stocks: list[object]) -> None:
        self.harness.points.listeners.append(weather.pass_by)
        self.harness.points.listeners.append(self._note)
        self.harness.bells.sent = lambda bell: self._post(bell, weather)
        for _worker in range(self.lots.randint(1, 4)):
            self._hire()
        if self.lots.random() < 0.15:
            self._hire(skew=self.lots.choice((AN_HOUR, -AN_HOUR)))
        self.harness.worker("sweeper", self._sweep)
        for wish in wishes:
            for click in range(wish.clicks):
                at = wish.at + click * self.lots.choice((0, 0, 5))
                self.harness.worker(f"person {wish.name}", self._clicking(wish, at))
        for deed in self._deeds(wishes, weather):
            self.harness.worker("deed", deed)

    def _deeds(self, wishes: list[Wish], weather: Weather) -> list[Callable[[], None]]:
        """What else goes on: cancels, flushed limiters, expired tokens, clocks that are set."""
        lots, found = self.lots, []

        def later(what: str, act: Callable[[], object], share: float) -> None:
            if lots.random() < share:
                at = lots.uniform(1, 150)
                found.append(lambda: self._at(at, what, act))

        company = lots.choice(wishes).company
        connection = self.companies[company]
        later("the limiter is flushed", self._flush, 0.1)
        later(
            "tokens expire",
            lambda: self.harness.sandbox.expire_tokens(str(connection.company_id)),
            0.15,
        )
        later(
            "tokens expire, and the answer to the refresh is lost",
            lambda: self._lose_refresh(str(connection.company_id)),
            0.1,
        )
        later("a flow is cancelled", lambda: self._cancel(lots.choice(wishes)), 0.12)
        later("a person publishes or records", lambda: self._meddle(connection), 0.15)
        later("Bokio refuses connections", lambda: self.harness.network.refuse_for(20), 0.1)
        return found

    def _flush(self) -> None:
        """The store of the limiter is lost."""
        Pace.objects.all().delete()
        self.witness.lose_count(str(each.company_id) for each in self.companies)

    def _lose_refresh(self, company: str) -> None:
        kind = self.lots.choice(("lose_answer", "lose_answer", "lose_refresh"))
        self.harness.sandbox.add_fault("request-token", kind, times=self.lots.choice((1, 1, 2)))
        self.harness.sandbox.expire_tokens(company)

    # Workers

    def _hire(self, *, skew: timedelta | None = None) -> None:
        self.made += 1
        if skew:
            self.tell(f"the clock of worker {self.made} is wrong by {skew}")
        task = self.harness.worker(f"worker {self.made}", self._work, skew=skew)
        task.facts["worker"] = True
        self.harness.worker(f"after {task.name}", lambda: self._replace(task))

    def _replace(self, task: Task) -> None:
        self.kernel.join(task)
        if task.killed and not self.over:
            self.kernel.sleep(self.lots.uniform(0.5, 20))
            self._hire()

    def _work(self) -> None:
        while bell := self._next_bell():
            try:
                bell.answer()
            except DatabaseError as error:
                self.tell(f"{self.kernel.current.name}: {error}")

    def _next_bell(self) -> Bell | None:
        while not self.over:
            due = [each for each in self.mail if each[0] <= self.kernel.time]
            if due:
                self.mail.remove(due[0])
                return due[0][1]
            soonest = min((at for at, _bell in self.mail), default=None)
            self.kernel.wait(self.posted, soonest and soonest - self.kernel.time)
        return None

    def _post(self, bell: Bell, weather: Weather) -> None:
        lots, times = self.lots, 1
        if not weather.over and lots.random() < weather.bells:
            times = lots.choice((0, 0, 2, 5))
        for _copy in range(times):
            late = lots.choice((0.0, 0.0, lots.uniform(0, 4)))
            self.mail.append((self.kernel.time + late, bell))
        self.posted.set()

    def _sweep(self) -> None:
        while not self.over:
            tasks.sweep()
            self.kernel.sleep(max(self._until_due(), 2.0))

    def _until_due(self) -> float:
        """Seconds to the next moment at which a sweep can find anything."""
        row = connections["default"].connection.execute(
            "SELECT min(CASE WHEN state = 'ready' THEN not_before ELSE lease_until END)"
            " FROM flows_flow WHERE state IN ('ready', 'running')"
        )
        moment = row.fetchone()[0]
        if moment is None:
            return 2.0
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        due = (at - self.kernel.true_time()).total_seconds()
        return min(due, 30.0)

    # People

    def _clicking(self, wish: Wish, at: float) -> Callable[[], None]:
        def click() -> None:
            self.kernel.sleep(at)
            wish.flow = wish.click(self.person)
            self.tell(f"clicked: {wish.name}")

        return click

    def _at(self, at: float, what: str, act: Callable[[], object]) -> None:
        self.kernel.sleep(at)
        self.tell(what)
        act()

    def _cancel(self, wish: Wish) -> None:
        if wish.flow:
            try:
                flows.cancel(wish.flow, by=self.person, reason="changed our mind")
            except flows.NotStuck:
                self.tell("too late to cancel")

    def _meddle(self, connection: Connection) -> None:
        """Publish or record a draft in Bokio, as if by hand."""
        company = str(connection.company_id)
        for invoice in self.harness.sandbox.books(company)["invoices"]:
            if invoice["status"] == "draft":
                self.harness.sandbox.act_on_invoice(company, invoice["id"], "publish")
            if not invoice["journalEntryRef"] and self.lots.random() < 0.5:
                self.harness.sandbox.act_on_invoice(company, invoice["id"], "record")

    def _consent_anew(self) -> None:
        for broken in Connection.objects.filter(state=State.BROKEN):
            self.tell("a person connects the company again")
            address = start_connect(broken.tenant, by=self.person, browser="one", connection=broken)
            state = address.split("state=")[1].split("&")[0]
            code = self.harness.sandbox.authorize_directly(str(broken.company_id), SCOPES)
            try:
                finish_connect(by=self.person, browser="one", state=state, code=code, error="")
            except BokioUnreachable:
                self.tell("Bokio does not answer; they try again later")

    # To the end

    def _play(self, wishes: list[Wish]) -> bool:
        """Let it run until nothing moves any more; False when it never comes to rest."""
        while self.kernel.time - self.began < LONGEST:
            self.kernel.sleep(20)
            if Connection.objects.filter(state=State.BROKEN).exists():
                self._consent_anew()
                continue
            asked = all(wish.flow for wish in wishes)
            if asked and not Flow.objects.filter(state__in=MOVING).exists():
                self.over = True
                self.posted.set()
                return True
        self.over = True
        return False

    def _moving(self) -> list[tuple[str, str, str]]:
        rows = Flow.objects.filter(state__in=MOVING)
        return list(rows.values_list("kind", "state", "wait_reason"))

    def _failures(self) -> list[str]:
        return [f"{task.name}: {task.error!r}" for task in self.kernel.tasks if task.error]

    def _note(self, place: Place) -> None:
        task = self.kernel.current
        self.trace.append(f"{self.kernel.time:.6f} {task.name} {place}")
