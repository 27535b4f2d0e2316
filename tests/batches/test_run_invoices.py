"""`run_invoices` over the sandbox: what is accepted, what is refused, and what Bokio then has."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connections
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from bokio_app.audit.models import Event
from bokio_app.batches import orders
from bokio_app.batches.models import BulkLine
from bokio_app.batches.services import Accepted, accept_all
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.models import Attempt, Flow, FlowState, Step
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import Tenant, User
from tests.batches import lines
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

SEVEN = [
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "record-invoice-with-id",
    "post-invoice-settlement",
    "record-invoice-settlement-with-id",
    "post-invoice-payment",
    "record-invoice-payment-with-id",
]
CREDIT = ["post-invoices-invoiceId-credit", "publish-credit-note-v1", "record-credit-note-with-id"]
READING = {"get-invoice"}


def writes(sandbox: SandboxProcess) -> dict[str, int]:
    """Calls by operation, without the reading that follows a batch."""
    return {op: n for op, n in sandbox.calls()["counts"].items() if op not in READING}


def run_all(path: Path, connection: Connection, *options: str) -> lines.Called:
    """Accept the file, be the workers, and ask what became of it."""
    lines.run(path, connection)
    bokio.work(connection)
    return lines.run(path, connection, "--wait", "--json", *options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.jsonl"


def test_the_guides_invoice_ends_paid_and_balanced(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    called = run_all(lines.write(file, lines.guide(connection)), connection)

    assert called.status == 0
    [told] = called.objects
    assert (told["line"], told["reference"], told["state"]) == (1, "A-1", "done")
    assert_guide_is_booked(sandbox, connection)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.open_amount) == ("paid", 0)
    assert told["invoice"] == invoice.remote_id
    assert (told["invoiceNumber"], told["paymentReference"]) == (invoice.number, invoice.ocr)
    assert told["payments"][0]["journalEntry"]
    assert told["customer"] == invoice.customer.remote_id
    assert told["flow"] == str(Flow.objects.get(kind="run_invoice").public_id)


def test_the_reference_is_found_in_bokio_beside_our_own_marker(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    order = lines.small(connection, "Order 17/B")
    order["invoice"]["metadata"] = {"shop": "north"}
    run_all(lines.write(file, order), connection)

    [made] = sandbox.books(str(connection.company_id))["invoices"]
    assert made["metadata"]["externalId"] == "Order 17/B"
    assert made["metadata"]["shop"] == "north"
    assert made["metadata"]["op_key"]


def test_seven_steps_cost_nine_calls_for_a_new_customer_and_seven_for_a_known_one(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    run_all(lines.write(file, lines.guide(connection)), connection)

    assert writes(sandbox) == dict.fromkeys(["get-customer", "post-customer", *SEVEN], 1)

    sandbox.clear_calls()
    known = {"id": Customer.objects.get().remote_id}
    run_all(lines.write(file, lines.guide(connection, "A-2", customer=known)), connection)

    assert writes(sandbox) == dict.fromkeys(SEVEN, 1)


def test_a_customer_whom_only_bokio_knows_costs_no_call_of_the_flow(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    run_all(lines.write(file, lines.guide(connection)), connection)
    remote_id = Customer.objects.get().remote_id
    Invoice.objects.update(customer=None)
    Customer.objects.all().delete()
    sandbox.clear_calls()

    order = lines.guide(connection, "A-2", customer={"id": remote_id})
    called = run_all(lines.write(file, order), connection)

    assert called.status == 0
    reading_of_customers = {"get-customer": 1}
    assert writes(sandbox) == dict.fromkeys(SEVEN, 1) | reading_of_customers
    assert Customer.objects.get().name == "John Doe"


def test_a_batch_is_read_together_once_it_is_done(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    orders = [lines.small(connection, f"A-{number}") for number in range(8)]
    run_all(lines.write(file, *orders), connection)

    assert sandbox.count("get-invoice") == 1
    assert sandbox.count("post-customer") == 1
    assert {each.read_at is not None for each in Invoice.objects.all()} == {True}
    assert not BulkLine.objects.filter(unread=True).exists()


def test_the_same_file_twice_makes_nothing_second(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    path = lines.write(file, lines.guide(connection), lines.guide(connection))
    lines.run(path, connection)
    again = lines.run(path, connection)
    bokio.work(connection)
    called = run_all(path, connection)

    assert (again.status, called.status) == (0, 0)
    assert len({told["flow"] for told in called.objects}) == 1
    assert_guide_is_booked(sandbox, connection)
    assert (BulkLine.objects.count(), Invoice.objects.count()) == (1, 1)
    assert (Payment.objects.count(), Settlement.objects.count()) == (1, 1)


def test_the_same_order_written_differently_is_the_same_order(
    connection: Connection, file: Path
) -> None:
    order = lines.guide(connection)
    lines.run(lines.write(file, order), connection)
    order["payments"][0]["amount"] = "64609.5"
    order["invoice"]["lineItems"][0]["unitPrice"] = 290
    order["invoice"]["currency"] = "SEK"
    backwards = dict(reversed(order.items()))

    assert lines.run(lines.write(file, backwards), connection).status == 0
    assert Invoice.objects.count() == 1


def test_a_reference_with_other_content_is_refused_and_nothing_changes(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    run_all(lines.write(file, lines.guide(connection)), connection)
    changed = lines.guide(connection)
    changed["payments"][0]["amount"] = "64609.51"

    called = lines.run(lines.write(file, changed), connection, "--json")

    assert called.status == 1
    [told] = called.objects
    assert (told["state"], told["flow"]) == ("refused", None)
    assert told["error"] == "reference: was used before, with other content"
    assert_guide_is_booked(sandbox, connection)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_bad_line_is_refused_with_its_number_and_the_others_go_on(
    options: tuple[str, ...], connection: Connection, file: Path
) -> None:
    path = lines.write(
        file,
        lines.small(connection, "A-1"),
        "{not json",
        "",
        lines.small(connection, "A-2", company=str(uuid4())),
        lines.small(connection, "A-3", publish=False),
        lines.small(connection, "A-4"),
    )
    called = lines.run(path, connection, *options)

    assert called.status == 1
    assert [*BulkLine.objects.order_by("pk").values_list("reference", flat=True)] == ["A-1", "A-4"]
    if options:
        refused = {
            told["line"]: told["error"] for told in called.objects if told["state"] == "refused"
        }
        assert refused == {
            2: "is not JSON",
            4: "company: is not connected in this workspace",
            5: "record: needs an invoice that is published",
        }
    else:
        assert "line 2: refused: is not JSON" in called.err
        assert "line 4 (A-2): refused: company: is not connected" in called.err


def test_a_company_of_another_workspace_is_refused(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    stranger = make.connection()

    called = lines.run(lines.write(file, lines.small(stranger, "A-1")), connection, "--json")

    assert called.status == 1
    assert called.objects[0]["error"] == "company: is not connected in this workspace"
    assert not BulkLine.objects.exists()


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_nothing_is_ordered_in_a_closed_workspace(
    sandbox: SandboxProcess, connection: Connection, file: Path, more: tuple[str, ...]
) -> None:
    path = lines.write(file, lines.small(connection, "A-1"))
    Tenant.objects.filter(pk=connection.tenant_id).update(closed_at=clock.now())

    called = lines.run(path, connection, "--json", *more)

    assert called.status == 1
    assert called.objects[0]["error"] == "company: is not connected in this workspace"
    assert not BulkLine.objects.exists()


def test_days_and_accounts_are_held_against_our_copy_of_the_books(
    connection: Connection, file: Path
) -> None:
    def order(reference: str, **changes: Any) -> dict[str, Any]:
        return lines.guide(connection, reference) | changes

    fee, paid = lines.guide(connection)["settlements"][0], lines.guide(connection)["payments"][0]
    invoice = lines.guide(connection)["invoice"]
    strange = {**invoice["lineItems"][0], "bookkeepingAccountNumber": 9998}
    path = lines.write(
        file,
        order("A-1", invoice=invoice | {"invoiceDate": "1999-01-01"}),
        order("A-2", invoice=invoice | {"dueDate": "1999-01-01"}),
        order("A-3", invoice=invoice | {"lineItems": [strange]}),
        order("A-4", settlements=[fee | {"date": "1999-01-01"}]),
        order("A-5", payments=[paid, paid | {"account": 9998}]),
    )
    called = lines.run(path, connection, "--json")

    assert [told["error"] for told in called.objects] == [
        "invoice.invoiceDate: is in no fiscal year that we have read of the company",
        "invoice.dueDate: is before the invoice date",
        "invoice.lineItems[0].bookkeepingAccountNumber: is not in the company's chart of accounts",
        "settlements[0].date: is in no fiscal year that we have read of the company",
        "payments[1].account: is not in the company's chart of accounts",
    ]
    assert not Invoice.objects.exists()
    assert not Customer.objects.exists()


def test_a_dry_run_checks_everything_and_keeps_nothing(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    changed = lines.small(connection, "A-1", record=False)
    path = lines.write(file, lines.small(connection, "A-1"), changed, {"reference": "A-2"})
    before = Flow.objects.count()

    called = lines.run(path, connection, "--dry-run", "--json")

    assert called.status == 1
    assert [told["state"] for told in called.objects] == ["accepted", "refused", "refused"]
    assert Flow.objects.count() == before
    for rows in (BulkLine, Invoice, Customer, Payment, Settlement):
        assert not rows.objects.exists()
    assert not sandbox.calls()["counts"]


def test_a_dry_run_says_of_each_line_what_accepting_it_says(
    connection: Connection, file: Path
) -> None:
    """The two take different ways: one only reads, and little."""
    lines.run(lines.write(file, lines.small(connection, "kept")), connection)
    make.fiscal_year(connection, 2019, status="closed")
    closed = {"invoiceDate": "2019-05-05", "lineItems": [{"description": "x", "unitPrice": 1}]}
    nothing = closed | {
        "invoiceDate": clock.today().isoformat(),
        "lineItems": [{"description": "x"}],
    }
    less = nothing | {"lineItems": [{"description": "x", "unitPrice": -1}]}
    guide = lines.guide(connection, "due")
    account = {"date": guide["invoice"]["invoiceDate"], "amount": 1, "account": 9999}
    order = [
        lines.small(connection, "kept"),
        lines.small(connection, "kept", record=False),
        lines.small(connection, "new"),
        lines.small(connection, "new"),
        lines.small(connection, "new", record=False),
        lines.small(connection, "stranger", company=str(uuid4())),
        lines.small(connection, "number", customer={"name": "A", "orgNumber": "556016-0681"}),
        lines.small(connection, "address", customer={"name": "A", "orgNumber": "556016-0680"}),
        lines.small(connection, "number"),  # the first line with it was refused
        lines.small(connection, "known", customer={"id": str(uuid4())}),
        lines.small(connection, "closed", invoice=closed),
        lines.small(connection, "price", invoice=nothing),
        lines.small(connection, "less", invoice=less),
        lines.guide(connection, "due", invoice=guide["invoice"] | {"dueDate": "2020-01-01"}),
        lines.small(connection, "account", payments=[account]),
        lines.small(connection, "credit", credit=True),
        "no JSON",
        {"reference": "half"},
    ]
    lines.write(file, *order)

    tried = lines.run(file, connection, "--dry-run", "--json")
    taken = lines.run(file, connection, "--json")

    def told(called: lines.Called) -> list[tuple[int, str, str | None]]:
        said = [(each["line"], each["reference"], each["error"]) for each in called.objects]
        return sorted(
            (number, ref, error and error.replace(" in this file", ""))
            for number, ref, error in said
        )

    assert told(tried) == told(taken)
    assert tried.status == taken.status == 1
    assert [each for each in told(tried) if each[2]] != []
    assert tried.err.split(";")[0] == taken.err.split(";")[0]


def test_a_dry_run_asks_as_little_for_a_thousand_lines_as_for_one(
    connection: Connection, file: Path, django_assert_max_num_queries: Any
) -> None:
    lines.write(file, *(lines.guide(connection, f"A-{number}") for number in range(1000)))

    with django_assert_max_num_queries(8):
        called = lines.run(file, connection, "--dry-run")

    assert called.status == 0
    assert called.out == "1000 accepted, 0 accepted before.\n"


def test_taking_fifty_lines_asks_as_little_after_many_as_at_the_beginning(
    connection: Connection, file: Path
) -> None:
    """Rows of a table are written together, and what the lines have in common is read once."""
    asked = []
    for part in range(4):
        orders = [lines.guide(connection, f"{part}-{number}") for number in range(50)]
        with CaptureQueriesContext(database) as heard:
            assert lines.run(lines.write(file, *orders), connection).status == 0
        asked.append(len(heard))

    assert BulkLine.objects.count() == 200
    assert asked[0] - asked[1] <= 8  # the first also has the customer made
    assert len(set(asked[1:])) == 1, asked
    # SQLite takes a thousand values at once, and steps have twenty each.
    assert asked[1] <= (40 if database.vendor == "postgresql" else 60), heard.captured_queries

    with CaptureQueriesContext(database) as heard:
        assert lines.run(file, connection).status == 0
    assert len(heard) <= 6, heard.captured_queries


def test_lines_that_are_taken_together_know_of_each_other(
    connection: Connection, file: Path
) -> None:
    """Nothing of one of them is a row yet when the next is judged."""
    other = lines.small(connection, "A-1", record=False)
    path = lines.write(
        file,
        lines.small(connection, "A-1", company=str(uuid4())),
        lines.small(connection, "A-1"),
        other,
        lines.small(connection, "A-1"),
        lines.small(connection, "A-2", customer={"id": str(uuid4())}),
        lines.small(connection, "A-3", invoice={"invoiceDate": "1999-01-01", "lineItems": []}),
    )
    called = lines.run(path, connection, "--json")

    said = {told["line"]: (told["state"], told["error"]) for told in called.objects}
    assert said[1] == ("refused", "company: is not connected in this workspace")
    assert said[3] == ("refused", "reference: was used before, with other content")
    assert [said[number][0] for number in (2, 4, 5, 6)] == ["ready", "ready", "ready", "refused"]
    assert Invoice.objects.count() == BulkLine.objects.count() == 2
    assert Customer.objects.count() == 2
    created = Event.objects.filter(action__in=["customer.created", "invoice.drafted"])
    assert created.count() == 4


def test_two_files_with_the_same_lines_taken_at_once_make_nothing_second(
    connection: Connection,
) -> None:
    """Neither sees what the other has written until it is committed."""
    wanted = [
        orders.parse(json.dumps(lines.small(connection, f"A-{number}")).encode())
        for number in range(20)
    ]
    barrier = Barrier(3)

    def take(turned: bool) -> list[bool]:
        try:
            database.ensure_connection()
            barrier.wait()
            mine = wanted[::-1] if turned else wanted
            verdicts = [
                verdict
                for start in range(0, 20, 7)
                for verdict in accept_all(connection.tenant, mine[start : start + 7])
            ]
            return [isinstance(each, Accepted) and each.new for each in verdicts]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as files:
        new = [*files.map(take, [False, True, False])]

    assert sum(map(sum, new)) == 20
    assert {len(each) for each in new} == {20}
    assert BulkLine.objects.count() == Invoice.objects.count() == 20
    assert Flow.objects.filter(kind="run_invoice").count() == 20
    assert Customer.objects.count() == 1


def test_a_customer_that_a_reading_brings_meanwhile_is_met_and_not_made(
    connection: Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both know Bokio's id, and only one row may have it."""
    remote_id = str(uuid4())
    keep = invoicing.keep_customers

    def late(customers: list[Customer], *, by: User | None) -> None:
        monkeypatch.setattr(invoicing, "keep_customers", keep)
        raise IntegrityError

    monkeypatch.setattr(invoicing, "keep_customers", late)
    orders = [lines.small(connection, f"A-{n}", customer={"id": remote_id}) for n in range(3)]

    assert lines.run(lines.write(file, *orders), connection).status == 0

    assert Customer.objects.get().remote_id == remote_id
    assert Flow.objects.filter(kind="run_invoice").count() == BulkLine.objects.count() == 3


