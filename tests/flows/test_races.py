"""Two workers, two people, a reading in between: what the rows hold afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import connections

from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.flows import claim as claiming
from bokio_app.flows import engine, times
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.limits.gate import Gate
from bokio_app.flows.models import Flow, FlowState, StepState, WaitReason
from bokio_app.flows.operations import StepContext
from bokio_app.flows.turn import Fenced, Turn
from bokio_app.flows.verdicts import MOST_FAILURES_OF_OURS
from bokio_app.invoicing import customers
from bokio_app.invoicing import flows as invoicing_flows
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.customers import EnsureCustomer
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments import services as payments
from bokio_app.payments.models import Payment, Settlement
from bokio_app.payments.sync import start_reading
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

T = TypeVar("T")
PAST = timedelta(seconds=-1)
SOLE_TRADER = "640823-3234"  # a personal number: it stands in no address


def sent(connection: Connection, person: User) -> Invoice:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    return invoice


def turn_until(connection: Connection, flow: Flow, op: str, state: str) -> None:
    """Be the worker until this step stands in this state."""
    step = flow.steps.filter(op=op, state=state)
    ends = clock.now() + timedelta(seconds=bokio.PATIENCE)
    while not step.exists():
        assert clock.now() < ends
        if claimed := claim(connection.pk):
            engine.run(claimed, until=clock.now() + timedelta(seconds=60))


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Let each happen in a thread of its own, all in the same instant."""
    together = threading.Barrier(len(acts))

    def act(number: int) -> T:
        try:
            together.wait(bokio.PATIENCE)
            return acts[number]()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, range(len(acts))))


@pytest.mark.django_db(transaction=True)
def test_two_people_who_click_in_the_same_instant_start_one_run() -> None:
    connection = make.connection()
    make.fiscal_year(connection)
    people = [make.member(connection.tenant) for _ in range(4)]
    for _round in range(5):
        invoice = make.invoice(connection)

        start = partial(invoicing.start_sending, invoice)
        started = at_once(*(partial(start, by=by, request_key=str(uuid4())) for by in people))

        [flow] = Flow.objects.filter(business_key=str(invoice.pk))
        assert {each.pk for each, _new in started} == {flow.pk}
        assert sorted(new for _flow, new in started) == [False, False, False, True]
        assert flow.steps.count() == 4


@pytest.mark.django_db(transaction=True)
def test_one_form_that_is_sent_twice_in_the_same_instant_registers_one_payment() -> None:
    connection = make.connection()
    make.fiscal_year(connection)
    by = make.member(connection.tenant)
    for _round in range(5):
        invoice = make.invoice(connection, status=Invoice.Status.PUBLISHED)
        paid = payments.PaymentInput(date=clock.today(), amount=invoice.total, account=1930)
        form = str(uuid4())

        click = partial(payments.register, invoice, paid, by=by, request_key=form)
        started = at_once(click, click, click)

        [flow] = Flow.objects.filter(request_key=form)
        assert {each.pk for each, _new in started} == {flow.pk}
        assert sorted(new for _flow, new in started) == [False, False, True]
        assert Payment.objects.filter(invoice=invoice).count() == 1


@pytest.mark.django_db
def test_a_flow_that_ends_while_it_is_being_claimed_stays_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make.connection()
    flow = make.flow(connection)

    def lease(now: Any) -> Any:
        # Between the choice of the flow and the write that takes it, its last owner ends it.
        Flow.objects.filter(pk=flow.pk).update(state=FlowState.DONE)
        return times.window(now).lease_until

    monkeypatch.setattr(claiming.times, "lease", lease)

    assert claim(connection.pk) is None
    flow.refresh_from_db()
    assert (flow.state, flow.fence) == (FlowState.DONE, 0)


@pytest.mark.django_db
def test_a_frozen_worker_that_wakes_after_its_lease_writes_nothing() -> None:
    connection = make.connection()
    flow = make.flow(connection)
    frozen = claim(connection.pk)
    assert frozen
    late = Turn.begin(frozen)
    Flow.objects.filter(pk=flow.pk).update(lease_until=clock.now() + PAST)
    assert claim(connection.pk)

    for write in (
        late.finish,
        late.cancel,
        late.extend,
        lambda: late.park("consent"),
        lambda: late.skip(late.steps[0], "known"),
        lambda: late.stick(late.steps[0], code="ambiguous", message=""),
        lambda: late.put_back(not_before=clock.now(), reason="turn"),
        lambda: late.change(late.steps[0], state=StepState.PENDING),
    ):
        with pytest.raises(Fenced):
            write()

    flow.refresh_from_db()
    assert (flow.state, flow.fence, flow.cursor) == (FlowState.RUNNING, 2, 0)
    assert set(flow.steps.values_list("state", flat=True)) == {StepState.PENDING}


