"""The audit after the fact: what Bokio holds beyond, beside or without our rows is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bokio_app.audit.models import Event
from bokio_app.bokio.client import Bokio
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.core import clock
from bokio_app.flows import daily
from bokio_app.flows import services as flows
from bokio_app.flows.inventory import reading
from bokio_app.flows.inventory.services import AlreadyResolved, open_findings, resolve
from bokio_app.flows.models import Finding, Flow, FlowState, Step
from bokio_app.flows.tasks import sweep
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.batches import lines
from tests.flows import cases
from tests.support import bokio
from tests.support.net import wait_until
from tests.support.sandbox import ALL_SCOPES, SandboxProcess

pytestmark = pytest.mark.fault

DAY = timedelta(days=1)
LATER_THAN_SETTLED = 200  # of the engine's seconds; after 95 it believes that nothing came of it


@pytest.fixture
def a_day_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Move the product's clock on to the next day; the tokens are renewed on the way."""
    real, ahead = clock.now, [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: real() + ahead[0])

    def move() -> None:
        ahead[0] += DAY

    return move


def count(connection: Connection, sandbox: SandboxProcess) -> Flow:
    """Have the company counted; the calls of that are the sandbox's only ones."""
    connection.refresh_from_db()
    grants.access(connection)
    sandbox.clear_calls()
    flow = reading.start(connection, today=clock.today())
    assert flow
    bokio.work(connection)
    flow.refresh_from_db()
    assert flow.state == FlowState.DONE, flow.stuck_code
    return flow


def calls(sandbox: SandboxProcess) -> int:
    return sum(sandbox.calls()["counts"].values())


def sent(connection: Connection, person: User) -> Invoice:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    return invoice


def paid(connection: Connection, person: User) -> Invoice:
    invoice = sent(connection, person)
    payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    bokio.work(connection)
    invoice.refresh_from_db()
    return invoice


def test_a_request_that_bokio_carries_out_after_it_has_settled_is_found_the_next_day(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    a_day_passes: Callable[[], None],
) -> None:
    sandbox.add_fault("post-invoice", "delay", seconds=LATER_THAN_SETTLED)
    invoice = sent(connection, person)
    assert invoice.is_recorded
    held = wait_for_two(sandbox, connection, "invoices")
    [late] = [each for each in held if each["id"] != invoice.remote_id]

    a_day_passes()
    count(connection, sandbox)

    [finding] = open_findings(connection.tenant)
    assert (finding.kind, finding.object_type) == ("surplus", "invoice")
    assert finding.remote_id == late["id"]
    assert finding.step == Step.objects.get(op="create_invoice")
    assert calls(sandbox) == 1
    [event] = Event.objects.filter(action="inventory.difference")
    assert event.data["remote_id"] == late["id"]


def wait_for_two(sandbox: SandboxProcess, connection: Connection, what: str) -> list[Any]:
    """Until Bokio has carried out the late request too."""
    ends = time.monotonic() + 60
    while len(held := sandbox.books(str(connection.company_id))[what]) < 2:
        assert time.monotonic() < ends, held
        threading.Event().wait(0.05)
    return list(held)


def test_what_is_as_it_should_be_raises_nothing_and_costs_one_read(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    a_day_passes: Callable[[], None],
) -> None:
    paid(connection, person)

    a_day_passes()
    count(connection, sandbox)

    assert not Finding.objects.exists()
    assert calls(sandbox) == 1


def test_a_file_of_orders_is_counted_with_few_reads_and_each_day_once(
    sandbox: SandboxProcess,
    connection: Connection,
    a_day_passes: Callable[[], None],
    tmp_path: Path,
    settings: Any,
) -> None:
    settings.FLOW_SEND_GUARD, settings.FLOW_DEADLINE = (
        5,
        30,
    )  # a busy machine asks nothing twice
    orders = [lines.small(connection, f"A-{number}") for number in range(30)]
    lines.run(lines.write(tmp_path / "orders.jsonl", *orders), connection)
    bokio.work(connection)

    a_day_passes()
    count(connection, sandbox)

    assert not Finding.objects.exists()
    assert sandbox.calls()["counts"] == {"get-invoice": 3}  # two of marks, one of the day
    assert reading.start(connection, today=clock.today()) is None


