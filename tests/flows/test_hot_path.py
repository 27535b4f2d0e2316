"""What a step costs the database, and what must hold for each of its statements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connections, transaction
from django.db import connection as database

from bokio_app.audit.models import Event
from bokio_app.batches import orders
from bokio_app.batches import services as batches
from bokio_app.connections import grants, usage
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.flows import bundles, engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Attempt, Flow, FlowState, RemoteBinding, Step, StepState
from bokio_app.flows.operations import Done
from bokio_app.flows.rows import execute
from bokio_app.flows.turn import Fenced, Overtaken, Turn
from bokio_app.invoicing.models import Customer
from bokio_app.tenants.models import User
from tests.batches import lines
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

POSTGRES = database.vendor == "postgresql"
LIMITER = (
    "flows_rateslot",
    "flows_pace",
    "flows_pathlease",
    "flows_urgentasker",
    "flows_booking",
)
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


@dataclass
class Traffic:
    """Statements in their order, and those of each commit. The limiter's tables do not count."""

    statements: list[str] = field(default_factory=list)
    commits: list[list[str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def hear(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        is_ours = not any(table in sql for table in LIMITER)
        if sql.lstrip().split()[0] in {"BEGIN", "SAVEPOINT", "RELEASE"}:
            return result
        if is_ours:
            self.statements.append(" ".join(sql.split()))
        if is_ours and sql.lstrip().startswith(WRITES):
            self._open.append(self.statements[-1])
            if not context["connection"].in_atomic_block:
                self.committed()
        return result

    def committed(self) -> None:
        if self._open:
            self.commits.append(self._open)
            self._open = []


@contextmanager
def traffic() -> Iterator[Traffic]:
    """Listen to this thread's database."""
    heard, commit = Traffic(), database._commit

    def committing() -> None:
        commit()
        heard.committed()

    database._commit = committing
    try:
        with database.execute_wrapper(heard.hear):
            yield heard
    finally:
        del database._commit


def order_for_a_known_customer(connection: Connection, reference: str) -> None:
    known = {"id": Customer.objects.get().remote_id}
    line = json.dumps(lines.guide(connection, reference, customer=known)).encode()
    batches.accept(connection.tenant, orders.parse(line))


@pytest.fixture
def orders_before(connection: Connection) -> None:
    """A flow that ended, with the customer that it made, and a reading that waits."""
    line = json.dumps(lines.guide(connection, "A-1")).encode()
    batches.accept(connection.tenant, orders.parse(line))
    bokio.work(connection)


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No count of calls falls due meanwhile: it is written every ten seconds, also on a machine
    that takes ten seconds for one flow.
    """
    usage.write()
    monkeypatch.setattr(usage, "LONGEST", 3600.0)


@pytest.mark.usefixtures("orders_before", "uncounted")
def test_a_flow_of_seven_steps_costs_ten_commits(
    sandbox: SandboxProcess, connection: Connection, settings: Any
) -> None:
    settings.FLOW_SEND_GUARD, settings.FLOW_DEADLINE = 5, 30  # a busy machine costs no commit more
    sandbox.clear_calls()
    with traffic() as heard:
        order_for_a_known_customer(connection, "A-2")
        claimed = claim(connection.pk)
        assert claimed
        engine.run(claimed, until=clock.now() + timedelta(seconds=60))

    claimed.refresh_from_db()
    assert claimed.state == FlowState.DONE
    assert sum(sandbox.calls()["counts"].values()) == 7
    assert len(heard.commits) == 10, Counter(each[0][:60] for each in heard.commits)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not POSTGRES, reason="SQLite prepares for itself")
def test_what_runs_at_every_step_is_prepared_on_a_connection_that_nobody_has_watched() -> None:
    database.close()

    claim(uuid4())

    [[number]] = execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%open_lanes%"]
    )
    assert number == 1


@pytest.mark.skipif(not POSTGRES, reason="SQLite has no round trips")
@pytest.mark.usefixtures("orders_before", "uncounted")
def test_a_flow_of_seven_steps_asks_the_database_thirteen_times(connection: Connection) -> None:
    order_for_a_known_customer(connection, "A-2")
    order_for_a_known_customer(connection, "A-3")
    until = clock.now() + timedelta(seconds=60)
    first = claim(connection.pk)
    assert first
    engine.run(first, until=until)  # and ask for the reading that the second will find waiting

    with traffic() as heard:
        second = claim(connection.pk)
        assert second
        engine.run(second, until=until)

    kinds = [
        "WITH seen",
        "SELECT step",
        "WITH own",
        "SELECT customer",
        "batches_",
        '"flows_flow"."kind"',
    ]
    counts = {kind: sum(kind in each for each in heard.statements) for kind in kinds}
    assert counts == dict(zip(kinds, (1, 1, 8, 1, 1, 1), strict=True))
    assert len(heard.statements) == 13, heard.statements
    assert sum("audit_event" in each for each in heard.statements if "WITH own" in each) == 1


@pytest.mark.skipif(not POSTGRES, reason="SQLite has no statement for a whole step")
@pytest.mark.usefixtures("orders_before")
def test_no_values_of_a_flow_stand_in_the_text_of_its_statements(connection: Connection) -> None:
    until = clock.now() + timedelta(seconds=60)
    order_for_a_known_customer(connection, "A-2")
    first = claim(connection.pk)
    assert first
    engine.run(first, until=until)
    made = bundles._text.cache_info().misses

    order_for_a_known_customer(connection, "A-3")
    second = claim(connection.pk)
    assert second
    engine.run(second, until=until)

    assert made
    assert bundles._text.cache_info().misses == made


def begun(connection: Connection) -> Turn:
    ops = ["create_invoice", "publish_invoice", "record_invoice"]
    made = make.flow(connection, kind="of_a_test", ops=ops)
    made.steps.update(payload={"invoice": str(uuid4()), "version": 1, "cash": False})
    flow = claim(connection.pk)
    assert flow
    turn = Turn.begin(flow)
    turn.access = grants.access(flow.connection)
    return turn


def fence(turn: Turn) -> None:
    Flow.objects.filter(pk=turn.flow.pk).update(fence=turn.flow.fence + 1)


def end(turn: Turn) -> None:
    Flow.objects.filter(pk=turn.flow.pk).update(state=FlowState.STUCK)


def everything() -> list[Any]:
    tables = (Flow, Step, Attempt, RemoteBinding, Event)
    return [list(table.objects.order_by("pk").values()) for table in tables]


WRITTEN: dict[str, Callable[[Turn], object]] = {
    "save": lambda turn: turn.save(),
    "intend": lambda turn: turn.intend(turn.steps[1]),
    "extend": lambda turn: turn.extend(),
    "change": lambda turn: turn.change(
        turn.steps[1], log=turn.log_line(turn.steps[1], "absent"), absent_reads=1
    ),
    "skip": lambda turn: turn.skip(turn.steps[1], "known"),
    "put_back": lambda turn: turn.put_back(not_before=clock.now(), reason="turn"),
    "park": lambda turn: turn.park("consent"),
    "stick": lambda turn: turn.stick(turn.steps[1], code="x", message="y"),
    "finish": lambda turn: turn.finish(),
    "cancel": lambda turn: turn.cancel(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("passed_by", [fence, end])
@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_is_written_to_a_flow_that_is_no_longer_ours(
    name: str, passed_by: Callable[[Turn], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = begun(make.connection())
    monkeypatch.setattr(type(turn.operation(turn.steps[0])), "apply", lambda *_args: None)
    turn.intend(turn.steps[0])
    log = turn.log_line(turn.steps[0], Attempt.Outcome.SUCCESS)
    turn.learn(turn.steps[0], Done({"remote_id": "1"}, remote_id="1"), by="response", log=log)
    passed_by(turn)
    before = everything()

    with pytest.raises(Fenced):
        WRITTEN[name](turn)

    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", WRITTEN)
def test_each_write_takes_the_result_before_it_along(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = begun(make.connection())
    monkeypatch.setattr(type(turn.operation(turn.steps[0])), "apply", lambda *_args: None)
    turn.intend(turn.steps[0])
    log = turn.log_line(turn.steps[0], Attempt.Outcome.SUCCESS, seconds=0.25)
    turn.learn(turn.steps[0], Done({"total": "1.50"}, remote_id="r1"), by="response", log=log)

    WRITTEN[name](turn)

    made = Step.objects.get(pk=turn.steps[0].pk)
    assert (made.state, made.result, made.remote_id) == (StepState.DONE, {"total": "1.50"}, "r1")
    assert (made.resolved_by, made.done_at is not None) == ("response", True)
    assert made.bindings.get().remote_id == "r1"
    assert made.attempts.get().milliseconds == 250
    flow = Flow.objects.get(pk=turn.flow.pk)
    assert flow.cursor >= 1
    assert turn.unsaved is None


@pytest.mark.django_db
def test_who_asks_for_a_stop_during_a_call_is_heard_before_the_next_is_intended() -> None:
    turn = begun(make.connection())
    flows.cancel(Flow.objects.get(pk=turn.flow.pk), by=make.user())

    with pytest.raises(Overtaken):
        turn.intend(turn.steps[0])

    assert turn.cancel_requested()
    assert Step.objects.get(pk=turn.steps[0].pk).state == StepState.PENDING


@pytest.mark.django_db
def test_a_newer_pair_of_tokens_is_taken_before_the_next_call_is_intended() -> None:
    connection = make.connection()
    turn = begun(connection)
    connection.generation = 2
    connection.save()
    newer = make.grant(connection)

    with pytest.raises(Overtaken):
        turn.intend(turn.steps[0])

    assert Step.objects.get(pk=turn.steps[0].pk).state == StepState.PENDING
    turn.access = engine._access(turn)
    assert turn.access.token == newer.access_token
    turn.intend(turn.steps[0])


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.BROKEN, State.ENDED])
def test_a_flow_parks_before_its_next_call_when_its_connection_stops_working(state: str) -> None:
    connection = make.connection()
    turn = begun(connection)
    Connection.objects.filter(pk=connection.pk).update(state=state)

    with pytest.raises(Overtaken):
        turn.intend(turn.steps[0])
    with pytest.raises(engine.Yielded):
        engine._access(turn)

    flow = Flow.objects.get(pk=turn.flow.pk)
    assert (flow.state, flow.wait_reason) == (FlowState.PARKED, "consent")


@pytest.mark.skipif(not POSTGRES, reason="SQLite has one writer at a time anyway")
@pytest.mark.django_db(transaction=True)
def test_the_cap_holds_however_many_claim_at_the_same_instant(settings: Any) -> None:
    settings.FLOWS_PER_CONNECTION = 2
    company = make.connection()
    barrier = Barrier(6)

    def take(_number: int) -> Flow | None:
        try:
            database.ensure_connection()
            barrier.wait()
            return claim(company.pk)
        finally:
            connections.close_all()

    for _round in range(12):
        Flow.objects.filter(connection=company).update(state=FlowState.DONE)
        for _flow in range(6):
            make.flow(company, lane=5)
        with ThreadPoolExecutor(6) as workers:
            taken = [flow for flow in workers.map(take, range(6)) if flow]

        assert 1 <= len(taken) <= 2
        running = Flow.objects.filter(connection=company, state=FlowState.RUNNING)
        assert set(running) == set(taken)
        assert {flow.fence for flow in taken} == {1}


@pytest.mark.skipif(not POSTGRES, reason="SQLite always waits for the disk")
@pytest.mark.django_db
def test_the_engines_commits_wait_for_the_disk_whatever_the_server_says() -> None:
    company = make.connection()
    writes: dict[str, Callable[[], object]] = {
        "start": lambda: flows.start(
            "send_invoice", connection=company, steps=[], business_key="1", by=None
        ),
        "claim": lambda: claim(company.pk),
        "intent": lambda: begun(company).intend(Step.objects.order_by("-pk")[2]),
    }
    for name, act in writes.items():
        with database.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            act()
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",), name


class Lost:
    """The database does what it is told once more, and then the line to it is cut."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def hear(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("WITH own") and "'sent'" in sql:
            self._left -= 1
            if not self._left:
                raise OperationalError("the connection was lost")
        return result


@pytest.mark.skipif(not POSTGRES, reason="SQLite has no line that could be cut")
@pytest.mark.parametrize("nth", [2, 5])
def test_a_commit_whose_acknowledgement_is_lost_is_settled_by_reading(
    nth: int, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    line = json.dumps(lines.guide(connection, "A-1")).encode()
    batches.accept(connection.tenant, orders.parse(line))
    claimed = claim(connection.pk)
    assert claimed

    with database.execute_wrapper(Lost(nth).hear):
        engine.run(claimed, until=clock.now() + timedelta(seconds=60))
    assert Step.objects.filter(flow=claimed, state=StepState.SENT).count() <= 1
    bokio.work(connection)

    claimed.refresh_from_db()
    assert claimed.state == FlowState.DONE
    assert_guide_is_booked(sandbox, connection)


@pytest.mark.skipif(not POSTGRES, reason="SQLite has no line that could be cut")
@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_line_to_the_database_is_cut_gives_the_flow_back_on_another() -> None:
    turn = begun(make.connection())

    def cut(execute: Any, sql: str, *told: Any) -> Any:
        if "'sent'" in sql:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                [pid] = cursor.fetchone()
            with ThreadPoolExecutor(1) as other:
                other.submit(_cut, pid).result()
        return execute(sql, *told)

    with database.execute_wrapper(cut):
        engine.run(turn.flow, until=clock.now() + timedelta(seconds=60))

    flow = Flow.objects.get(pk=turn.flow.pk)
    assert flow.state == FlowState.READY
    assert not flow.steps.exclude(state=StepState.PENDING).exists()


def _cut(pid: int) -> None:
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        connections.close_all()
