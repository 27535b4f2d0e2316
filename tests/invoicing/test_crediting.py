"""Taking an invoice back, as a whole or in part: what Bokio's books then hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import crediting, services
from bokio_app.invoicing.crediting import CannotCredit, Creditable
from bokio_app.invoicing.inputs import DraftInput, LineInput
from bokio_app.invoicing.models import CreditNote, Invoice
from bokio_app.invoicing.sync.credit_notes import keep_notes
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.usefixtures("hurry")

TOTAL = Decimal("64625.00")  # of the guide's invoice: 180 × 290, and −500, with 25 % VAT


@pytest.fixture
def invoice(connection: Connection, person: User) -> Invoice:
    """The guide's invoice, published, recorded and read again."""
    made = bokio.guide_draft(connection, by=person)
    services.start_sending(made, by=person)
    bokio.work(connection)
    return Invoice.objects.get(pk=made.pk)


def sent(connection: Connection, person: User, *lines: LineInput) -> Invoice:
    """An invoice of these lines, published, recorded and read again."""
    made = bokio.guide_draft(connection, by=person)
    draft = DraftInput(made.customer, made.invoice_date, None, "", lines)
    services.save_draft(made, draft, version=made.version, by=person)
    services.start_sending(made, by=person)
    bokio.work(connection)
    return Invoice.objects.get(pk=made.pk)


def quantities(invoice: Invoice, *wanted: str) -> dict[int, Decimal]:
    """The quantities by line, in the order of the lines."""
    pks = invoice.lines.values_list("pk", flat=True)
    return dict(zip(pks, map(Decimal, wanted), strict=True))


def credit(
    invoice: Invoice, person: User, *wanted: str, key: str = "", seen: Decimal | None = None
) -> Flow:
    """Have these quantities credited, all that is left if none are told."""
    found = Creditable(invoice)
    asked = quantities(invoice, *wanted) if wanted else found.rest
    flow, _started = crediting.credit(
        invoice,
        asked,
        seen=found.amount(asked).total if seen is None else seen,
        by=person,
        request_key=key or str(uuid4()),
    )
    return flow


def codes(refused: pytest.ExceptionInfo[CannotCredit]) -> list[str]:
    return [code for _field, code in refused.value.problems]


def notes_in(sandbox: SandboxProcess, connection: Connection) -> list[Any]:
    notes = sandbox.books(str(connection.company_id))["creditNotes"]
    return sorted(notes, key=lambda each: each["invoiceNumber"] or "")


def amounts(notes: list[Any]) -> list[Decimal]:
    return [Decimal(str(each["totalAmount"])) for each in notes]