def test_a_payment_made_twice_or_taken_away_or_changed_is_told(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    a_day_passes: Callable[[], None],
    tmp_path: Path,
) -> None:
    twice = paid(connection, person)
    day = clock.today().isoformat()
    payment = {"date": day, "amount": "64609.50", "account": 1940, "record": False}
    order = lines.guide(connection, payments=[payment])
    lines.run(lines.write(tmp_path / "order.jsonl", order), connection)
    bokio.work(connection)
    gone = Invoice.objects.get(bulk_line__reference="A-1")
    amounts = {"date": str(clock.today()), "amount": "64609.50", "account": 1940}
    sandbox.pay_invoice(str(connection.company_id), twice.remote_id, **amounts)
    write_as_somebody(connection).payments.delete(
        UUID(gone.remote_id), UUID(gone.payments.get().remote_id)
    )

    a_day_passes()
    count(connection, sandbox)

    found = {(each.kind, each.object_type, each.wanted["amount"]) for each in Finding.objects.all()}
    assert found == {("surplus", "payment", "64609.50"), ("vanished", "payment", "64609.50")}


def write_as_somebody(connection: Connection) -> Bokio:
    """A client that belongs to no flow."""
    return bokio_for(connection, access=grants.access(connection), before_call=bokio.uncounted)


def test_a_draft_that_somebody_has_changed_or_deleted_in_bokio_is_told(
    sandbox: SandboxProcess,
    connection: Connection,
    a_day_passes: Callable[[], None],
    tmp_path: Path,
) -> None:
    draft = {"publish": False, "record": False}
    orders = [lines.small(connection, f"A-{number}", **draft) for number in range(3)]
    lines.run(lines.write(tmp_path / "orders.jsonl", *orders), connection)
    bokio.work(connection)
    changed, deleted, _kept = Invoice.objects.order_by("pk").values_list("remote_id", flat=True)
    client = write_as_somebody(connection)
    line = client.invoices.get(UUID(changed)).line_items[0]
    client.invoices.add_line(UUID(changed), replace(line, id=None))
    client.invoices.delete(UUID(deleted))

    a_day_passes()
    count(connection, sandbox)

    found = {each.remote_id: each for each in Finding.objects.all()}
    assert {each.kind for each in found.values()} == {"changed", "vanished"}
    assert found[changed].kind == "changed"
    assert Decimal(found[changed].wanted["total"]) == 1250
    assert Decimal(found[changed].seen["total"]) == 2500
    assert found[deleted].kind == "vanished"


def test_an_invoice_whose_key_no_step_has_any_more_is_met_among_the_days_others(
    sandbox: SandboxProcess,
    connection: Connection,
    a_day_passes: Callable[[], None],
    tmp_path: Path,
    settings: Any,
) -> None:
    settings.FLOW_SEND_GUARD, settings.FLOW_DEADLINE = (
        5,
        30,
    )  # a busy machine asks nothing twice
    orders = [lines.small(connection, f"A-{number}") for number in range(3)]
    lines.run(lines.write(tmp_path / "orders.jsonl", *orders), connection)
    bokio.work(connection)
    forgotten = Step.objects.filter(op="create_invoice").first()
    assert forgotten
    Step.objects.filter(pk=forgotten.pk).update(op_key=uuid4(), state="pending", remote_id="")

    a_day_passes()
    count(connection, sandbox)

    [finding] = Finding.objects.filter(step=None)
    assert (finding.kind, finding.remote_id) == ("surplus", forgotten.remote_id)
    assert calls(sandbox) <= 3


def test_a_journal_entry_made_twice_is_told(
    sandbox: SandboxProcess,
    person: User,
    a_day_passes: Callable[[], None],
) -> None:
    connection = bokio.connect(sandbox, by=person, scopes=ALL_SCOPES)
    sandbox.add_fault("post-journalentry", "delay", seconds=LATER_THAN_SETTLED)
    rows = [
        {"account": 1930, "debit": "1.00", "credit": "0"},
        {"account": 6570, "debit": "0", "credit": "1.00"},
    ]
    flows.start(
        "write_journal_entry",
        connection=connection,
        steps=[
            flows.NewStep(
                "write_journal_entry", {"title": "X", "date": str(clock.today()), "rows": rows}
            )
        ],
        business_key="x",
        by=person,
    )
    bokio.work(connection)
    wait_for_two(sandbox, connection, "journalEntries")

    a_day_passes()
    count(connection, sandbox)

    [finding] = Finding.objects.all()
    assert (finding.kind, finding.object_type) == ("surplus", "journal_entry")


