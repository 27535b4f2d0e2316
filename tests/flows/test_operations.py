"""One cell of the fault matrix for each fault over real HTTP; `tests/inprocess` has them all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from bokio_app.connections.services import SCOPES
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, StepState, WaitReason
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
# The limiter keeps Redis's time, and an outage the machine's; no test moves either.
KEPT_IN_REAL_TIME = (WaitReason.RATE, WaitReason.PATH, WaitReason.BOKIO_DOWN)
A_MOMENT = 0.05

BY_OP = {case.op: case for case in CASES}


class Killed(BaseException):
    """The worker is gone: nothing of what it would have done next happens."""


@pytest.fixture
def world(sandbox: SandboxProcess, person: User) -> World:
    connection = bokio.connect(sandbox, by=person, scopes=EVERY_SCOPE)
    return World(sandbox, connection, person)


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
        if flow.wait_reason in KEPT_IN_REAL_TIME:
            time.sleep(A_MOMENT)
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


# One fault of the matrix each, as it looks on a real wire: what strikes which operation's write,
# how often that write then arrives at Bokio, and what settles the step.
REAL = (
    ("F3", "create_invoice", "refuse_connections", {"seconds": 5}, 2, "response"),
    ("F5", "create_payment", "lose_answer", {}, 1, "proof"),
    ("F6", "create_invoice", "error_after", {}, 1, "proof"),
    ("F7", "create_settlement", "error_before", {}, 2, "response"),
    ("F9", "write_journal_entry", "truncate", {}, 1, "proof"),
    ("F12", "create_invoice", "rate_limited", {"retryAfter": 5}, 2, "response"),
    ("F13", "create_payment", "token_expires", {}, 2, "response"),
)


@pytest.mark.parametrize("code, op, kind, more, sendings, settled_by", REAL)
def test_each_fault_on_a_real_wire_leaves_one_effect(
    code: str,
    op: str,
    kind: str,
    more: dict[str, float],
    sendings: int,
    settled_by: str,
    world: World,
    pass_time: Callable[[timedelta], None],
) -> None:
    case = BY_OP[op]
    flow = case.begin(world)
    world.sandbox.clear_calls()
    struck = world.sandbox.add_fault(case.call, kind, **more)

    drive(flow, pass_time)

    assert world.sandbox.fault(struck)["hits"] == 1
    assert world.sandbox.count(case.call) == sendings
    ends_well(case, world, flow)
    assert flow.steps.get(op=op).resolved_by == settled_by


def test_an_effect_after_our_deadline_is_found_once_it_has_come(world: World) -> None:
    """F8: in real time, for the sandbox takes its own to carry the call out."""
    case = BY_OP["publish_invoice"]
    flow = case.begin(world)
    world.sandbox.clear_calls()
    struck = world.sandbox.add_fault(case.call, "delay", seconds=45)

    bokio.work(world.connection)

    flow.refresh_from_db()
    assert world.sandbox.fault(struck)["hits"] == 1
    assert world.sandbox.count(case.call) == 1
    ends_well(case, world, flow)
    assert flow.steps.get(op=case.op).resolved_by == "proof"


@pytest.mark.parametrize("sent", [False, True], ids=["F2", "F10"])
def test_a_worker_killed_in_a_step_leaves_one_effect(
    sent: bool,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    pass_time: Callable[[timedelta], None],
) -> None:
    case = BY_OP["credit_invoice"]
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


@pytest.mark.parametrize("op", ["publish_invoice", "update_draft"])
def test_what_a_person_did_meanwhile_is_adopted_if_equal_and_else_shown(
    op: str, world: World, pass_time: Callable[[timedelta], None]
) -> None:
    case = BY_OP[op]
    flow = case.begin(world)
    world.sandbox.add_fault(case.call, "error_before")
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
