"""Companies keep their books in different ways; what our copy says of it costs no call."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.models import FiscalYear
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.batches import lines
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio
from tests.support.sandbox import SandboxProcess

WRITES_OF_A_RECORDING_COMPANY = {
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "post-invoice-settlement",
    "post-invoice-payment",
}


def skipped(flow: Flow) -> dict[str, str]:
    return dict(flow.steps.exclude(skip_reason="").values_list("op", "skip_reason"))


def test_what_a_company_records_by_itself_is_done_without_a_call(
    sandbox: SandboxProcess, connection: Connection, tmp_path: Path
) -> None:
    sandbox.change_company(str(connection.company_id), automaticRecording=True)
    path = lines.write(tmp_path / "order.jsonl", lines.guide(connection))
    lines.run(path, connection)
    bokio.work(connection)

    counts = sandbox.calls()["counts"]
    assert {op for op in counts if op.startswith(("post-invoice", "record"))} == (
        WRITES_OF_A_RECORDING_COMPANY
    )
    flow = Flow.objects.get(kind="run_invoice")
    assert skipped(flow) == {
        "record_invoice": "already_recorded",
        "record_settlement": "already_recorded",
        "record_payment": "already_recorded",
    }
    [told] = lines.run(path, connection, "--json").objects
    assert told["journalEntry"]
    assert told["settlements"][0]["journalEntry"]
    assert told["payments"][0]["journalEntry"]
    assert_guide_is_booked(sandbox, connection)


def test_a_credit_note_that_is_recorded_by_itself_is_done_too(
    sandbox: SandboxProcess, connection: Connection, tmp_path: Path
) -> None:
    sandbox.change_company(str(connection.company_id), automaticRecording=True)
    order = lines.small(connection, "A-1", credit={"publish": True, "record": True})
    path = lines.write(tmp_path / "order.jsonl", order)
    lines.run(path, connection)
    bokio.work(connection)

    assert sandbox.count("record-credit-note-with-id") == 0
    [told] = lines.run(path, connection, "--json").objects
    assert (told["state"], bool(told["creditNote"]["journalEntry"])) == ("done", True)
    assert len(sandbox.books(str(connection.company_id))["journalEntries"]) == 2


def test_what_a_person_has_recorded_meanwhile_counts_as_done(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    error = {"status": 429, "code": "rate-limit-exceeded", "headers": {"Retry-After": "1"}}
    sandbox.add_fault("record-invoice-with-id", "status", **error)
    invoice = bokio.guide_draft(connection, by=person)
    flow, _started = invoicing.start_sending(invoice, by=person)
    bokio.work_until(connection, lambda: sandbox.count("record-invoice-with-id") == 1)
    invoice.refresh_from_db()
    sandbox.act_on_invoice(str(connection.company_id), invoice.remote_id, "record")

    Connection.objects.update(blocked_until=None)
    Flow.objects.update(not_before=clock.now())
    bokio.work(connection)

    flow.refresh_from_db()
    step = flow.steps.get(op="record_invoice")
    assert (flow.state, step.resolved_by) == ("done", "proof")
    assert len(sandbox.books(str(connection.company_id))["journalEntries"]) == 1


def test_in_a_cash_method_year_a_file_is_done_with_the_reason_why_it_is_not_recorded(
    sandbox: SandboxProcess, connection: Connection, tmp_path: Path
) -> None:
    FiscalYear.objects.filter(connection=connection).update(method="cash")
    order = lines.small(connection, "A-1", credit={"publish": True, "record": True})
    path = lines.write(tmp_path / "order.jsonl", order)
    lines.run(path, connection)
    bokio.work(connection)

    flow = Flow.objects.get(kind="run_invoice")
    assert (flow.state, skipped(flow)) == (
        "done",
        {"record_invoice": "cash_method", "record_credit_note": "cash_method"},
    )
    assert sandbox.count("record-invoice-with-id") == 0


@pytest.fixture
def closed(connection: Connection) -> None:
    FiscalYear.objects.filter(connection=connection).update(status="closed")


def test_the_editor_names_a_closed_year_and_sends_nothing(
    sandbox: SandboxProcess, connection: Connection, person: User, closed: None, client: Client
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    client.force_login(person)

    answer = client.post(f"/invoices/{invoice.pk}/send/", {"version": invoice.version}, follow=True)

    assert "stängt" in answer.content.decode() or "closed" in answer.content.decode()
    assert not Flow.objects.filter(kind="send_invoice").exists()
    assert sandbox.calls()["counts"] == {}


@pytest.mark.parametrize("missing", [False, True])
def test_a_payment_in_a_closed_or_missing_year_is_refused_before_anything_is_sent(
    missing: bool, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    sandbox.clear_calls()
    if missing:
        day = clock.today() + timedelta(days=3000)
    else:
        FiscalYear.objects.filter(connection=connection).update(status="closed")
        day = clock.today()

    with pytest.raises(payments.CannotPay) as refused:
        payments.register(invoice, bokio.guide_payment(day), by=person, request_key=str(uuid4()))

    code = "no_fiscal_year" if missing else "closed_year"
    assert refused.value.problems == [("date", code)]
    assert sandbox.calls()["counts"] == {}


@pytest.mark.parametrize("part", ["invoice", "settlement", "payment", "credit"])
def test_a_file_is_refused_for_each_of_its_days_in_a_closed_year(
    part: str, sandbox: SandboxProcess, connection: Connection, tmp_path: Path
) -> None:
    year = clock.today().year
    FiscalYear.objects.filter(connection=connection).delete()
    for number, status in ((year, "closed"), (year + 1, "open")):
        FiscalYear.objects.create(
            connection=connection,
            remote_id=str(uuid4()),
            start=f"{number}-01-01",
            end=f"{number}-12-31",
            method="accrual",
            status=status,
        )
    bad, good = clock.today().isoformat(), f"{year + 1}-01-15"
    order = lines.small(connection, "A-1")
    order["invoice"]["invoiceDate"] = bad if part == "invoice" else good
    if part == "settlement":
        order["settlements"] = [{"type": "bankFee", "date": bad, "amount": 1, "record": True}]
    if part == "payment":
        order["payments"] = [{"date": bad, "amount": 1, "account": 1940, "record": True}]
    if part == "credit":
        order["credit"] = {"publish": True}

    called = lines.run(lines.write(tmp_path / "order.jsonl", order), connection, "--json")

    [told] = called.objects
    assert (called.status, told["state"]) == (1, "refused")
    assert "closed" in told["error"]
    assert not Invoice.objects.exists()
