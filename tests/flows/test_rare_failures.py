"""Failures that come seldom: a demoted Redis, an end that meets another's row, other releases."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import IntegrityError, connections
from django.db import connection as database

from bokio_app.batches import orders
from bokio_app.batches import services as batches
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import engine, trimming
from bokio_app.flows import turn as turns
from bokio_app.flows.claim import claim
from bokio_app.flows.limits.asking import Permit, Reason, Rules, Wait, Want
from bokio_app.flows.limits.rows import Pace
from bokio_app.flows.limits.tables import TableStore
from bokio_app.flows.models import (
    Attempt,
    Flow,
    FlowState,
    Recovery,
    Step,
    StepState,
    WaitReason,
)
from bokio_app.flows.operations import Done
from bokio_app.flows.signals import flow_finished
from bokio_app.flows.turn import Turn
from bokio_app.payments.models import Payment
from tests.batches import lines
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio, make
from tests.support.net import free_port, wait_until
from tests.support.sandbox import SandboxProcess
from tools import children, valkey

POSTGRES = database.vendor == "postgresql"


def order(connection: Connection, **changes: Any) -> Flow:
    line = json.dumps(lines.guide(connection, "A-1", **changes)).encode()
    return batches.accept(connection.tenant, orders.parse(line)).line.flow


def turn_once(connection: Connection) -> None:
    """Be a worker for one claim."""
    claimed = claim(connection.pk)
    assert claimed
    engine.run(claimed, until=clock.now() + timedelta(seconds=60))


# --- A Redis that is no longer the first -----------------------------------------------------
class Demotable:
    """A Redis of the test's own, which can be told to follow another and to lead again."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)

    def demote(self) -> None:
        self.client.replicaof("127.0.0.1", "1")

    def promote(self) -> None:
        self.client.replicaof("NO", "ONE")


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[Demotable]:
    program, port = valkey.find(), free_port()
    assert program
    command = valkey.command(program, port=port, folder=tmp_path, durable=False)
    process = children.spawn(command, env=os.environ, log=tmp_path / "valkey.log")
    try:
        wait_until(lambda: valkey.answers(port), what="Valkey answers", seconds=30)
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        made = Demotable(settings.REDIS_URL)
        yield made
        made.client.close()
    finally:
        children.kill(process)


