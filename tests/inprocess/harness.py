"""The real engine against the real rules of the sandbox, in one process and on one clock.

What is real: the product's code from the services down to the bytes of HTTP, its database, and
the sandbox's code from the bytes up to its books. What is not: time, chance, sockets and processes.

    def test_…(harness, world):                    # fixtures of tests/inprocess/conftest.py
        flow = case.begin(world)
        harness.sandbox.add_fault(case.call, "lose_answer")      # any fault but `hold_*`
        harness.points.kill("after_intent", op=case.op)          # the places are in `points.POINTS`
        harness.drive(flow)                        # workers come and go until the flow rests
        assert flow.state == "done"

- `harness.kernel.time` is the clock, in seconds; `kernel.sleep(95)` lets time pass, at no cost.
  Nothing in the product waits for real. `TIME_FACTOR` is 1, so the times are those of the design.
- A worker is a task of its own (`turn`, `worker`): killed, it stops where it is and never runs
  another line, no `finally` either; frozen, it sleeps there; with a `skew`, its clock is wrong.
- `points`: `kill`, `freeze`, `fail_commit`, `lose_commit`, or `at(place, any callable)`; with `op`
  only while that operation's step is sent. A callable may raise what a socket raises, such as
  `httpcore2.ConnectError` at `connect` or `httpcore2.WriteError` at `body`. `hits` counts.
- `network.refuse_for(seconds)` refuses connections. An answer after our deadline is the sandbox's
  `delay` (commits late) or `delay_after` (commits, answers late) with `seconds`.
- `sandbox` has the interface of `tests.support.sandbox.SandboxProcess`: books, faults, calls.
- `bells` are the messages to workers: `lose`, `double`, `deliver`, `broken`.
- Each test begins where the company is connected and read (`Snapshot`), within milliseconds.

Run with `TEST_INPROCESS=1 pytest tests/inprocess`; with `TEST_EMBEDDED=1` on SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from django.core.management import call_command
from django.db import connections

from bokio_app.connections.models import Connection
from bokio_app.connections.services import SCOPES
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox_client import ALL_SCOPES

from .bells import Bells
from .kernel import BEGIN, Kernel, Task
from .machine import Machine
from .network import Network
from .points import Points
from .sandbox import InProcessSandbox
from .snapshots import Snapshot

ELEVATED = ("bank-payments:read-limited", "bank-payments:write")
EVERY_SCOPE = tuple(dict.fromkeys((*SCOPES, *ALL_SCOPES, *ELEVATED)))
MOVING = (FlowState.READY, FlowState.RUNNING)
MOST_TURNS = 60
A_MOMENT = timedelta(milliseconds=10)


@dataclass(frozen=True)
class Connected:
    """Where every run begins: companies that are connected and read, and the person who did it."""

    snapshot: Snapshot
    time: float
    person: int
    connections: tuple[str, ...]


class Harness:
    """See the head of this module. Made once, begun anew for each run by `fresh`."""

    def __init__(self, *, companies: int = 1, scopes: Sequence[str] = EVERY_SCOPE) -> None:
        self.machine = Machine()
        self.sandbox = InProcessSandbox(self.machine)
        self.points = Points(self.kernel)
        self.network.seen = self.points.moment
        self.bells = Bells(self.kernel)
        for alias in connections:  # an earlier harness of this process may have begun from here
            call_command("flush", database=alias, interactive=False, verbosity=0)
        with self.machine.running():
            self.machine.restart(seed="connecting")
            self._connected = self._connect(companies, scopes)

    @property
    def kernel(self) -> Kernel:
        return self.machine.kernel

    @property
    def network(self) -> Network:
        return self.machine.network

    @property
    def person(self) -> User:
        return User.objects.get(pk=self._connected.person)

    @property
    def connections(self) -> list[Connection]:
        """The connected companies, in the order of the sandbox's."""
        return [Connection.objects.get(pk=pk) for pk in self._connected.connections]

    @contextmanager
    def fresh(
        self, *, seed: int | str = 0, begin: tuple[Snapshot, float] | None = None
    ) -> Iterator[Harness]:
        """Begin a run: books and rows as after connecting, or as in a snapshot that was taken at a
        time; nothing ordered, dice from the seed.
        """
        snapshot, time = begin or (self._connected.snapshot, self._connected.time)
        self.points.ordered.clear()
        self.points.listeners.clear()
        with self.machine.running():
            self.machine.restart(now=time, seed=seed)
            snapshot.restore()
            with self.bells.heard(), self.points.watching():
                yield self

    def keep(self) -> None:
        """Let every later run begin where this one is now."""
        self.kernel.sleep(70)  # so that no call from before is counted against the limit
        self._connected = replace(
            self._connected,
            snapshot=Snapshot.take(),
            time=round(self.kernel.time - BEGIN) + BEGIN,
        )

    def worker(
        self, name: str, work: Callable[[], object], *, skew: timedelta | None = None
    ) -> Task:
        """A worker that does this and ends. Its clock may be wrong by `skew`."""
        task = self.kernel.spawn(name, work)
        task.skew = skew or timedelta(0)
        return task

    def turn(self, connection: Connection, *, skew: timedelta | None = None) -> Task:
        """Let one worker take one due flow of the company, and wait until it is through with it."""
        task = self.worker("worker", lambda: one_flow(connection), skew=skew)
        self.kernel.join(task)
        return task

    def drive(self, flow: Flow, *, most_turns: int = MOST_TURNS) -> Flow:
        """Be workers, one after the other, until the flow moves no more; the clock goes to
        whatever it waits for. A worker that is killed is followed by another.
        """
        for _turn in range(most_turns):
            self.turn(flow.connection)
            flow.refresh_from_db()
            if flow.state not in MOVING:
                return flow
            self.pass_until_due(flow)
        raise AssertionError((flow.state, flow.wait_reason, flow.cursor))

    def pass_until_due(self, flow: Flow) -> None:
        """Let the time pass until a worker could take the flow."""
        running = flow.state == FlowState.RUNNING
        moments = [flow.lease_until if running else flow.not_before]
        moments.append(Connection.objects.get(pk=flow.connection_id).blocked_until)
        due = max(filter(None, moments), default=clock.now())
        self.kernel.sleep(max(due - clock.now() + A_MOMENT, A_MOMENT).total_seconds())

    def _connect(self, companies: int, scopes: Sequence[str]) -> Connected:
        self.sandbox.plant(companies=companies)
        person = make.member()
        found = [
            bokio.connect(self.sandbox, by=person, company=place, scopes=scopes)
            for place in range(companies)
        ]
        self.kernel.sleep(70)  # so that no call from before is counted against the limit
        self.sandbox.clear_calls()
        time = round(self.kernel.time - BEGIN) + BEGIN
        ids = tuple(str(each.pk) for each in found)
        return Connected(Snapshot.take(), time, person.pk, ids)


def one_flow(connection: Connection) -> None:
    """What a worker does with one bell: take a due flow and go on with it for a minute."""
    if flow := claim(connection.pk):
        engine.run(flow, until=clock.now() + timedelta(seconds=60))
