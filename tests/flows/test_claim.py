"""Who may work on a flow: one worker at a time, in a fair order, fenced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.flows import tasks
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, Lane, StepState
from bokio_app.flows.turn import Fenced, Turn
from tests.support import make

PAST = timedelta(seconds=-1)


def expire_lease(flow: Flow) -> None:
    Flow.objects.filter(pk=flow.pk).update(lease_until=clock.now() + PAST)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_flow() -> None:
    connection = make.connection()
    make.flow(connection)

    def take(_number: int) -> Flow | None:
        try:
            return claim(connection.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as workers:
        taken = [flow for flow in workers.map(take, range(6)) if flow]

    assert len(taken) == 1
    assert taken[0].fence == 1


@pytest.mark.django_db
def test_a_company_has_so_many_flows_at_once_and_no_more(settings: Any) -> None:
    settings.FLOWS_PER_CONNECTION = 1
    connection = make.connection()
    make.flow(connection)
    make.flow(connection)

    assert claim(connection.pk)
    assert claim(connection.pk) is None


@pytest.mark.django_db
def test_clicks_have_places_of_their_own_beside_a_batch(settings: Any) -> None:
    settings.FLOWS_PER_CONNECTION = 1
    connection = make.connection()
    for lane in (Lane.BATCH, Lane.BATCH, Lane.SYNC):
        make.flow(connection, lane=lane)
    assert claim(connection.pk, urgent=True) is None
    assert claim(connection.pk)
    assert claim(connection.pk) is None
    click = make.flow(connection, lane=Lane.CLICK)
    make.flow(connection, lane=Lane.REPAIR)

    assert claim(connection.pk, urgent=True) == click

    assert claim(connection.pk) is None


@pytest.mark.django_db
def test_the_sweep_rings_for_clicks_and_for_batches_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, batch = make.connection(), make.connection()
    for connection, lane in ((both, Lane.BATCH), (both, Lane.CLICK), (batch, Lane.BATCH)):
        make.flow(connection, lane=lane)
    rung: list[Any] = []
    monkeypatch.setattr(tasks, "ring", lambda pk, lane: rung.append((pk, lane)))

    tasks.sweep()

    assert rung[0] == (both.pk, Lane.CLICK)
    assert set(rung[1:]) == {(both.pk, Lane.BATCH), (batch.pk, Lane.BATCH)}


@pytest.mark.django_db
def test_a_click_goes_before_a_batch_that_came_first() -> None:
    connection = make.connection()
    make.flow(connection, lane=Lane.BATCH, not_before=clock.now() + PAST)
    click = make.flow(connection, lane=Lane.CLICK)

    assert claim(connection.pk) == click


@pytest.mark.django_db
def test_a_flow_that_is_not_due_is_left_alone() -> None:
    connection = make.connection()
    make.flow(connection, not_before=clock.now() + timedelta(minutes=1))

    assert claim(connection.pk) is None


@pytest.mark.django_db
def test_no_flow_of_a_broken_or_resting_connection_is_taken() -> None:
    broken = make.connection(state=State.BROKEN)
    make.flow(broken)
    resting = make.connection(blocked_until=clock.now() + timedelta(minutes=1))
    make.flow(resting)

    assert claim(broken.pk) is None
    assert claim(resting.pk) is None


@pytest.mark.django_db
def test_a_flow_waits_while_another_holds_its_invoice(settings: Any) -> None:
    settings.FLOWS_PER_CONNECTION = 4
    connection = make.connection()
    first = make.flow(connection, resource_key="invoice:1")
    second = make.flow(connection, resource_key="invoice:1")
    assert claim(connection.pk) == first

    tasks.sweep()

    assert claim(connection.pk) is None
    second.refresh_from_db()
    assert second.wait_reason == "invoice_busy"


@pytest.mark.django_db
def test_a_dead_workers_flow_is_taken_over_and_the_dead_one_is_fenced() -> None:
    connection = make.connection()
    flow = make.flow(connection)
    dead = claim(connection.pk)
    assert dead
    expire_lease(flow)

    living = claim(connection.pk)

    assert living
    assert (living.pk, living.fence) == (flow.pk, 2)
    late = Turn.begin(dead)
    with pytest.raises(Fenced):
        late.intend(late.steps[0])
    assert flow.steps.filter(state=StepState.PENDING).count() == 4


@pytest.mark.django_db
def test_the_sweep_rings_for_what_is_due_or_left_behind_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    due, left, done, later = (make.connection() for _ in range(4))
    make.flow(due)
    expire_lease(make.flow(left, state=FlowState.RUNNING))
    make.flow(done, state=FlowState.DONE)
    make.flow(later, not_before=clock.now() + timedelta(minutes=1))
    rung: list[Any] = []
    monkeypatch.setattr(tasks, "ring", lambda pk, **_lane: rung.append(pk))

    tasks.sweep()

    assert set(rung) == {due.pk, left.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("left_behind", [False, True], ids=["waiting", "left_behind"])
def test_flows_park_while_the_connection_is_broken_and_go_on_by_themselves(
    left_behind: bool,
) -> None:
    connection = make.connection(state=State.BROKEN)
    flow = make.flow(connection)
    if left_behind:
        Flow.objects.filter(pk=flow.pk).update(state=FlowState.RUNNING)
        expire_lease(flow)

    tasks.sweep()
    flow.refresh_from_db()
    assert (flow.state, flow.wait_reason) == (FlowState.PARKED, "consent")

    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
    tasks.sweep()
    assert claim(connection.pk) == flow


@pytest.mark.django_db
def test_a_bell_that_cannot_be_rung_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.REDIS_URL = "redis://nowhere"

    def broken(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.work, "apply_async", broken)

    tasks.ring(make.connection().pk, lane=Lane.CLICK)

    assert "bell_failed" in caplog.text
