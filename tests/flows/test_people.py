"""Flows that stop for a person, and what the person can do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.audit.models import Event
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, Step, StepState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess


def refused_invoice(connection: Connection, person: User) -> tuple[Invoice, Flow]:
    """A draft whose first line names the account that Bokio would choose anyway."""
    invoice = bokio.guide_draft(connection, by=person)
    invoice.lines.filter(position=0).update(account=3001)
    flow, _started = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    flow.refresh_from_db()
    return invoice, flow


def test_a_refused_field_stops_the_flow_and_keeps_bokios_words(
    connection: Connection, person: User
) -> None:
    _invoice, flow = refused_invoice(connection, person)

    step = flow.steps.get(op="create_invoice")
    assert (flow.state, step.state) == (FlowState.STUCK, StepState.PENDING)
    assert [pointer for pointer, _message in step.error_fields] == [
        "#/lineItems/0/bookkeepingAccountNumber"
    ]


def test_the_corrected_draft_goes_on_in_the_same_flow_under_a_new_marker(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = refused_invoice(connection, person)
    before = flow.steps.get(op="create_invoice")
    invoice.lines.filter(position=0).update(account=None)

    again, started = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    after = flow.steps.get(op="create_invoice")
    assert (again, started) == (flow, True)
    assert after.version == before.version + 1
    assert after.op_key != before.op_key
    assert len(sandbox.books(str(connection.company_id))["invoices"]) == 1
    assert sandbox.count("post-customer") == 1


def test_a_refused_invoice_that_is_given_another_customer_goes_to_that_one(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = refused_invoice(connection, person)
    invoice.lines.filter(position=0).update(account=None)
    invoice.customer = make.customer(connection, name="Another AB", org_number="556036-0793")
    invoice.save()

    again, started = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, started, again.pk == flow.pk) == (FlowState.CANCELLED, True, False)
    books = sandbox.books(str(connection.company_id))
    [made] = books["invoices"]
    [wanted] = [each for each in books["customers"] if each["name"] == "Another AB"]
    assert made["customerRef"]["id"] == wanted["id"]


def test_asking_twice_gives_the_same_flow(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)

    first, began = invoicing.start_sending(invoice, by=person)
    second, began_again = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    third, _ = invoicing.start_sending(Invoice.objects.get(pk=invoice.pk), by=person)

    assert (began, began_again) == (True, False)
    assert first == second == third
    assert sandbox.count("post-invoice") == 1


def test_one_form_is_one_payment_and_two_forms_are_two(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    half = payments.PaymentInput(date=invoice.invoice_date, amount=Decimal("1000.00"), account=1930)
    form, other_form = str(uuid4()), str(uuid4())

    for request_key in (form, form, other_form):
        payments.register(invoice, half, by=person, request_key=request_key)
    bokio.work(connection)

    books = sandbox.books(str(connection.company_id))
    assert len(books["payments"]) == 2
    assert sandbox.balance(str(connection.company_id), 1930) == Decimal("2000.00")


@pytest.mark.fault
def test_two_equal_payments_in_bokio_are_shown_to_a_person_and_never_guessed(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    wanted = payments.PaymentInput(
        date=invoice.invoice_date, amount=Decimal("1000.00"), account=1930
    )
    sandbox.lose_answer("post-invoice-payment")
    flow, _ = payments.register(invoice, wanted, by=person, request_key=str(uuid4()))
    proof_fails = sandbox.add_fault("get-invoice-payments", "error_before", nth=2)
    turn_until_unclear(flow, connection)

    # Before we could read, somebody enters the same payment in Bokio by hand.
    sandbox.wait_hit(proof_fails)
    day = invoice.invoice_date.isoformat()
    sandbox.pay_invoice(str(connection.company_id), invoice.remote_id, "1000.00", date=day)
    bokio.work(connection)

    flow.refresh_from_db()
    step = flow.steps.get(op="create_payment")
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "ambiguous")
    assert len(step.evidence) == 2
    assert sandbox.count("post-invoice-payment") == 1
    assert Event.objects.filter(action="flow.stuck").exists()


def turn_until_unclear(flow: Flow, connection: Connection) -> None:
    """Be the worker until one proof read has failed."""
    unclear = flow.steps.filter(op="create_payment", state=StepState.UNKNOWN)
    while not (unclear.exists() and Flow.objects.get(pk=flow.pk).failures):
        if claimed := claim(connection.pk):
            engine.run(claimed, until=clock.now() + timedelta(seconds=60))


def test_a_cancelled_flow_stops_between_steps(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = invoicing.start_sending(invoice, by=person)

    flows.cancel(flow, by=person, reason="wrong customer")
    bokio.work(connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert not sandbox.books(str(connection.company_id))["invoices"]
    again, started = invoicing.start_sending(invoice, by=person)
    assert (again != flow, started) == (True, True)


def test_only_a_stuck_flow_can_be_retried(connection: Connection, person: User) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = invoicing.start_sending(invoice, by=person)

    with pytest.raises(flows.NotStuck):
        flows.retry(flow, by=person)


def test_an_invoice_recorded_by_the_company_itself_counts_as_done(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.change_company(str(connection.company_id), automaticRecording=True)
    invoice = bokio.guide_draft(connection, by=person)

    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert invoice.is_recorded
    assert Step.objects.get(op="record_invoice").state == StepState.SKIPPED
    assert len(sandbox.books(str(connection.company_id))["journalEntries"]) == 1


@pytest.mark.fault
def test_a_credit_note_with_the_same_marker_is_not_taken_for_the_draft(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    company = str(connection.company_id)
    sandbox.lose_answer("post-invoice")
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = invoicing.start_sending(invoice, by=person)
    bokio.work_until(connection, lambda: bool(sandbox.count("post-invoice")))
    made = sandbox.books(company)["invoices"][0]["id"]
    token = sandbox.tokens_for(company).access_token
    sandbox.act_on_invoice(company, made, "publish")
    books = f"/v1/companies/{company}"
    note = sandbox.request("POST", f"{books}/invoices/{made}/credit", token=token).json["id"]
    sandbox.request("POST", f"{books}/credit-notes/{note}/publish", token=token)

    bokio.work(connection)

    flow.refresh_from_db()
    invoice.refresh_from_db()
    assert (flow.state, invoice.remote_id) == (FlowState.DONE, made)
    assert sandbox.count("post-invoice") == 1