def test_an_effect_that_we_cannot_keep_stops_for_a_person_and_is_not_repeated(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(invoicing_flows.CreateInvoice, "apply", broken)
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = invoicing.start_sending(invoice, by=person)

    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "internal-error")
    assert flow.failures == MOST_FAILURES_OF_OURS
    assert sandbox.count("post-invoice") == 1

    monkeypatch.undo()
    flows.retry(flow, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert invoice.is_recorded
    assert sandbox.count("post-invoice") == 1


def test_the_wait_stays_bounded_however_long_bokio_is_down() -> None:
    assert times.backoff(30_000) <= times.scaled(times.LONGEST_WAIT * 1.2)


@pytest.mark.django_db
def test_a_step_that_was_sent_too_often_can_be_tried_again_by_a_person() -> None:
    connection = make.connection()
    flow = make.flow(connection, state=FlowState.STUCK, stuck_code="too-many-attempts")
    flow.steps.filter(pos=0).update(attempt=engine.MOST_ATTEMPTS)

    flows.retry(flow, by=make.user())

    assert flow.steps.get(pos=0).attempt == 1


@pytest.mark.django_db
@pytest.mark.parametrize("state", [FlowState.READY, FlowState.PARKED, FlowState.STUCK])
def test_a_flow_that_nobody_works_on_is_cancelled_at_once(state: str) -> None:
    connection = make.connection(state=State.BROKEN)
    flow = make.flow(connection, state=state, resource_key="invoice:1", holds_resource=True)

    flows.cancel(flow, by=make.user(), reason="not wanted")

    assert (flow.state, flow.holds_resource) == (FlowState.CANCELLED, False)
    with pytest.raises(flows.NotStuck):
        flows.cancel(flow, by=make.user())


@pytest.mark.django_db
def test_a_running_flow_is_cancelled_by_its_worker() -> None:
    connection = make.connection()
    flow = make.flow(connection)
    running = claim(connection.pk)
    assert running

    flows.cancel(flow, by=make.user())
    assert flow.state == FlowState.RUNNING
    engine.run(running, until=clock.now() + timedelta(seconds=60))

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED


@pytest.mark.fault
@pytest.mark.parametrize(
    "call, op",
    [
        ("post-invoice-settlement", "create_settlement"),
        ("post-invoice-payment", "create_payment"),
    ],
)
def test_a_reading_that_meets_what_was_not_answered_first_leaves_one_row(
    call: str, op: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = sent(connection, person)
    sandbox.lose_answer(call)
    flow, _ = payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    turn_until(connection, flow, op, StepState.UNKNOWN)

    start_reading(invoice, by=person, because="meanwhile")
    bokio.work(connection)

    flow.refresh_from_db()
    invoice.refresh_from_db()
    assert flow.state == FlowState.DONE
    assert invoice.open_amount == 0
    assert (Payment.objects.count(), Settlement.objects.count()) == (1, 1)
    assert Payment.objects.get().created_by == person


NUMBERS = [
    pytest.param("556016-0680", id="company"),
    pytest.param(SOLE_TRADER, id="sole trader"),
]


def two_drafts(connection: Connection, person: User, number: str) -> list[Invoice]:
    """For two rows that are one customer with this number."""
    made = [bokio.guide_draft(connection, by=person) for _ in range(2)]
    assert made[0].customer != made[1].customer
    Customer.objects.update(org_number=number)
    return list(Invoice.objects.filter(pk__in=[each.pk for each in made]))


@pytest.mark.parametrize("number", NUMBERS)
def test_two_rows_for_one_customer_lead_to_one_customer_at_bokio(
    number: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    first, second = two_drafts(connection, person, number)

    for invoice in (first, second):
        invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    books = sandbox.books(str(connection.company_id))
    assert (len(books["customers"]), len(books["invoices"])) == (1, 2)
    for invoice in (first, second):
        invoice.refresh_from_db()
        assert invoice.is_recorded
    assert first.customer == second.customer == Customer.objects.get()


@pytest.mark.parametrize(
    "attempts", [pytest.param(0, id="first"), pytest.param(1, id="again", marks=pytest.mark.fault)]
)
@pytest.mark.parametrize("number", NUMBERS)
def test_two_rows_for_one_customer_lead_to_one_even_if_one_is_made_after_the_other_has_looked(
    number: str,
    attempts: int,
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = two_drafts(connection, person, number)
    invoicing.start_sending(first, by=person)
    write, met = Gate.write, []

    def after_another(gate: Gate, address: str) -> Any:
        """The other order is carried out whole between this one's look and its permit."""
        step = gate._turn.step
        if address == "POST customers" and not met and step and step.attempt == attempts:
            met.append(step.flow_id)
            invoicing.start_sending(second, by=person)
            other = claim(connection.pk)
            assert other
            engine.run(other, until=clock.now() + timedelta(seconds=60))
        return write(gate, address)

    monkeypatch.setattr(Gate, "write", after_another)
    if attempts:
        sandbox.add_fault("post-customer", "error_before")
    bokio.work(connection)

    books = sandbox.books(str(connection.company_id))
    assert (len(met), len(books["customers"]), len(books["invoices"])) == (1, 1, 2)
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()


@pytest.mark.fault
def test_a_sole_trader_waits_while_it_is_unknown_whether_the_other_row_is_made(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    """Both numbers are sealed, and no two sealed ones are alike."""
    first, second = two_drafts(connection, person, SOLE_TRADER)
    sandbox.lose_answer("post-customer")
    flow, _ = invoicing.start_sending(first, by=person)
    turn_until(connection, flow, EnsureCustomer.name, StepState.UNKNOWN)
    other, _ = invoicing.start_sending(second, by=person)

    waits = EnsureCustomer().waits_for(StepContext(other, other.steps.get(pos=0), {}))
    bokio.work(connection)

    assert waits == WaitReason.CUSTOMER_BUSY
    assert sandbox.count("post-customer") == 1
    assert len(sandbox.books(str(connection.company_id))["invoices"]) == 2
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()


def test_two_sole_traders_with_one_name_and_address_stay_two(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    first, second = two_drafts(connection, person, SOLE_TRADER)
    Customer.objects.filter(pk=second.customer_id).update(org_number="811218-9876")

    for invoice in Invoice.objects.filter(pk__in=[first.pk, second.pk]):
        invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    assert len(sandbox.books(str(connection.company_id))["customers"]) == 2
    assert Customer.objects.count() == 2


@pytest.mark.fault
def test_a_private_customer_whose_twin_is_held_by_another_row_is_not_mistaken_for_it(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoices = [bokio.guide_draft(connection, by=person) for _ in range(2)]
    Customer.objects.update(type="private", org_number="")
    invoicing.start_sending(Invoice.objects.get(pk=invoices[0].pk), by=person)
    bokio.work(connection)
    sandbox.add_fault("post-customer", "error_before")

    invoicing.start_sending(Invoice.objects.get(pk=invoices[1].pk), by=person)
    bokio.work(connection)

    ids = set(Customer.objects.values_list("remote_id", flat=True))
    assert len(ids) == 2
    assert len(sandbox.books(str(connection.company_id))["customers"]) == 2
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()


def test_a_draft_saved_after_a_refusal_is_not_sent_as_it_was_before(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoice.lines.filter(position=0).update(account=3001)
    flow, _ = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    draft = invoicing.draft_of(Invoice.objects.get(pk=invoice.pk))
    invoicing.save_draft(invoice, draft_with(draft, "Second thoughts"), version=1, by=person)

    flow.refresh_from_db()
    flows.retry(flow, by=person)
    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "draft-changed")
    assert not sandbox.books(str(connection.company_id))["invoices"]


def draft_with(draft: invoicing.DraftInput, reference: str) -> invoicing.DraftInput:
    return invoicing.DraftInput(
        customer=draft.customer,
        invoice_date=draft.invoice_date,
        due_date=draft.due_date,
        your_reference=reference,
        lines=draft.lines,
    )


@pytest.mark.django_db
def test_a_step_whose_customer_was_merged_while_it_was_held_is_read_anew() -> None:
    connection = make.connection()
    make.fiscal_year(connection)
    make.account(connection, 3001)
    person = make.member(connection.tenant)
    mine = make.customer(connection, type=Customer.Type.PRIVATE, org_number="")
    flow, _ = invoicing.start_sending(make.invoice(connection, by=person, customer=mine), by=person)
    held = flow.steps.get(op=EnsureCustomer.name)
    twin = make.customer(connection, type=Customer.Type.PRIVATE, remote_id=str(uuid4()))

    customers._merge(Customer.objects.filter(pk=mine.pk), into=twin)

    waits = EnsureCustomer().waits_for(StepContext(flow, held, {}))
    assert waits == WaitReason.CUSTOMER_BUSY
    held.refresh_from_db()
    assert EnsureCustomer().waits_for(StepContext(flow, held, {})) == ""
    assert EnsureCustomer().skip(StepContext(flow, held, {})) == "known"
