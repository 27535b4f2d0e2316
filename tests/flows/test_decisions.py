"""What a person decides about a stuck flow: adopted, sent again or handled, each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import decisions, engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, RemoteBinding, StepState
from bokio_app.payments.models import Payment
from bokio_app.tenants.models import User
from tests.flows.cases import World, equal_payment
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

CALL = "post-invoice-payment"


@pytest.fixture
def world(sandbox: SandboxProcess, connection: Connection, person: User) -> World:
    return World(sandbox, connection, person)


@pytest.fixture
def stuck(world: World) -> Flow:
    """A payment whose answer was lost, while a person made an equal one in Bokio."""
    flow = world.paid()
    world.sandbox.lose_answer(CALL)
    step = flow.steps.get(op="create_payment")
    while step.state != StepState.UNKNOWN:
        if claimed := claim(flow.connection_id):
            engine.run(claimed, until=clock.now() + timedelta(seconds=60))
        step.refresh_from_db()
    equal_payment(world)
    bokio.work(world.connection)
    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "ambiguous")
    return flow


def payments(world: World) -> list[str]:
    return [str(each.id) for each in world.api.payments.list(world.made["invoice"])]


@pytest.mark.fault
def test_the_payment_that_a_person_points_at_is_compared_and_bound(
    stuck: Flow, world: World, person: User
) -> None:
    mine, other = payments(world)

    decisions.adopt(stuck, mine, by=person, reason="the first is ours")
    bokio.work(world.connection)

    stuck.refresh_from_db()
    step = stuck.steps.get(op="create_payment")
    assert (stuck.state, step.resolved_by, step.remote_id) == (FlowState.DONE, "person", mine)
    assert RemoteBinding.objects.get(step=step).remote_id == mine
    assert payments(world) == [mine, other]
    assert Event.objects.get(action="flow.adopted").data["reason"] == "the first is ours"


@pytest.mark.fault
@pytest.mark.parametrize("exists", [True, False], ids=["another_amount", "no_such_payment"])
def test_what_is_not_equal_is_not_adopted_whoever_says_so(
    exists: bool, stuck: Flow, world: World, person: User
) -> None:
    pointed_at = str(uuid4())
    if exists:
        draft = PaymentDraft(date=clock.today(), amount=Decimal(5), account=1940)
        pointed_at = str(world.api.payments.create(world.made["invoice"], draft).id)

    decisions.adopt(stuck, pointed_at, by=person, reason="a mistake")
    bokio.work(world.connection)

    stuck.refresh_from_db()
    step = stuck.steps.get(op="create_payment")
    assert (stuck.state, step.state, step.adopt_id) == (FlowState.STUCK, StepState.UNKNOWN, "")
    assert not RemoteBinding.objects.filter(step=step).exists()


@pytest.mark.fault
def test_what_a_person_disowns_is_left_alone_and_the_step_sent_again(
    stuck: Flow, world: World, person: User, pass_settling: Callable[[Flow], None]
) -> None:
    before = payments(world)
    pass_settling(stuck)

    decisions.send_again(stuck, by=person, reason="both are the customer's own")
    bokio.work(world.connection)

    stuck.refresh_from_db()
    step = stuck.steps.get(op="create_payment")
    assert stuck.state == FlowState.DONE
    assert step.remote_id not in before
    assert len(payments(world)) == 3


@pytest.fixture
def pass_settling() -> Callable[[Flow], None]:
    """Let the lost request be one that can no longer take effect."""

    def passed(flow: Flow) -> None:
        flow.steps.filter(state=StepState.UNKNOWN).update(settle_at=clock.now())

    return passed


@pytest.mark.fault
def test_nothing_is_sent_again_while_the_lost_request_could_still_take_effect(
    stuck: Flow, world: World, person: User
) -> None:
    later = clock.now() + timedelta(minutes=1)
    stuck.steps.filter(state=StepState.UNKNOWN).update(settle_at=later)

    with pytest.raises(decisions.NotSettled):
        decisions.send_again(stuck, by=person, reason="too early")

    stuck.refresh_from_db()
    assert stuck.state == FlowState.STUCK


@pytest.mark.fault
def test_a_handled_run_ends_and_the_payment_made_by_hand_is_read(
    stuck: Flow, world: World, person: User
) -> None:
    sent = world.sandbox.count(CALL)

    decisions.mark_handled(stuck, by=person, reason="recorded in Bokio")
    bokio.work(world.connection)

    stuck.refresh_from_db()
    assert (stuck.state, stuck.holds_resource) == (FlowState.DONE, False)
    assert stuck.steps.get(op="create_payment").skip_reason == decisions.HANDLED
    assert set(Payment.objects.values_list("remote_id", flat=True)) == set(payments(world))
    assert world.sandbox.count(CALL) == sent


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["adopt", "send_again", "handled"])
def test_each_decision_needs_a_reason_and_a_member_of_the_workspace(
    name: str, client: Client
) -> None:
    connection = make.connection()
    flow = make.flow(connection, ops=["create_payment"], state=FlowState.STUCK)
    flow.steps.update(state=StepState.UNKNOWN)
    address = reverse(f"flows:{name}", args=[flow.public_id])

    client.force_login(make.member())
    assert client.post(address, {}).status_code == 404
    client.force_login(make.member(connection.tenant))
    assert client.post(address, {}).status_code == 422
    assert client.get(address).status_code == 405

    flow.refresh_from_db()
    assert flow.state == FlowState.STUCK


@pytest.mark.django_db
def test_a_decision_on_a_run_that_has_moved_on_is_told_and_changes_nothing(client: Client) -> None:
    person = make.member()
    connection = make.connection(person.memberships.get().tenant)
    flow = make.flow(connection, ops=["create_payment"])
    client.force_login(person)

    answer = client.post(
        reverse("flows:handled", args=[flow.public_id]), {"handled-reason": "x"}, follow=True
    )

    flow.refresh_from_db()
    assert flow.state == FlowState.READY
    assert len(answer.context["messages"]) == 1
    with pytest.raises(flows.NotStuck):
        decisions.mark_handled(flow, by=person, reason="x")
