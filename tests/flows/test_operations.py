"""Every operation that writes at Bokio, whatever goes wrong with its call: one effect, no more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bokio_app.connections.services import SCOPES
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, StepState
from bokio_app.flows.operations import OPERATIONS, Done, StepContext
from bokio_app.tenants.models import User
from tests.flows.cases import CASES, Case, World
from tests.support import bokio
from tests.support.sandbox import SandboxProcess
from tests.support.sandbox_client import ALL_SCOPES

pytestmark = pytest.mark.fault

MOST_TURNS = 40
ELEVATED = ("bank-payments:read-limited", "bank-payments:write")
EVERY_SCOPE = tuple(dict.fromkeys((*SCOPES, *ALL_SCOPES, *ELEVATED)))
MOVING = (FlowState.READY, FlowState.RUNNING)

every_operation = pytest.mark.parametrize("case", CASES, ids=lambda case: case.op)


class Killed(BaseException):
    """The worker is gone: nothing of what it would have done next happens."""


@pytest.fixture
def world(sandbox: SandboxProcess, person: User) -> World:
    connection = bokio.connect(sandbox, by=person, scopes=EVERY_SCOPE)
    return World(sandbox, connection, person)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[timedelta], None]]:
    """Move the product's clock; waiting costs no time."""
    real, ahead = clock.now, [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: real() + ahead[0])

    def move(by: timedelta) -> None:
        ahead[0] += max(by, timedelta(0))

    return move


def one_turn(flow: Flow) -> None:
    """Let a worker have the flow once, until it ends, must wait, or the worker is killed."""
    claimed = claim(flow.connection_id)
    if claimed:
        with contextlib.suppress(Killed):
            engine.run(claimed, until=clock.now() + timedelta(seconds=60))
    flow.refresh_from_db()


def drive(flow: Flow, pass_time: Callable[[timedelta], None]) -> None:
    """Be the workers until the flow comes to rest, the clock moved to whatever it waits for."""
    for _turn in range(MOST_TURNS):
        one_turn(flow)
        if flow.state not in MOVING:
            return
        waits_for = flow.lease_until if flow.state == FlowState.RUNNING else flow.not_before
        if waits_for:
            pass_time(waits_for - clock.now() + timedelta(milliseconds=10))
    raise AssertionError((flow.state, flow.wait_reason, flow.cursor))


def ends_well(case: Case, world: World, flow: Flow) -> None:
    step = flow.steps.get(op=case.op)
    assert (flow.state, flow.stuck_code) == (FlowState.DONE, ""), step.error_message
    assert step.state == StepState.DONE
    assert case.effects(world) == 1


def test_every_operation_that_writes_has_a_row_in_the_table() -> None:
    writing = {name for name, each in OPERATIONS.items() if not each.reads_only}

    assert writing == {case.op for case in CASES}


@every_operation
@pytest.mark.parametrize("fault", ["lose_answer", "error_after", "truncate"])
def test_an_effect_without_an_answer_is_found_and_not_repeated(
    fault: str, case: Case, world: World, pass_time: Callable[[timedelta], None]
) -> None:
    flow = case.begin(world)
    world.sandbox.clear_calls()
    struck = world.sandbox.add_fault(case.call, fault)

    drive(flow, pass_time)

    assert world.sandbox.fault(struck)["hits"] == 1
    assert world.sandbox.count(case.call) == 1
    ends_well(case, world, flow)


@every_operation
def test_a_refused_beginning_is_repeated_once_absence_is_certain(
    case: Case, world: World, pass_time: Callable[[timedelta], None]
) -> None:
    flow = case.begin(world)
    world.sandbox.clear_calls()
    world.sandbox.add_fault(case.call, "error_before")

    drive(flow, pass_time)

    assert world.sandbox.count(case.call) == 2
    ends_well(case, world, flow)


@every_operation
@pytest.mark.parametrize("sent", [False, True], ids=["before_the_first_byte", "after_the_answer"])
def test_a_worker_killed_in_a_step_leaves_one_effect(
    sent: bool,
    case: Case,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    pass_time: Callable[[timedelta], None],
) -> None:
    flow = case.begin(world)
    world.sandbox.clear_calls()
    operation = OPERATIONS[case.op]
    send = operation.send

    def killed(ctx: StepContext, client: object) -> Done:
        monkeypatch.setattr(operation, "send", send)
        if sent:
            send(ctx, client)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(operation, "send", killed)

    drive(flow, pass_time)

    assert world.sandbox.count(case.call) == 1
    ends_well(case, world, flow)
    assert (flow.steps.get(op=case.op).resolved_by == "proof") == sent


@every_operation
def test_what_a_person_did_meanwhile_is_adopted_if_equal_and_else_shown(
    case: Case, world: World, pass_time: Callable[[timedelta], None]
) -> None:
    flow = case.begin(world)
    world.sandbox.add_fault(case.call, "lose_answer" if case.after_effect else "error_before")
    step = flow.steps.get(op=case.op)
    while step.state != StepState.UNKNOWN:
        one_turn(flow)
        step.refresh_from_db()
        assert flow.state in MOVING
    case.meddle(world)

    drive(flow, pass_time)

    step.refresh_from_db()
    assert flow.state == case.ends, step.error_message
    if case.ends == FlowState.DONE:
        ends_well(case, world, flow)
    else:
        assert (flow.stuck_code, bool(step.evidence)) == ("ambiguous", True)