@pytest.mark.fault
@pytest.mark.skipif(django_settings.EMBEDDED, reason="without Redis the limiter is in tables")
def test_nothing_is_sent_while_redis_takes_no_writes_and_all_goes_on_afterwards(
    sandbox: SandboxProcess,
    connection: Connection,
    server: Demotable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failover leaves a Redis that still answers, and refuses whatever would count a call."""
    flow = order(connection)
    server.demote()

    turn_once(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.wait_reason) == (FlowState.READY, WaitReason.LIMITER)
    assert not sandbox.calls()["counts"]
    assert "error=ReadOnlyError" in caplog.text
    assert "flow_failed" not in caplog.text

    server.promote()
    bokio.work(connection)

    assert_guide_is_booked(sandbox, connection)


@pytest.mark.fault
@pytest.mark.skipif(django_settings.EMBEDDED, reason="without Redis the limiter is in tables")
def test_a_call_under_way_is_kept_when_redis_takes_no_writes_at_its_end(
    sandbox: SandboxProcess, connection: Connection, server: Demotable
) -> None:
    flow = order(connection)
    held = sandbox.add_fault("post-invoice", "hold_before")

    def work() -> None:
        try:
            turn_once(connection)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(work)
        sandbox.wait_held(held)
        server.demote()
        sandbox.release(held)
        working.result(60)

    flow.refresh_from_db()
    assert (flow.state, flow.wait_reason) == (FlowState.READY, WaitReason.LIMITER)
    made = flow.steps.get(op="create_invoice")
    assert (made.state, made.resolved_by) == (StepState.DONE, "response")
    assert sandbox.count("post-invoices-invoiceId-publish") == 0

    server.promote()
    bokio.work(connection)

    assert sandbox.count("post-invoice") == made.attempt == 1
    assert_guide_is_booked(sandbox, connection)


# --- What follows from a flow's end ----------------------------------------------------------
@pytest.fixture
def follow() -> Iterator[Callable[[Callable[[Flow], None]], None]]:
    """Have something follow from each flow's end, until the test is over."""
    receivers: list[Any] = []

    def connect(act: Callable[[Flow], None]) -> None:
        def receiver(flow: Flow, **_kwargs: Any) -> None:
            act(flow)

        receivers.append(receiver)
        flow_finished.connect(receiver)

    yield connect
    for receiver in receivers:
        flow_finished.disconnect(receiver)


def meet_a_row_of_anothers() -> None:
    """The database itself refuses, and undoes what the transaction holds."""
    Recovery.objects.create(epoch=0, reason="twice", settled_at=clock.now())
    Recovery.objects.create(epoch=0, reason="twice", settled_at=clock.now())


Follow = Callable[[Callable[[Flow], None]], None]


@pytest.mark.django_db
@pytest.mark.parametrize("op", ["record_payment", "create_payment"])
def test_what_fails_after_a_flows_end_takes_the_end_back_and_says_nothing_of_the_result(
    op: str, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last result of a payment may meet a reading's copy, and is then written another way."""
    company = make.connection()
    turn = last_step(company, op)
    asked: list[int] = []

    def fail(flow: Flow) -> None:
        asked.append(flow.pk)
        if len(asked) == 1:
            meet_a_row_of_anothers()

    follow(fail)
    with pytest.raises(RuntimeError) as raised:
        turn.finish()

    assert isinstance(raised.value.__cause__, IntegrityError)
    assert asked == [turn.flow.pk]
    assert Flow.objects.get(pk=turn.flow.pk).state == FlowState.RUNNING
    assert Step.objects.get(flow=turn.flow).state == StepState.SENT
    assert not Attempt.objects.exists()
    assert not Recovery.objects.exists()

    turn.finish()

    assert Flow.objects.get(pk=turn.flow.pk).state == FlowState.DONE
    assert Step.objects.get(flow=turn.flow).state == StepState.DONE


def last_step(company: Connection, op: str) -> Turn:
    """A turn that has just been told by Bokio that its only step, about a payment, is done."""
    invoice = make.invoice(company, status="published")
    payment = Payment.objects.create(
        invoice=invoice, date=clock.today(), amount=Decimal(10), account=1930
    )
    made = make.flow(company, kind="of_a_test", ops=[op])
    made.steps.update(payload={"invoice": str(invoice.pk), "payment": str(payment.pk)})
    claimed = claim(company.pk)
    assert claimed
    turn = Turn.begin(claimed)
    turn.access = grants.access(claimed.connection)
    [step] = turn.steps
    turn.intend(step)
    done = Done({"remote_id": "p1", "journal_entry_id": "e1"}, remote_id="p1")
    turn.learn(step, done, by="response", log=turn.log_line(step, Attempt.Outcome.SUCCESS))
    return turn


@pytest.mark.fault
def test_an_order_whose_end_could_not_be_kept_ends_once_more_and_sends_nothing_again(
    sandbox: SandboxProcess, connection: Connection, follow: Follow
) -> None:
    failed: list[int] = []

    def fail(flow: Flow) -> None:
        if flow.kind == "run_invoice" and not failed:
            failed.append(flow.pk)
            meet_a_row_of_anothers()

    flow = order(connection)
    follow(fail)

    bokio.work(connection)

    flow.refresh_from_db()
    assert failed == [flow.pk]
    assert (flow.state, flow.stuck_code) == (FlowState.DONE, "")
    assert_guide_is_booked(sandbox, connection)
    assert not Recovery.objects.exists()


# --- Trimming --------------------------------------------------------------------------------
@pytest.mark.django_db
def test_answers_of_cancelled_flows_go_as_well_and_those_of_open_ones_stay(settings: Any) -> None:
    """A cancelled flow has steps that were done, and one that never will be."""
    settings.FLOW_ANSWERS_DAYS = 365
    company = make.connection()
    long_ago, lately = (clock.now() - timedelta(days=days) for days in (400, 300))
    kept = {}
    for name, state, ended in (
        ("old", FlowState.CANCELLED, long_ago),
        ("young", FlowState.CANCELLED, lately),
        ("stuck", FlowState.STUCK, None),
    ):
        flow = make.flow(company, state=state, ops=["create_invoice", "publish_invoice"])
        Flow.objects.filter(pk=flow.pk).update(finished_at=ended, created_at=long_ago)
        told = {"error_message": "refused", "error_fields": [["/a", "b"]], "evidence": [{"id": 1}]}
        flow.steps.filter(pos=0).update(
            state=StepState.DONE, done_at=ended or long_ago, result={"name": "Eva"}
        )
        flow.steps.filter(pos=1).update(**told)
        for step in flow.steps.all():
            make.attempt(step, answer='{"id":1}')
        kept[name] = flow

    assert trimming.trim_answers() == 2

    def left(name: str) -> list[object]:
        steps = kept[name].steps.order_by("pos")
        calls = Attempt.objects.filter(step__in=steps).order_by("step__pos")
        first, second = steps
        return [
            *calls.values_list("answer", flat=True),
            first.result,
            (second.error_message, second.error_fields, second.evidence),
        ]

    assert left("old") == ["", "", {}, ("", [], [])]
    whole = ['{"id":1}', '{"id":1}', {"name": "Eva"}, ("refused", [["/a", "b"]], [{"id": 1}])]
    assert left("young") == left("stuck") == whole
    assert kept["old"].steps.get(pos=0).state == StepState.DONE


# --- Two releases at one limiter -------------------------------------------------------------
def ask(company: Connection, rules: Rules) -> Permit | Wait:
    want = Want(who=uuid.uuid4().hex, lasts=1, urgent=True)
    return TableStore().ask(company.pk, want, uuid.uuid4().hex, rules)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"surges": {"a": [1, 2]}, "note": "of a later release"}, id="newer"),
        pytest.param({}, id="older"),
    ],
)
def test_what_another_release_has_counted_holds_though_its_row_is_not_quite_ours(
    other: dict[str, Any],
) -> None:
    company, rules = make.connection(), Rules(limit=3, window=3600)
    soon = int(clock.now().timestamp() * 1_000_000) + 3_600_000_000
    counted = {"counted": [soon, soon], "known_until": soon}
    Pace.objects.create(connection=company, state=json.dumps({**counted, **other}))

    first, second = ask(company, rules), ask(company, rules)

    assert isinstance(first, Permit)
    assert isinstance(second, Wait)
    assert second.reason == Reason.RATE
    state = json.loads(Pace.objects.get(connection=company).state)
    assert (state["counted"], state["known_until"]) == ([soon, soon], soon)
    assert list(state["under_way"]) == [first.token]


# --- Commits that wait for the disk ----------------------------------------------------------
@pytest.mark.skipif(not POSTGRES, reason="SQLite always waits for the disk")
@pytest.mark.django_db(transaction=True)
def test_a_result_that_is_written_statement_by_statement_waits_for_the_disk_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn = last_step(make.connection(), "create_payment")
    commit, waited = database._commit, []

    def taken(*_args: object) -> None:
        raise IntegrityError("a reading has just brought a copy")

    def committing() -> None:
        with database.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            waited.append(cursor.fetchone()[0])
        commit()

    with database.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    monkeypatch.setattr(turns, "write", taken)
    monkeypatch.setattr(database, "_commit", committing)
    try:
        turn.save()
    finally:
        with database.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")

    assert waited == ["on"]
    assert Payment.objects.get().remote_id == "p1"
