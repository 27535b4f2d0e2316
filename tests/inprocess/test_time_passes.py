"""Readings that take long, and a clock that is set while its worker works."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bokio_app.core import clock
from bokio_app.flows import engine, times
from bokio_app.flows.claim import claim
from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.asking import Finished, Permit, Want
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Invoice
from bokio_app.payments.sync import start_reading
from tests.flows.cases import World
from tests.inprocess.axis import BY_OP
from tests.inprocess.bells import Bell
from tests.inprocess.cells import Stage
from tests.inprocess.harness import Harness, one_flow
from tests.support import bokio as support

pytestmark = pytest.mark.fault

HOUR = timedelta(hours=1)
WINDOW = 60.0  # seconds in which Bokio counts calls
READ = ("get-invoices-invoiceId", "get-invoice-payments", "get-invoice-settlements")


@pytest.fixture
def reading(harness: Harness, world: World) -> Flow:
    """A flow with one step, which reads a sent invoice by three calls; nothing else is to do."""
    world.sent()
    support.work(world.connection)
    harness.kernel.sleep(2 * WINDOW)
    world.sandbox.clear_calls()
    invoice = Invoice.objects.get(pk=world.made["row"].pk)
    start_reading(invoice, by=world.person, because="test")
    return Flow.objects.get(kind="read_invoice", state=FlowState.READY)


def long_turn(world: World) -> None:
    """Take a due flow, and go on with it until it ends or must wait."""
    if flow := claim(world.connection.pk):
        engine.run(flow, until=clock.now() + HOUR)


def test_a_reading_of_more_calls_than_a_minute_has_waits_and_makes_each_call_once(
    reading: Flow, harness: Harness, world: World, settings: Any
) -> None:
    settings.BOKIO_RATE_LIMIT = 2
    world.sandbox.set_switches(rate_limit=2)
    began = harness.kernel.time

    harness.kernel.join(harness.worker("worker", lambda: long_turn(world)))

    reading.refresh_from_db()
    calls = world.sandbox.calls()
    assert (reading.state, reading.fence) == (FlowState.DONE, 1)
    assert len(calls["calls"]) == len(READ)
    assert set(calls["counts"].values()) == {1}
    assert {call["status"] for call in calls["calls"]} == {200}
    assert harness.kernel.time - began > WINDOW


def test_who_has_looked_waits_for_the_room_to_write_and_does_not_look_again(
    harness: Harness, world: World, settings: Any
) -> None:
    settings.BOKIO_RATE_LIMIT = 2
    world.sandbox.set_switches(rate_limit=2)
    another = limiter.ask(world.connection.pk, Want(who="another", lasts=1, urgent=True))
    assert isinstance(another, Permit)
    limiter._store().done(another, Finished(sent=True, answered=True), limiter.rules())
    harness.kernel.sleep(WINDOW / 2)

    flow = harness.drive(world.sent())

    assert flow.state == FlowState.DONE
    counts = world.sandbox.calls()["counts"]
    assert (counts["get-customer"], counts["post-customer"]) == (1, 1)


def test_no_other_worker_takes_a_reading_that_lasts_longer_than_a_lease(
    reading: Flow, harness: Harness, world: World, settings: Any
) -> None:
    each = settings.FLOW_DEADLINE - 5
    for call in READ:
        world.sandbox.add_fault(call, "delay_after", seconds=each)
    assert timedelta(seconds=len(READ) * each) > times.lease(clock.now()) - clock.now()

    def lie_in_wait() -> None:
        while Flow.objects.get(pk=reading.pk).state != FlowState.DONE:
            long_turn(world)
            harness.kernel.sleep(1)

    owner = harness.worker("owner", lambda: long_turn(world))
    harness.kernel.sleep(1)
    rival = harness.worker("rival", lie_in_wait)
    harness.kernel.join(owner)
    harness.kernel.join(rival)

    reading.refresh_from_db()
    assert (reading.state, reading.fence) == (FlowState.DONE, 1)
    assert set(world.sandbox.calls()["counts"].values()) == {1}


@pytest.mark.parametrize("op", ["create_invoice", "create_payment"])
@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_by_an_hour_in_mid_call_sends_nothing_twice(
    step: timedelta, op: str, stage: Stage, settings: Any
) -> None:
    """Bokio carries it out after our deadline, and before absence counts."""
    with stage.cell(BY_OP[op]) as cell:
        kernel, connection = cell.harness.kernel, cell.world.connection
        cell.world.sandbox.add_fault(cell.case.call, "delay", seconds=settings.FLOW_DEADLINE + 20)

        def set_the_clock() -> None:
            kernel.current.skew = step

        moved = cell.points.at("sent", set_the_clock, op=op)

        def work_on() -> None:
            """Look for work again and again, on the machine whose clock is wrong now."""
            one_flow(connection)
            for _look in range(200):
                Bell(str(connection.pk), urgent=False, sent_at=0).answer()
                kernel.sleep(1)

        wrong = cell.harness.worker("wrong", work_on)
        kernel.join(wrong)
        assert moved.hits == 1
        cell.drive()

        assert (cell.flow.state, cell.case.effects(cell.world)) == ("done", 1), cell.told()
        assert sum(each.operation == cell.case.call for each in cell.calls()) == 1


def test_a_clock_that_is_set_between_two_steps_loses_nothing(stage: Stage) -> None:
    with stage.cell(BY_OP["create_invoice"]) as cell:
        kernel = cell.harness.kernel
        for place, skew in (("claimed", HOUR), ("after_result", -HOUR)):
            cell.points.at(place, lambda skew=skew: setattr(kernel.current, "skew", skew))
        cell.drive()

        assert cell.flow.state == "done"
        assert cell.books() == cell.scene.books
        # A fast clock takes the token for expired, too.
        asked = [each.operation for each in cell.calls() if each.operation != "request-token"]
        assert tuple(asked) == cell.scene.quiet