def test_a_whole_invoice_is_credited_published_and_recorded(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    flow = credit(invoice, person)
    bokio.work(connection)

    flow.refresh_from_db()
    invoice.refresh_from_db()
    [note] = notes_in(sandbox, connection)
    assert flow.state == FlowState.DONE
    assert (amounts([note]), note["status"]) == ([TOTAL], "published")
    assert note["journalEntryRef"]
    assert (invoice.status, invoice.open_amount) == ("credited", 0)
    row = CreditNote.objects.get()
    assert (row.total, row.tax, row.is_recorded) == (TOTAL, Decimal("12925.00"), True)
    entries = connection.journal_entries.filter(remote_id=row.journal_entry_id)
    assert entries.count() == 1  # read with the invoice, for its page


def test_a_part_by_line_and_quantity_leaves_the_rest_to_credit(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    credit(invoice, person, "80", "0")
    bokio.work(connection)

    [note] = notes_in(sandbox, connection)
    assert amounts([note]) == [Decimal("29000.00")]
    assert [each["quantity"] for each in note["lineItems"]] == [80]
    invoice.refresh_from_db()
    found = Creditable(invoice)
    assert found.left.total == TOTAL - 29000 == invoice.open_amount
    assert found.lines is not None
    assert [each.left for each in found.lines] == [100, 1]

    credit(invoice, person)
    bokio.work(connection)

    notes = notes_in(sandbox, connection)
    assert amounts(notes) == [Decimal("29000.00"), Decimal("35625.00")]
    invoice.refresh_from_db()
    assert (invoice.status, invoice.open_amount) == ("credited", 0)
    with pytest.raises(CannotCredit) as refused:
        credit(invoice, person)
    assert codes(refused) == ["credited"]


def test_parts_that_round_by_themselves_add_up_to_the_invoice(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    line = LineInput(description="Timmar", quantity=Decimal(3), unit_price=Decimal("0.50"))
    invoice = sent(connection, person, line)
    assert invoice.total == Decimal("1.88")  # 1.50 and VAT of 0.375
    for _each in range(2):
        credit(invoice, person, "1")
        bokio.work(connection)
        invoice.refresh_from_db()

    credit(invoice, person)
    bokio.work(connection)

    notes = amounts(notes_in(sandbox, connection))
    assert (notes, sum(notes)) == ([Decimal("0.63")] * 2 + [Decimal("0.62")], invoice.total)


def test_equal_lines_are_one_wherever_the_quantity_is_written(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    line = LineInput(description="Dag", quantity=Decimal(2), unit_price=Decimal(100))
    invoice = sent(connection, person, line, line)
    credit(invoice, person, "0", "1")
    bokio.work(connection)

    credit(invoice, person, "1", "2")
    bokio.work(connection)

    assert amounts(notes_in(sandbox, connection)) == [Decimal(125), Decimal(375)]


def test_a_form_that_is_sent_twice_credits_once(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    first = credit(invoice, person, "1", "0", key="one form")
    again = credit(invoice, person, "1", "0", key="one form")
    with pytest.raises(CannotCredit) as refused:
        credit(invoice, person, "1", "0", key="another form")
    bokio.work(connection)

    assert first == again
    assert codes(refused) == ["under_way"]
    assert amounts(notes_in(sandbox, connection)) == [Decimal("362.50")]


@pytest.mark.parametrize(
    "wanted, code",
    [(("181", "0"), "too_much"), (("-1", "0"), "too_much"), (("0", "0"), "nothing")],
)
def test_no_more_than_what_is_left_and_no_less_than_something_is_credited(
    wanted: tuple[str, str], code: str, invoice: Invoice, person: User
) -> None:
    with pytest.raises(CannotCredit) as refused:
        credit(invoice, person, *wanted, seen=TOTAL)

    assert codes(refused) == [code]
    assert not Flow.objects.filter(kind=crediting.CREDIT).exists()


def test_another_amount_than_the_one_that_was_seen_starts_nothing(
    invoice: Invoice, person: User
) -> None:
    with pytest.raises(CannotCredit) as refused:
        credit(invoice, person, "1", "0", seen=TOTAL)

    assert codes(refused) == ["changed_meanwhile"]


def test_a_draft_that_comes_to_another_amount_is_not_published(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    ours = {"invoice": str(invoice.pk), "remote_invoice": invoice.remote_id}
    flow, _started = flows.start(
        crediting.CREDIT,
        connection=connection,
        steps=[
            flows.NewStep("credit_invoice", ours),
            flows.NewStep("publish_credit_note", {**ours, "total": TOTAL - 1}),
        ],
        business_key="other amount",
        resource_key=invoice.resource_key,
        by=person,
    )
    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "note-differs")
    assert [each["status"] for each in notes_in(sandbox, connection)] == ["draft"]


def test_a_draft_that_somebody_changed_in_bokio_is_not_published_from_our_page(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    note = drafted(invoice, connection)
    change_in_bokio(note, connection)

    flow, _started = crediting.finish(note, invoice, by=person, request_key=str(uuid4()))
    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "note-differs")
    assert [each["status"] for each in notes_in(sandbox, connection)] == ["draft"]


def test_a_draft_is_published_and_recorded_once(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    note = drafted(invoice, connection)
    with pytest.raises(CannotCredit) as refused:
        credit(invoice, person)

    for _each in range(2):
        crediting.finish(note, invoice, by=person, request_key="one click")
    bokio.work(connection)

    assert codes(refused) == ["draft_exists"]
    [found] = notes_in(sandbox, connection)
    assert (found["status"], bool(found["journalEntryRef"])) == ("published", True)
    note.refresh_from_db()
    with pytest.raises(CannotCredit) as refused:
        crediting.finish(note, invoice, by=person, request_key="another")
    assert codes(refused) == ["recorded"]


def test_a_draft_is_deleted_and_the_invoice_can_be_credited_again(
    invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    note = drafted(invoice, connection)

    crediting.delete(note, invoice, by=person, request_key=str(uuid4()))
    bokio.work(connection)

    assert notes_in(sandbox, connection) == []
    note.refresh_from_db()
    assert note.gone_at
    invoice.refresh_from_db()
    assert crediting.problems_of(Creditable(invoice)) == []


@pytest.mark.parametrize(
    "call",
    [
        "post-invoices-invoiceId-credit",
        "update-credit-note-v1",
        "publish-credit-note-v1",
        "record-credit-note-with-id",
    ],
)
def test_a_lost_answer_never_credits_twice(
    call: str, invoice: Invoice, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    credit(invoice, person, "80", "0")
    bokio.work(connection)
    sandbox.add_fault(call, "lose_answer")

    invoice.refresh_from_db()
    credit(invoice, person, "20", "0")
    bokio.work(connection)

    assert amounts(notes_in(sandbox, connection)) == [Decimal(29000), Decimal(7250)]
    assert Flow.objects.filter(kind=crediting.CREDIT, state=FlowState.DONE).count() == 2


@pytest.mark.parametrize("lines", [None, [{"description": "Something else"}]])
def test_notes_that_cannot_be_laid_against_the_lines_leave_only_the_rest(
    lines: list[dict[str, Any]] | None, transactional_db: None
) -> None:
    invoice = make.invoice(make.connection(), status="published")
    row = {
        "type": "salesItem",
        "product": "services",
        "quantity": "1.000",
        "unit": "unspecified",
        "unit_price": "100.00",
        "tax_rate": 25,
        "account": None,
    }
    make.credit_note(
        invoice, lines=lines and [row | each for each in lines], total=Decimal(125), tax=Decimal(25)
    )

    found = Creditable(invoice)

    assert found.lines is None
    assert found.amount({}).total == Decimal(1125)


def api_of(connection: Connection) -> Bokio:
    """Bokio as somebody else of the company's uses it."""
    return bokio_for(connection, access=grants.access(connection), before_call=bokio.uncounted)


def drafted(invoice: Invoice, connection: Connection) -> CreditNote:
    """A draft that somebody made in Bokio, as the next reading brings it."""
    note = api_of(connection).invoices.credit(UUID(invoice.remote_id))
    keep_notes(connection.tenant_id, connection.pk, [note], clock.now())
    return CreditNote.objects.get(remote_id=str(note.id))


def change_in_bokio(note: CreditNote, connection: Connection) -> None:
    api, note_id = api_of(connection), UUID(note.remote_id)
    held = CreditNoteDraft.from_credit_note(api.credit_notes.get(note_id))
    lines = tuple(replace(each, quantity=each.quantity / 2) for each in held.line_items)
    api.credit_notes.update(note_id, replace(held, line_items=lines))