def test_two_rows_of_a_sole_trader_are_one_customer_and_the_number_stands_nowhere_else(
    sandbox: SandboxProcess,
    connection: Connection,
    file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They differ in what does not tell customers apart; the number is a personal one."""
    number = "640823-3234"
    orders = []
    for place in range(3):
        order = lines.small(connection, f"A-{place}")
        contact = {"name": "Eva", "email": f"eva{place}@example.com", "isDefault": True}
        order["customer"] |= {"orgNumber": number, "contactsDetails": [contact]}
        orders.append(order)

    caplog.set_level("DEBUG")
    called = run_all(lines.write(file, *orders), connection)

    assert called.status == 0
    [made] = sandbox.books(str(connection.company_id))["customers"]
    assert made["orgNumber"] == number
    assert {told["customer"] for told in called.objects} == {made["id"]}
    assert Customer.objects.get().remote_id == made["id"]
    told = [caplog.text, called.out, called.err, json.dumps(sandbox.calls())]
    told += [str(row) for kept in (Event, Flow, Step, Attempt) for row in kept.objects.values()]
    told += [json.dumps(each) for each in sandbox.books(str(connection.company_id))["invoices"]]
    digits = number.replace("-", "")
    assert not [each for each in told if number in each or digits in each]


@pytest.mark.parametrize(
    "parts, expected",
    [
        ({"publish": False, "record": False}, SEVEN[:1]),
        ({"record": False}, SEVEN[:2]),
        ({}, SEVEN[:3]),
        ({"settlements": [("15.50", True)]}, SEVEN[:5]),
        ({"settlements": [("15.50", False)]}, SEVEN[:4]),
        ({"payments": [("100.00", False)]}, [*SEVEN[:3], SEVEN[5]]),
        ({"payments": [("100.00", True)]}, [*SEVEN[:3], *SEVEN[5:]]),
        ({"credit": True}, [*SEVEN[:3], *CREDIT]),
        ({"credit": {"publish": True}}, [*SEVEN[:3], *CREDIT[:2]]),
        ({"credit": {}}, [*SEVEN[:3], CREDIT[0]]),
    ],
)
def test_an_order_makes_exactly_the_calls_that_it_asks_for(
    parts: dict[str, Any],
    expected: list[str],
    sandbox: SandboxProcess,
    connection: Connection,
    file: Path,
) -> None:
    order = lines.small(connection, "A-1")
    fee, paid = lines.guide(connection)["settlements"][0], lines.guide(connection)["payments"][0]
    for name, value in parts.items():
        whole = {"settlements": fee, "payments": paid}.get(name)
        order[name] = (
            [whole | {"amount": amount, "record": record} for amount, record in value]
            if whole
            else value
        )

    called = run_all(lines.write(file, order), connection)

    assert called.status == 0, called
    assert writes(sandbox) == dict.fromkeys(["get-customer", "post-customer", *expected], 1)


def test_two_equal_payments_are_two_payments(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    paid = lines.guide(connection)["payments"][0] | {"amount": "500.00"}
    order = lines.small(connection, "A-1", payments=[paid, paid])
    sandbox.lose_answer("post-invoice-payment", nth=2)

    called = run_all(lines.write(file, order), connection)

    assert called.status == 0
    assert len({each["id"] for each in called.objects[0]["payments"]}) == 2
    payments = sandbox.books(str(connection.company_id))["payments"]
    assert [Decimal(each["sumBaseCurrency"]) for each in payments] == [500, 500]
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.open_amount) == ("underPaid", 250)


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["lose_answer", "error_after", "truncate"])
@pytest.mark.parametrize("operation", [SEVEN[3], SEVEN[5], *CREDIT])
def test_an_effect_whose_answer_is_lost_is_found_and_not_repeated(
    kind: str, operation: str, sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    order = lines.guide(connection) if operation in SEVEN else lines.small(connection, "A-1")
    order["credit"] = operation in CREDIT
    sandbox.add_fault(operation, kind)

    called = run_all(lines.write(file, order), connection)

    assert called.status == 0
    assert sandbox.count(operation) == 1


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["reset_before", "error_before"])
@pytest.mark.parametrize("operation", CREDIT)
def test_a_credit_step_that_had_no_effect_is_repeated_once_absence_is_certain(
    kind: str, operation: str, sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    sandbox.add_fault(operation, kind)

    called = run_all(lines.write(file, lines.small(connection, "A-1", credit=True)), connection)

    assert called.status == 0
    assert sandbox.count(operation) == 2
    assert called.objects[0]["creditNote"]["journalEntry"]
    assert sandbox.balance(str(connection.company_id), 1510) == 0
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.open_amount) == ("credited", 0)


def test_a_line_that_needs_a_person_is_told_as_stuck_with_bokios_words(
    sandbox: SandboxProcess, connection: Connection, file: Path, person: User
) -> None:
    paid = lines.guide(connection)["payments"][0]
    order = lines.small(connection, "A-1", payments=[paid | {"account": 3001}])

    called = run_all(lines.write(file, order), connection)

    assert called.status == 1
    [told] = called.objects
    assert told["state"] == "stuck"
    assert told["error"].startswith("create_payment: ")
    assert told["journalEntry"]


def test_a_cancelled_order_forgets_what_it_had_not_made(
    connection: Connection, file: Path, person: User
) -> None:
    lines.run(lines.write(file, lines.guide(connection)), connection)
    flows.cancel(Flow.objects.get(kind="run_invoice"), by=person)

    called = lines.run(file, connection, "--json")

    assert called.status == 1
    assert (called.objects[0]["state"], called.objects[0]["error"]) == ("cancelled", "cancelled")
    assert not Payment.objects.exists()
    assert not Settlement.objects.exists()


def test_an_ordered_invoice_cannot_be_sent_or_edited_beside_its_order(
    sandbox: SandboxProcess, connection: Connection, file: Path, person: User
) -> None:
    lines.run(lines.write(file, lines.guide(connection)), connection)
    invoice = Invoice.objects.get()

    assert not invoicing.is_editable(invoice)
    flow, started = invoicing.start_sending(invoice, by=person)
    assert (flow.kind, started) == ("run_invoice", False)
    bokio.work(connection)
    assert_guide_is_booked(sandbox, connection)


def test_a_draft_that_an_order_left_can_be_sent_on_by_a_person(
    sandbox: SandboxProcess, connection: Connection, file: Path, person: User
) -> None:
    order = lines.small(connection, "A-1", publish=False, record=False)
    run_all(lines.write(file, order), connection)
    invoice = Invoice.objects.get()

    _flow, started = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    assert started
    invoice.refresh_from_db()
    assert invoice.is_recorded
    assert sandbox.count("post-invoice") == 1


def test_a_corrected_draft_goes_on_in_its_order_with_reference_and_payment(
    sandbox: SandboxProcess, connection: Connection, file: Path, person: User
) -> None:
    connection.accounts.all().delete()  # so that nobody but Bokio can refuse the account
    paid = lines.guide(connection)["payments"][0] | {"amount": "1250.00"}
    order = lines.small(connection, "A-1", payments=[paid])
    order["invoice"]["lineItems"][0]["bookkeepingAccountNumber"] = 9998
    order["invoice"]["orderNumberReference"] = "PO 77"
    assert run_all(lines.write(file, order), connection).objects[0]["state"] == "stuck"

    invoice = Invoice.objects.get()
    draft = invoicing.draft_of(invoice)
    draft = replace(draft, lines=[replace(draft.lines[0], account=None)])
    invoice = invoicing.save_draft(invoice, draft, version=invoice.version, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    called = lines.run(file, connection, "--wait", "--json")
    assert (called.status, called.objects[0]["state"]) == (0, "done")
    [made] = sandbox.books(str(connection.company_id))["invoices"]
    assert made["metadata"]["externalId"] == "A-1"
    assert made["orderNumberReference"] == "PO 77"
    assert made["status"] == "paid"


def test_under_the_cash_method_recording_is_skipped_with_its_reason(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    connection.fiscal_years.update(method="cash")

    called = run_all(lines.write(file, lines.small(connection, "A-1", credit=True)), connection)

    assert called.status == 0
    assert (
        sandbox.count("record-invoice-with-id") == sandbox.count("record-credit-note-with-id") == 0
    )
    steps = Flow.objects.get(kind="run_invoice").steps.filter(skip_reason="cash_method")
    assert steps.count() == 2


@pytest.mark.parametrize(
    "options, words",
    [
        ({"tenant": "nobody"}, "No workspace is called nobody."),
        ({}, "No such file"),
    ],
)
def test_a_bad_call_ends_with_two(
    options: dict[str, str], words: str, connection: Connection, tmp_path: Path
) -> None:
    called = lines.run(tmp_path / "missing.jsonl", connection, **options)

    assert called.status == 2
    assert words in called.err


@pytest.mark.skipif(not settings.EMBEDDED, reason="only without PostgreSQL")
def test_without_a_worker_waiting_does_the_work_itself(
    sandbox: SandboxProcess, connection: Connection, file: Path
) -> None:
    called = lines.run(lines.write(file, lines.guide(connection)), connection, "--wait", "--json")

    assert called.status == 0
    assert called.objects[0]["state"] == FlowState.DONE
    assert_guide_is_booked(sandbox, connection)
