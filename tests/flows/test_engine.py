"""The guide's invoice through the engine: what Bokio's books hold, whatever goes wrong."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.connections.models import Connection
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.usefixtures("hurry")

SENDING = [
    "post-customer",
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "record-invoice-with-id",
]
PAYING = [
    "post-invoice-settlement",
    "record-invoice-settlement-with-id",
    "post-invoice-payment",
    "record-invoice-payment-with-id",
]


def send(connection: Connection, person: User) -> Invoice:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    return invoice


def pay(invoice: Invoice, person: User) -> None:
    payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    bokio.work(invoice.connection)
    invoice.refresh_from_db()


def test_the_guides_invoice_is_sent_paid_and_balanced(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = send(connection, person)

    assert invoice.number
    assert invoice.ocr
    assert invoice.total == invoice.open_amount == Decimal("64625.00")
    assert invoice.journal_entry_id

    pay(invoice, person)

    assert invoice.status == "paid"
    assert invoice.open_amount == 0
    assert_guide_is_booked(sandbox, connection)


def test_sending_to_a_new_customer_costs_five_calls_and_to_a_known_one_three(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    reading = {"get-invoices-invoiceId", "get-invoice-payments", "get-invoice-settlements"}
    reading.add("get-journalentries-journalId")

    invoice = send(connection, person)
    new = {op: n for op, n in sandbox.calls()["counts"].items() if op not in reading}

    assert new == {"get-customer": 1, **dict.fromkeys(SENDING, 1)}

    sandbox.clear_calls()
    again = bokio.guide_draft(connection, by=person)
    Invoice.objects.filter(pk=again.pk).update(customer=invoice.customer)
    invoicing.start_sending(again, by=person)
    bokio.work(connection)
    known = {op: n for op, n in sandbox.calls()["counts"].items() if op not in reading}

    assert known == dict.fromkeys(SENDING[1:], 1)


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["lose_answer", "error_after", "truncate"])
@pytest.mark.parametrize("operation", SENDING + PAYING)
def test_an_effect_whose_answer_is_lost_is_found_and_not_repeated(
    kind: str, operation: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault(operation, kind)

    pay(send(connection, person), person)

    assert sandbox.count(operation) == 1
    assert_guide_is_booked(sandbox, connection)


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["reset_before", "error_before"])
@pytest.mark.parametrize("operation", SENDING + PAYING)
def test_a_request_that_had_no_effect_is_repeated_once_absence_is_certain(
    kind: str, operation: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault(operation, kind)

    pay(send(connection, person), person)

    assert sandbox.count(operation) == 2
    assert_guide_is_booked(sandbox, connection)


@pytest.mark.fault
def test_an_expired_token_is_refreshed_and_the_step_goes_on(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.expire_tokens()

    invoice = send(connection, person)

    assert invoice.is_recorded
    connection.refresh_from_db()
    assert connection.generation == 2
    assert sandbox.count("post-invoice") == 1


@pytest.mark.fault
def test_a_revoked_connection_parks_the_flow_and_loses_nothing(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.revoke_connection(str(connection.remote_id))

    invoice = send(connection, person)

    flow = Flow.objects.get(business_key=str(invoice.pk))
    assert (flow.state, flow.wait_reason) == (FlowState.PARKED, "consent")
    connection.refresh_from_db()
    assert connection.state == "broken"
    assert not sandbox.books(str(connection.company_id))["invoices"]
