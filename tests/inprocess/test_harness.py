"""What the harness promises: the cases run on it, deaths are final, waiting costs nothing."""

from __future__ import annotations

from collections.abc import Callable

import httpcore2
import pytest

from bokio_app.flows.models import Attempt, Flow, Step
from bokio_app.invoicing.models import Invoice
from tests.flows.cases import CASES, Case, World
from tests.inprocess.harness import Harness

every_operation = pytest.mark.parametrize("case", CASES, ids=lambda case: case.op)


def publishing(flow: Flow) -> Step:
    return flow.steps.get(op="publish_invoice")


def outcomes(step: Step) -> list[str]:
    return list(Attempt.objects.filter(step=step).order_by("pk").values_list("outcome", flat=True))


@every_operation
def test_every_operation_runs_quietly_with_one_effect(
    case: Case, harness: Harness, world: World
) -> None:
    flow = case.begin(world)
    harness.drive(flow)

    assert (flow.state, flow.stuck_code) == ("done", "")
    assert case.effects(world) == 1
    assert harness.sandbox.count(case.call) == 1


@pytest.mark.parametrize(
    "place, calls",
    [
        ("claimed", 1),
        ("before_intent", 1),
        ("after_intent", 1),
        ("first_byte", 1),
        ("sent", 1),
        ("answer", 1),
        ("after_response", 1),
        ("before_result", 1),
        ("after_result", 1),
    ],
)
def test_a_worker_killed_anywhere_leaves_one_effect(
    place: str, calls: int, harness: Harness, world: World
) -> None:
    flow = world.sent()
    op = "" if place == "claimed" else "publish_invoice"
    killed = harness.points.kill(place, op=op)

    harness.drive(flow)

    assert killed.hits == 1
    assert flow.state == "done"
    assert harness.sandbox.count("post-invoices-invoiceId-publish") == calls
    assert len(world.books["invoices"]) == 1


def test_a_killed_worker_never_runs_another_line(harness: Harness, world: World) -> None:
    flow, lines = world.sent(), []

    def work() -> None:
        try:
            lines.append("begins")
            harness.points.die()
        finally:
            lines.append("cleans up")

    worker = harness.worker("worker", work)
    harness.kernel.join(worker)
    harness.drive(flow)

    assert lines == ["begins"]
    assert worker.killed


@pytest.mark.parametrize("order", ["fail_commit", "lose_commit"])
def test_a_result_whose_commit_is_in_doubt_is_read_again(
    order: str, harness: Harness, world: World
) -> None:
    flow = world.sent()
    fault = getattr(harness.points, order)(op="publish_invoice")

    harness.drive(flow)

    assert (fault.hits, flow.state) == (1, "done")
    assert harness.sandbox.count("post-invoices-invoiceId-publish") == 1


def test_a_worker_frozen_beyond_its_lease_is_fenced(harness: Harness, world: World) -> None:
    flow = world.sent()
    frozen = harness.points.freeze("answer", 200, op="publish_invoice")
    first = harness.worker("first", lambda: harness.turn(world.connection))

    harness.kernel.sleep(60)
    harness.drive(flow)
    harness.kernel.join(first)

    assert (frozen.hits, flow.state) == (1, "done")
    assert harness.sandbox.count("post-invoices-invoiceId-publish") == 1


@pytest.mark.parametrize(
    "fault, params, calls",
    [
        ("delay", {"seconds": 40}, 1),
        ("delay_after", {"seconds": 40}, 1),
        ("slow", {"bytesPerSecond": 10}, 1),
        ("lose_answer", {}, 1),
        ("error_before", {}, 2),
        ("refuse_connections", {"seconds": 3}, 2),
    ],
)
def test_faults_of_the_sandbox_strike_on_the_virtual_clock(
    fault: str, params: dict[str, float], calls: int, harness: Harness, world: World
) -> None:
    flow = world.sent()
    began = harness.kernel.time
    harness.sandbox.add_fault("post-invoices-invoiceId-publish", fault, **params)

    harness.drive(flow)

    assert flow.state == "done"
    assert harness.sandbox.count("post-invoices-invoiceId-publish") == calls
    assert Invoice.objects.get().is_recorded
    assert (harness.kernel.time - began > 90) == (fault == "error_before" or calls == 2)


def broken() -> None:
    raise httpcore2.WriteError("[Errno 104] Connection reset by peer")


def nobody_there() -> None:
    raise httpcore2.ConnectError("[Errno -2] Name or service not known")


@pytest.mark.parametrize(
    "place, strikes, expected",
    [
        ("connect", nobody_there, ["not_executed", "success"]),
        ("body", broken, ["unknown", "absent", "absent", "absent", "success"]),
    ],
)
def test_what_breaks_on_the_way_out_is_classed_by_whether_a_byte_left(
    place: str, strikes: Callable[[], None], expected: list[str], harness: Harness, world: World
) -> None:
    flow = world.sent()
    # The connection is opened anew for this call only if the one before is no longer usable.
    harness.points.at("before_intent", lambda: harness.kernel.sleep(4), op="create_invoice")
    harness.points.at(place, strikes, op="create_invoice")

    harness.drive(flow)

    assert flow.state == "done"
    assert outcomes(flow.steps.get(op="create_invoice")) == expected
    assert len(world.books["invoices"]) == 1


def test_messages_to_workers_can_be_lost_and_doubled(harness: Harness, world: World) -> None:
    flow = world.sent()
    assert [bell.urgent for bell in harness.bells.waiting] == [True]
    harness.bells.double(10)

    workers = [harness.worker("worker", bell.answer) for bell in harness.bells.take()]
    for worker in workers:
        harness.kernel.join(worker)

    flow.refresh_from_db()
    assert (len(workers), flow.state) == (10, "done")
    assert harness.sandbox.count("post-invoice") == 1


def test_the_same_seed_gives_the_same_run(
    built_harness: Harness, django_db_blocker: object
) -> None:
    def run() -> list[object]:
        with built_harness.fresh(seed=7) as harness:
            [connection] = harness.connections
            flow = World(harness.sandbox, connection, harness.person).sent()  # type: ignore[arg-type]
            harness.drive(flow)
            calls = harness.sandbox.calls()["calls"]
            return [flow.public_id, harness.kernel.time, *map(str, calls)]

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        assert run() == run()