def test_the_sweep_starts_the_inventory_by_itself_once_a_day_in_the_lowest_lane(
    connection: Connection,
    person: User,
    a_day_passes: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent(connection, person)
    monkeypatch.setattr(daily, "_next_look", 0.0)
    sweep()
    assert not Flow.objects.filter(kind=reading.READ_INVENTORY).exists()

    a_day_passes()
    for _sweep in range(2):
        monkeypatch.setattr(daily, "_next_look", 0.0)
        sweep()

    flow = Flow.objects.get(kind=reading.READ_INVENTORY)
    assert flow.lane == 9


def test_an_alarm_is_resolved_once_with_a_reason_and_not_raised_again(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    a_day_passes: Callable[[], None],
) -> None:
    invoice = paid(connection, person)
    amounts = {"date": str(clock.today()), "amount": "64609.50", "account": 1940}
    sandbox.pay_invoice(str(connection.company_id), invoice.remote_id, **amounts)
    a_day_passes()
    count(connection, sandbox)
    [finding] = open_findings(connection.tenant)

    resolve(finding, by=person, reason="The customer paid twice.")
    with pytest.raises(AlreadyResolved):
        resolve(finding, by=person, reason="again")
    a_day_passes()
    count(connection, sandbox)

    assert not open_findings(connection.tenant).exists()
    event = Event.objects.get(action="inventory.resolved")
    assert (event.actor, event.data["reason"]) == (person, "The customer paid twice.")


def test_an_item_made_twice_is_told_and_one_that_was_there_before_is_not(
    sandbox: SandboxProcess, person: User, a_day_passes: Callable[[], None]
) -> None:
    connection = bokio.connect(sandbox, by=person, scopes=ALL_SCOPES)
    client = write_as_somebody(connection)
    client.items.create(cases.item())
    sandbox.add_fault("post-item", "delay", seconds=LATER_THAN_SETTLED)
    start(connection, person, "create_item", cases.item_payload())
    wait_until(lambda: len([*client.items.find()]) == 3, what="the late item has come")
    mine = Step.objects.get(op="create_item").remote_id

    a_day_passes()
    count(connection, sandbox)

    [finding] = Finding.objects.all()
    assert (finding.kind, finding.object_type) == ("surplus", "item")
    assert finding.remote_id == str([*client.items.find()][-1].id) != mine


def test_a_line_that_was_added_twice_is_told(
    sandbox: SandboxProcess,
    person: User,
    a_day_passes: Callable[[], None],
    tmp_path: Path,
) -> None:
    connection = bokio.connect(sandbox, by=person, scopes=ALL_SCOPES)
    draft = lines.small(connection, "A-1", publish=False, record=False)
    lines.run(lines.write(tmp_path / "orders.jsonl", draft), connection)
    bokio.work(connection)
    invoice = Invoice.objects.get().remote_id
    sandbox.add_fault("post-invoice-lineItem", "delay", seconds=LATER_THAN_SETTLED)
    added = {"remote_invoice": invoice, "line": cases.line(description="Resa")}
    start(connection, person, "add_line_item", added)

    def rows() -> list[Any]:
        [held] = sandbox.books(str(connection.company_id))["invoices"]
        return list(held["lineItems"])

    wait_until(lambda: len(rows()) == 3, what="the late line has come")
    a_day_passes()
    count(connection, sandbox)

    [finding] = Finding.objects.all()
    assert (finding.kind, finding.object_type) == ("surplus", "line_item")
    late = {str(row["id"]) for row in rows() if row["description"] == "Resa"}
    mine = str(Step.objects.get(op="add_line_item").result["remote_id"])
    assert finding.remote_id.split(":") == [invoice, *(late - {mine})]
    assert calls(sandbox) == 1


def start(connection: Connection, person: User, op: str, payload: dict[str, Any]) -> None:
    """Carry out a flow of one step."""
    step = flows.NewStep(op, payload)
    flows.start(op, connection=connection, steps=[step], business_key=str(uuid4()), by=person)
    bokio.work(connection)
