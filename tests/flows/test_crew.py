"""A worker process's threads: fair among tenants and companies, and never asleep for a permit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import crew as crews
from bokio_app.flows import engine, tasks
from bokio_app.flows.crew import Crew, Look
from bokio_app.flows.engine import LONGEST_HELD, Rest
from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.asking import Reason, Wait
from bokio_app.flows.models import Flow, FlowState, Lane, StepState, WaitReason
from bokio_app.flows.queueing import FairQueue
from bokio_app.flows.times import scaled
from bokio_app.flows.turn import Turn
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.net import wait_until
from tests.support.sandbox import SandboxProcess

PATIENCE = 30.0


@pytest.fixture
def crew(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Two threads: one that does everything, one for clicks."""
    made = Crew(threads=2)
    monkeypatch.setattr(tasks.Ears, "crew", made)
    yield made
    made.stop(patience=PATIENCE)


class Work:
    """What stands in for the engine: notes whom it works for, and does what a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.served: list[UUID] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.rests: list[Rest] = []
        monkeypatch.setattr(crews.engine, "go_on", self._go_on)

    def _go_on(self, turn: Turn, *, until: datetime, stops: Any) -> Rest | None:
        self.served.append(turn.flow.connection_id)
        self.goes_on.wait(PATIENCE)
        if self.rests:
            rest = self.rests.pop()
            if not rest.is_held:
                turn.put_back(not_before=clock.now(), reason=rest.reason)
            return rest
        Flow.objects.filter(pk=turn.flow.pk).update(
            state=FlowState.DONE, holds_resource=False, finished_at=clock.now()
        )
        return None


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


def all_done() -> bool:
    return not Flow.objects.exclude(state=FlowState.DONE).exists()


def test_each_owner_has_its_turn_however_much_the_others_want() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.put(f"many{number}", of="large")
    queue.put("one", of="small")

    taken = [queue.take() for _ in range(4)]

    assert taken == ["many0", "one", "many1", "many2"]
    assert not queue
    with pytest.raises(KeyError):
        queue.take()


def test_a_tenant_with_many_companies_does_not_stand_before_one_with_a_single_company(
    crew: Crew, work: Work
) -> None:
    large = make.connection().tenant
    many = [make.connection(large) for _ in range(6)]
    single = make.connection()
    work.goes_on.clear()
    for connection in (*many, single):
        make.flow(connection, lane=Lane.BATCH)
        crew.wake(connection.pk, urgent=False)
        wait_until(lambda: len(work.served) == 1, what="the only thread is busy")

    work.goes_on.set()
    wait_until(all_done, what="everything is done")

    assert work.served.index(single.pk) <= 2
    assert work.served[0] == many[0].pk


def test_companies_take_turns_flow_by_flow(crew: Crew, work: Work, settings: Any) -> None:
    settings.FLOWS_PER_CONNECTION = 1
    tenant = make.connection().tenant
    first, second = make.connection(tenant), make.connection(tenant)
    work.goes_on.clear()
    for connection in (first, second):
        for _ in range(3):
            make.flow(connection, lane=Lane.BATCH)
        crew.wake(connection.pk, urgent=False)
        wait_until(lambda: len(work.served) == 1, what="the only thread is busy")

    work.goes_on.set()
    wait_until(all_done, what="everything is done")

    assert work.served.count(first.pk) == work.served.count(second.pk) == 3
    # The second look for the first company was queued before the second company's first.
    assert second.pk in work.served[1:3]
    assert work.served[-1] == second.pk


def test_a_click_is_served_while_batches_keep_every_other_thread(crew: Crew, work: Work) -> None:
    batch, clicked = make.connection(), make.connection()
    make.flow(batch, lane=Lane.BATCH)
    make.flow(clicked, lane=Lane.CLICK)
    work.goes_on.clear()
    crew.wake(batch.pk, urgent=False)
    wait_until(lambda: work.served == [batch.pk], what="the batch has begun")

    crew.wake(clicked.pk, urgent=True)

    wait_until(lambda: work.served == [batch.pk, clicked.pk], what="the click has begun")
    work.goes_on.set()


def test_a_message_delivered_ten_times_makes_one_look(
    crew: Crew, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, connection = make.connection(), make.connection()
    make.flow(busy, lane=Lane.BATCH)
    make.flow(connection, lane=Lane.BATCH)
    claims: list[UUID] = []
    claim = crews.claim
    monkeypatch.setattr(
        crews, "claim", lambda pk, urgent: claims.append(pk) or claim(pk, urgent=urgent)
    )
    work.goes_on.clear()
    crew.wake(busy.pk, urgent=False)
    wait_until(lambda: bool(work.served), what="the only thread is busy")

    for _ in range(10):
        tasks.work(str(connection.pk))
    work.goes_on.set()
    wait_until(all_done, what="everything is done")

    wait_until(lambda: claims.count(connection.pk) == 3, what="found one, then twice none")
    assert work.served == [busy.pk, connection.pk]


def test_a_flow_that_waits_a_moment_stays_claimed_while_its_thread_works_for_others(
    crew: Crew, work: Work, settings: Any
) -> None:
    waiting, other = make.connection(), make.connection()
    flow = make.flow(waiting, lane=Lane.BATCH)
    make.flow(other, lane=Lane.BATCH)
    work.rests = [Rest(0.5, WaitReason.RATE, is_held=True)]
    crew.wake(waiting.pk, urgent=False)
    wait_until(lambda: not work.rests, what="the flow waits")

    crew.wake(other.pk, urgent=False)
    wait_until(all_done, what="everything is done")

    flow.refresh_from_db()
    assert work.served == [waiting.pk, other.pk, waiting.pk]
    assert flow.fence == 1


def test_a_company_whose_flow_was_put_back_is_left_alone_until_then(crew: Crew, work: Work) -> None:
    connection = make.connection()
    for _ in range(20):
        make.flow(connection, lane=Lane.BATCH)
    work.rests = [Rest(0.5, WaitReason.RATE, is_held=False)]
    refused_at = clock.now()
    crew.wake(connection.pk, urgent=False)
    wait_until(lambda: not work.rests, what="the first was refused")

    for _ in range(10):
        crew.wake(connection.pk, urgent=False)
    wait_until(all_done, what="everything is done")

    ends = [flow.finished_at for flow in Flow.objects.all() if flow.finished_at]
    assert len(ends) == 20
    assert (min(ends) - refused_at).total_seconds() >= 0.5


def test_a_company_that_several_flows_were_refused_for_is_looked_at_after_the_longest_rest(
    crew: Crew, work: Work
) -> None:
    connection = make.connection()
    make.flow(connection, lane=Lane.BATCH)
    look = Look(connection.pk, connection.tenant_id, urgent=False)

    for seconds in (0.1, 0.3, 0.2):
        crew._rest(look, seconds)

    wait_until(all_done, what="it was looked at")


def test_a_process_that_ends_gives_its_flows_back_at_once(crew: Crew, work: Work) -> None:
    connection = make.connection()
    flow = make.flow(connection, lane=Lane.BATCH)
    work.rests = [Rest(60, WaitReason.RATE, is_held=True)]
    crew.wake(connection.pk, urgent=False)
    wait_until(lambda: not work.rests and len(crew._later) == 1, what="the flow is held")

    crew.stop(patience=PATIENCE)

    flow.refresh_from_db()
    assert (flow.state, flow.lease_until) == (FlowState.READY, None)


@pytest.mark.fault
def test_a_process_that_is_told_to_end_in_mid_call_keeps_the_answer_and_gives_its_flows_back(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    """What SIGTERM does, as `worker_shutdown` hears it."""
    settings.FLOW_TURN, settings.FLOW_DEADLINE, settings.FLOW_SEND_GUARD = 60, 30, 5
    settings.FLOWS_PER_CONNECTION = 2
    monkeypatch.setattr(crews, "may_execute", lambda: True)
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    held = sandbox.add_fault("post-invoice", "hold_after")
    crew = Crew(threads=2)
    monkeypatch.setattr(tasks.Ears, "crew", crew)
    crew.wake(connection.pk, urgent=True)
    sandbox.wait_held(held)

    def end() -> None:
        tasks.end_work()
        connections.close_all()

    ending = threading.Thread(target=end)
    ending.start()
    wait_until(crew._stopping.is_set, what="the process has been told to end")
    sandbox.release(held)
    ending.join(PATIENCE)

    flow.refresh_from_db()
    done = flow.steps.get(op="create_invoice")
    [made] = sandbox.books(str(connection.company_id))["invoices"]
    assert not ending.is_alive()
    assert (flow.state, flow.lease_until, flow.cursor) == (FlowState.READY, None, done.pos + 1)
    assert (done.state, done.remote_id, done.attempt) == (StepState.DONE, made["id"], 1)
    assert set(flow.steps.filter(pos__gt=done.pos).values_list("attempt", flat=True)) == {0}

    bokio.work(connection)
    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    assert sandbox.count("post-invoice") == 1
    assert set(flow.steps.values_list("attempt", "state")) == {(1, StepState.DONE)}


def test_a_held_flow_reads_and_writes_nothing_twice(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.FLOW_TURN, settings.FLOW_DEADLINE, settings.FLOW_SEND_GUARD = 60, 30, 5
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    ask, refusals = limiter.ask, 0

    def every_other(*args: Any) -> Any:
        nonlocal refusals
        refusals += 1
        return Wait(0.01, Reason.RATE) if refusals % 2 else ask(*args)

    monkeypatch.setattr(limiter, "ask", every_other)
    crew = Crew(threads=2)
    try:
        crew.wake(connection.pk, urgent=True)
        wait_until(
            lambda: Flow.objects.get(pk=flow.pk).state == FlowState.DONE, what="the flow is done"
        )
    finally:
        crew.stop(patience=PATIENCE)

    flow.refresh_from_db()
    assert flow.fence == 1
    assert set(flow.steps.values_list("attempt", "state")) == {(1, StepState.DONE)}
    assert set(sandbox.calls()["counts"].values()) == {1}


def test_the_crews_way_and_the_engines_own_are_told_apart(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    monkeypatch.setattr(limiter, "ask", lambda *_: Wait(0.01, Reason.RATE))
    taken = crews.claim(connection.pk, urgent=True)
    assert taken
    turn = Turn.begin(taken)
    turn.is_held_while_waiting = True

    rest = engine.go_on(turn, until=clock.now() + engine.times.scaled(60))

    assert rest == Rest(0.01, WaitReason.RATE, is_held=True)
    flow.refresh_from_db()
    assert flow.state == FlowState.RUNNING


def test_a_flow_that_has_looked_is_held_until_there_is_room_to_write(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.FLOW_TURN, settings.FLOW_DEADLINE, settings.FLOW_SEND_GUARD = 60, 30, 5
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    ask, refused = limiter.ask, []
    longer_than_others_are_held = 1.5 * scaled(LONGEST_HELD).total_seconds()

    def no_room_for_the_customer(connection_id: Any, want: Any) -> Any:
        if "/customers" in want.address and len(refused) < 3:
            refused.append(want)
            return Wait(longer_than_others_are_held, Reason.RATE)
        return ask(connection_id, want)

    monkeypatch.setattr(limiter, "ask", no_room_for_the_customer)
    crew = Crew(threads=2)
    try:
        crew.wake(connection.pk, urgent=True)
        wait_until(
            lambda: Flow.objects.get(pk=flow.pk).state == FlowState.DONE, what="the flow is done"
        )
    finally:
        crew.stop(patience=PATIENCE)

    assert len(refused) == 3
    assert sandbox.count("get-customer") == 1
