"""Cancelled half-way, refused, or changed behind our back: where the flow stops, and the way on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import transaction

from bokio_app.connections.models import Connection
from bokio_app.connections.services import SCOPES, finish_connect, start_connect
from bokio_app.connections.signals import consent_given
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.explain import explain
from bokio_app.flows.models import Flow, FlowState, StepState, WaitReason
from bokio_app.flows.operations import OPERATIONS
from bokio_app.flows.progress import waits_until
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.models import FiscalYear
from bokio_app.payments import services as payments
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.fault


def start(connection: Connection, person: User) -> tuple[Invoice, Flow]:
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = invoicing.start_sending(invoice, by=person)
    return invoice, flow


def one_turn(connection: Connection) -> None:
    if flow := claim(connection.pk):
        engine.run(flow, until=clock.now() + timedelta(seconds=60))


def held_back(
    call: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> tuple[Invoice, Flow]:
    """A flow whose worker was told to wait at this call."""
    invoice, flow = start(connection, person)
    fault = refuse(sandbox, call, 429, headers={"Retry-After": "1"})
    one_turn(connection)
    assert sandbox.fault(fault)["hits"] == 1
    invoice.refresh_from_db()
    flow.refresh_from_db()
    return invoice, flow


def refuse(
    sandbox: SandboxProcess, call: str, status: int, *, code: str = "", **params: Any
) -> str:
    if status == 429:
        code = code or "rate-limit-exceeded"
    return sandbox.add_fault(call, "status", status=status, code=code, **params)


def wake(connection: Connection) -> None:
    """Let the rest that Bokio asked for be over."""
    past = clock.now() - timedelta(seconds=1)
    Connection.objects.filter(pk=connection.pk).update(blocked_until=past)
    Flow.objects.filter(connection=connection, state=FlowState.READY).update(not_before=past)


def company(connection: Connection) -> str:
    return str(connection.company_id)


@pytest.mark.parametrize(
    "call, action, op",
    [
        ("post-invoices-invoiceId-publish", "publish", "publish_invoice"),
        ("record-invoice-with-id", "record", "record_invoice"),
    ],
)
def test_what_a_person_did_in_bokio_meanwhile_counts_as_done(
    call: str,
    action: str,
    op: str,
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
) -> None:
    invoice, flow = held_back(call, sandbox, connection, person)
    sandbox.act_on_invoice(company(connection), invoice.remote_id, action)
    wake(connection)

    bokio.work(connection)

    invoice.refresh_from_db()
    flow.refresh_from_db()
    assert (flow.state, invoice.is_recorded) == (FlowState.DONE, True)
    assert flow.steps.get(op=op).resolved_by == "proof"
    assert len(sandbox.books(company(connection))["journalEntries"]) == 1


def test_a_draft_deleted_in_bokio_stops_the_flow_and_cancelling_ends_it(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = held_back("post-invoices-invoiceId-publish", sandbox, connection, person)
    sandbox.act_on_invoice(company(connection), invoice.remote_id, "delete")
    wake(connection)

    bokio.work(connection)

    flow.refresh_from_db()
    step = flow.steps.get(op="publish_invoice")
    assert (flow.state, step.state) == (FlowState.STUCK, StepState.PENDING)
    assert step.error_message.startswith("404")

    flows.cancel(flow, by=person, reason="deleted in Bokio")
    assert flow.state == FlowState.CANCELLED


def test_a_draft_deleted_while_publishing_is_unclear_can_be_ended_by_a_person(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = start(connection, person)
    sandbox.add_fault("post-invoices-invoiceId-publish", "error_before")
    one_turn(connection)
    invoice.refresh_from_db()
    assert flow.steps.get(op="publish_invoice").state == StepState.UNKNOWN
    sandbox.act_on_invoice(company(connection), invoice.remote_id, "delete")
    bokio.work(connection)
    flow.refresh_from_db()
    assert flow.state == FlowState.STUCK

    flows.cancel(flow, by=person, reason="deleted in Bokio")
    assert flow.state == FlowState.READY
    one_turn(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.holds_resource) == (FlowState.CANCELLED, False)


@pytest.mark.parametrize("call", ["post-invoices-invoiceId-publish", "record-invoice-with-id"])
def test_after_a_cancelled_flow_a_new_one_does_what_is_left(
    call: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = held_back(call, sandbox, connection, person)
    flows.cancel(flow, by=person, reason="not now")
    wake(connection)
    bokio.work(connection)

    rest, started = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    rest.refresh_from_db()
    assert (started, rest.state) == (True, FlowState.DONE)
    assert rest != flow
    assert (invoice.status, invoice.is_recorded) == ("published", True)
    assert sandbox.count("post-invoice") == 1
    assert len(sandbox.books(company(connection))["journalEntries"]) == 1


def test_a_cancelled_payment_leaves_only_what_bokio_has(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, _ = start(connection, person)
    bokio.work(connection)
    invoice.refresh_from_db()
    flow, _ = payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    refuse(sandbox, "post-invoice-payment", 429, headers={"Retry-After": "1"})
    one_turn(connection)

    flows.cancel(flow, by=person, reason="wrong account")
    wake(connection)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert (Payment.objects.count(), Settlement.objects.count()) == (0, 1)
    assert invoice.open_amount == Decimal("64609.50")


def test_a_clash_of_writes_is_sent_again_and_one_while_resending_is_looked_into(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault("post-invoice", "status", status=429, code="concurrent-write")
    sandbox.add_fault("post-invoices-invoiceId-publish", "error_before")
    sandbox.add_fault(
        "post-invoices-invoiceId-publish", "status", nth=2, status=429, code="concurrent-write"
    )

    invoice, flow = start(connection, person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert invoice.is_recorded
    assert sandbox.count("post-invoice") == 2
    outcomes = flow.steps.get(op="publish_invoice").attempts.values_list("outcome", flat=True)
    assert list(outcomes)[-1] == "success"
    assert list(outcomes).count("unknown") == 2
    assert len(sandbox.books(company(connection))["invoices"]) == 1


@pytest.mark.parametrize(
    "status, code, headers, reason, at_least",
    [
        (403, "quota-exceeded", {"Retry-After": "1800"}, WaitReason.TOLD_TO_WAIT, 1790),
        # The window of calls runs on the tests' scaled time: 200 and 60 seconds by 0.02.
        (429, "rate-limit-exceeded", {"Retry-After": "200"}, WaitReason.TOLD_TO_WAIT, 2),
        (429, "rate-limit-exceeded", {}, WaitReason.TOLD_TO_WAIT, 0),
        (403, "price_plan_feature_required", {}, WaitReason.PLAN, 80_000),
    ],
)
def test_a_company_rests_as_long_as_it_must_and_the_flow_says_until_when(
    status: int,
    code: str,
    headers: dict[str, str],
    reason: str,
    at_least: int,
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
) -> None:
    refuse(sandbox, "post-invoice", status, code=code, headers=headers)
    _invoice, flow = start(connection, person)
    one_turn(connection)

    flow = Flow.objects.select_related("connection").get(pk=flow.pk)
    until = waits_until(flow)
    assert (flow.state, flow.wait_reason) == (FlowState.READY, reason)
    assert until
    assert (until - clock.now()).total_seconds() > at_least
    assert flow.steps.get(op="create_invoice").attempt == 0
    assert claim(connection.pk) is None

    wake(connection)
    bokio.work(connection)
    assert Invoice.objects.get().is_recorded


@pytest.mark.parametrize(
    "code, headers",
    [("quota-exceeded", {"Retry-After": "1800"}), ("price_plan_feature_required", {})],
)
def test_a_new_consent_lets_flows_that_rested_go_on_at_once(
    code: str,
    headers: dict[str, str],
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
) -> None:
    refuse(sandbox, "post-invoice", 403, code=code, headers=headers)
    _invoice, flow = start(connection, person)
    one_turn(connection)
    assert claim(connection.pk) is None

    tenant = person.memberships.get().tenant
    address = start_connect(tenant, by=person, browser="this one", connection=connection)
    state = parse_qs(urlsplit(address).query)["state"][0]
    consent = sandbox.authorize_directly(company(connection), SCOPES)
    finish_connect(by=person, browser="this one", state=state, code=consent, error="")

    flow.refresh_from_db()
    assert (flow.state, flow.wait_reason) == (FlowState.READY, "")
    bokio.work(connection)
    assert Invoice.objects.get().is_recorded
    assert sandbox.books(company(connection))["invoices"][0]["status"] == "published"


@pytest.mark.parametrize("reason", [WaitReason.CHECKING, WaitReason.INVOICE_BUSY])
def test_a_new_consent_hurries_nothing_that_waits_for_other_reasons(
    reason: WaitReason, connection: Connection
) -> None:
    later = clock.now() + timedelta(minutes=5)
    flow = make.flow(connection, wait_reason=reason, not_before=later)

    with transaction.atomic():
        consent_given.send(Connection, connection=connection)

    flow.refresh_from_db()
    assert (flow.wait_reason, flow.not_before) == (reason, later)


def test_a_forbidden_call_stops_for_a_person(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    refuse(sandbox, "post-invoice", 403, code="missing-scope")
    _invoice, flow = start(connection, person)

    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "lacks-scope")
    assert flow.steps.get(op="create_invoice").error_code == "missing-scope"
    assert Connection.objects.get(pk=connection.pk).lacks == ["invoices:read", "invoices:write"]
    assert not sandbox.books(company(connection))["invoices"]


def test_in_a_cash_method_year_nothing_is_recorded_before_it_is_paid(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    FiscalYear.objects.filter(connection=connection).update(method="cash")
    invoice, flow = start(connection, person)

    bokio.work(connection)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.is_recorded) == ("published", False)
    assert flow.steps.get(op="record_invoice").skip_reason == "cash_method"
    assert sandbox.count("record-invoice-with-id") == 0


def test_a_date_without_an_open_year_is_refused_before_anything_is_sent(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    years = FiscalYear.objects.filter(connection=connection)
    years.update(status="closed")
    invoice = bokio.guide_draft(connection, by=person)

    with pytest.raises(invoicing.NotReady) as closed:
        invoicing.start_sending(invoice, by=person)
    years.delete()
    with pytest.raises(invoicing.NotReady) as missing:
        invoicing.start_sending(invoice, by=person)

    assert closed.value.problems == [("invoice_date", "closed_year")]
    assert missing.value.problems == [("invoice_date", "no_fiscal_year")]
    assert sandbox.calls()["counts"] == {}


def test_a_fee_beyond_what_is_open_is_refused_and_an_overpayment_is_kept(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, _ = start(connection, person)
    bokio.work(connection)
    invoice.refresh_from_db()
    too_much = payments.PaymentInput(
        date=clock.today(), amount=Decimal("64625.00"), account=1930, fee=Decimal("0.01")
    )
    with pytest.raises(payments.CannotPay) as refused:
        payments.register(invoice, too_much, by=person, request_key=str(uuid4()))
    assert refused.value.problems == [("fee", "more_than_open")]
    assert Payment.objects.count() == 0

    over = payments.PaymentInput(date=clock.today(), amount=Decimal("65000.00"), account=1930)
    payments.register(invoice, over, by=person, request_key=str(uuid4()))
    bokio.work(connection)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.open_amount) == ("overPaid", Decimal("-375.00"))
    assert sandbox.balance(company(connection), 1930) == Decimal("65000.00")


def test_a_missing_permission_is_told_before_anything_is_sent_and_a_new_consent_goes_on(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    Connection.objects.update(scopes=[each for each in SCOPES if each != "invoices:write"])
    _invoice, flow = start(connection, person)
    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "lacks-scope")
    assert "invoices:write" in explain(flow.stuck_code, "invoices:write").meaning
    assert flow.steps.get(op="create_invoice").error_message == "invoices:write"
    assert sandbox.count("post-invoice") == 0

    Connection.objects.update(scopes=list(SCOPES))
    with transaction.atomic():
        consent_given.send(Connection, connection=connection)
    bokio.work(connection)
    assert Invoice.objects.get().is_recorded


def test_every_operation_names_the_permissions_that_it_needs_and_none_asks_for_more() -> None:
    ours = {name: each for name, each in OPERATIONS.items() if type(each).__module__ in APPS}
    unnamed = {name for name, each in ours.items() if not each.scopes}

    assert unnamed == {"read_inventory"}  # reads what other steps had leave to write
    assert not {each for each in SCOPES if "bank-payments" in each or "limited" in each}


APPS = {
    f"bokio_app.{folder}.{module}"
    for folder in ("batches", "flows.inventory", "invoicing", "ledger", "payments")
    for module in ("attachments", "bank", "changes", "credit", "flows", "items", "reading", "sync")
} | {"bokio_app.payments.taking_back"}
