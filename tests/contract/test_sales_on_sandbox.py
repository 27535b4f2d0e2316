"""Client and sandbox together, over real HTTP: the sales and the files of one company.

Each of the two is held against Bokio's published contract by itself; here they meet.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNoteDraft, CreditNoteStatus
from bokio_app.bokio.customers import Customer, CustomerDraft, CustomerType
from bokio_app.bokio.errors import Invalid, NotFound, StateRefused
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.filters import F
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import Invoice, InvoiceDraft, InvoiceStatus
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType, ReverseCharge, UnitType
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft, SettlementType, VatScheme
from bokio_app.bokio.tax_reductions import (
    DeductionPerson,
    Job,
    LineReduction,
    PropertyType,
    ReductionType,
    TaxReduction,
)
from tests.sandbox.files import JPEG, PDF, png
from tests.support.sandbox import SandboxProcess, running_sandbox

pytestmark = pytest.mark.contract

TODAY = datetime.now(UTC).date()
ADDRESS = Address("Storgatan 1", postal_code="903 25", city="Umeå")
WORDS = LineItem(description="Tack!", item_type=ItemType.DESCRIPTION)
FOUR = LineItem(
    description="Hylla",
    product_type=ProductType.GOODS,
    unit_type=UnitType.PIECE,
    quantity=Decimal(4),
    unit_price=Decimal("250.25"),
)


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with running_sandbox() as process:
        yield process


@pytest.fixture(scope="module")
def company_id(process: SandboxProcess) -> UUID:
    return UUID(process.companies()[0]["id"])


@pytest.fixture(scope="module")
def bokio(process: SandboxProcess, company_id: UUID) -> Bokio:
    token = process.tokens_for(str(company_id)).access_token
    return Bokio(Http(process.api_url, access_token=token), company_id)


@pytest.fixture
def customer(bokio: Bokio) -> Customer:
    number = f"K-{uuid4().hex[:8]}"
    draft = CustomerDraft(name="Åsa Öberg AB", address=ADDRESS, customer_number=number)
    return bokio.customers.create(draft)


def order(customer: Customer, *lines: LineItem, **changes: Any) -> InvoiceDraft:
    options: dict[str, Any] = {
        "customer_id": customer.id,
        "invoice_date": TODAY,
        "line_items": lines or (FOUR,),
    }
    return InvoiceDraft(**options | changes)


@pytest.fixture
def draft(bokio: Bokio, customer: Customer) -> Invoice:
    return bokio.invoices.create(order(customer, FOUR, WORDS))


@pytest.fixture
def published(bokio: Bokio, draft: Invoice) -> Invoice:
    """1 251.25 SEK: four shelves at 250.25 and 25 % VAT."""
    return bokio.invoices.publish(draft.id)


def test_an_item_lives_and_makes_a_row_of_its_own_price(bokio, customer):
    name = f"Lampa {uuid4().hex}"
    item = bokio.items.create(
        ItemDraft(description=name, unit_type=UnitType.PIECE, unit_price=Decimal("99.90"))
    )

    changed = bokio.items.update(item.id, replace(ItemDraft.from_item(item), tax_rate=Decimal(6)))
    (found,) = bokio.items.find((F("description") == name) & (F("taxRate") == 6))
    invoice = bokio.invoices.create(order(customer, found.line(quantity=Decimal(3))))
    bokio.items.delete(item.id)

    assert found == changed == replace(item, tax_rate=Decimal(6))
    (row,) = invoice.line_items
    assert (row.item_id, row.description, row.quantity) == (item.id, name, 3)
    assert (row.unit_price, row.tax_rate) == (Decimal("99.9"), 6)
    with pytest.raises(NotFound):
        bokio.items.get(item.id)


def test_an_item_with_a_rate_that_does_not_exist_is_refused_by_field(bokio):
    with pytest.raises(Invalid) as raised:
        bokio.items.create(ItemDraft(description="Lampa", tax_rate=Decimal(7)))

    assert [each.pointer for each in raised.value.fields] == ["#/taxRate"]


def test_a_line_is_added_last(bokio, draft):
    added = bokio.invoices.add_line(draft.id, LineItem(description="Frakt", unit_price=Decimal(50)))

    invoice = bokio.invoices.get(draft.id)

    assert invoice.line_items == (*draft.line_items, added)
    assert invoice.total - draft.total == Decimal("62.5")


def test_a_draft_made_of_what_bokio_has_changes_what_it_means_to_and_nothing_else(bokio, customer):
    before = bokio.invoices.create(
        order(
            customer,
            FOUR,
            WORDS,
            metadata={"op_key": uuid4().hex},
            project="P",
            buyer_reference="B",
            delivery_address=Address("Hamnen 2", postal_code="903 26", city="Umeå", line2="Port 3"),
            total_rounding=False,
        )
    )

    changed = replace(InvoiceDraft.from_invoice(before), contract="C")
    bokio.invoices.update(before.id, changed)

    assert bokio.invoices.get(before.id) == replace(before, contract="C")


def test_a_published_invoice_is_no_draft_any_more(bokio, published):
    for act in (
        lambda: bokio.invoices.update(published.id, InvoiceDraft.from_invoice(published)),
        lambda: bokio.invoices.add_line(published.id, FOUR),
        lambda: bokio.attachments.create(published.id, OutgoingFile("a.pdf", PDF)),
        lambda: bokio.invoices.delete(published.id),
    ):
        with pytest.raises(StateRefused):
            act()


@pytest.mark.parametrize(
    "name, content", [("Följesedel 7.pdf", PDF), ("bild.jpeg", JPEG), ("bild.PNG", png())]
)
def test_an_attachment_goes_up_and_comes_back_as_it_was(bokio, draft, name, content):
    made = bokio.attachments.create(draft.id, OutgoingFile(name, io.BytesIO(content)))
    back = io.BytesIO()

    told = bokio.attachments.download_into(draft.id, made.id, back)

    assert back.getvalue() == content == bokio.attachments.download(draft.id, made.id)
    assert told.size == len(content)
    assert bokio.attachments.list(draft.id, F("fileName") == name) == [made]
    assert bokio.attachments.get(draft.id, made.id) == made
    assert [each.name for each in bokio.invoices.get(draft.id).attachments] == [name]
    bokio.attachments.delete(draft.id, made.id)
    assert bokio.attachments.list(draft.id) == []


def test_an_attachment_of_almost_four_megabytes_goes_as_a_whole(bokio, draft):
    content = PDF + b"%" * (4_000_000 - len(PDF) - 1)

    made = bokio.attachments.create(draft.id, OutgoingFile("stor.pdf", content))

    assert bokio.attachments.download(draft.id, made.id) == content


def test_a_voucher_goes_up_under_its_entry_and_is_found_there(bokio, published):
    entry_id = bokio.invoices.record(published.id).journal_entry_id
    mark = f"Kvitto {uuid4().hex}"

    made = bokio.uploads.create(
        OutgoingFile("kvitto.png", png()), description=mark, journal_entry_id=entry_id
    )

    assert (made.media_type, made.journal_entry_id) == ("image/png", entry_id)
    assert list(bokio.uploads.find(F("description") == mark)) == [made]
    assert made in list(bokio.uploads.find(F("journalEntryId") == entry_id))
    assert bokio.uploads.get(made.id) == made
    assert bokio.uploads.download(made.id) == png()


def test_a_file_that_is_not_what_it_says_is_refused_by_field(bokio):
    with pytest.raises(Invalid) as raised:
        bokio.uploads.create(OutgoingFile("kvitto.pdf", b"<html>"))

    assert [each.pointer for each in raised.value.fields] == ["#/file"]


def test_a_part_of_an_invoice_is_taken_back(bokio, published):
    note = bokio.invoices.credit(published.id)
    draft = CreditNoteDraft.from_credit_note(note)
    one = replace(note.line_items[0], quantity=Decimal(1))

    bokio.credit_notes.update(note.id, replace(draft, line_items=(one,)))
    numbered = bokio.credit_notes.publish(note.id)
    bokio.invoices.record(published.id)
    recorded = bokio.credit_notes.record(note.id)

    assert (note.status, note.number, note.invoice_id) == (
        CreditNoteStatus.DRAFT,
        None,
        published.id,
    )
    assert numbered.number
    assert recorded.status == CreditNoteStatus.PUBLISHED
    assert bokio.credit_notes.get(note.id) == recorded
    entry = bokio.journal_entries.get(recorded.journal_entry_id)
    rows = {row.account: row.debit - row.credit for row in entry.items}
    assert sum(rows.values()) == 0
    assert (rows[1510], rows[2611]) == (Decimal("-312.81"), Decimal("62.56"))
    assert bokio.invoices.get(published.id).credit_note_ids == (note.id,)
    assert bokio.credit_notes.download(note.id).startswith(b"%PDF-")


def test_a_drafted_note_can_be_dropped_and_a_draft_cannot_be_credited(bokio, draft):
    with pytest.raises(StateRefused):
        bokio.invoices.credit(draft.id)
    invoice = bokio.invoices.publish(draft.id)
    note = bokio.invoices.credit(invoice.id)
    with pytest.raises(StateRefused):
        bokio.credit_notes.download(note.id)

    bokio.credit_notes.delete(note.id)

    with pytest.raises(NotFound):
        bokio.credit_notes.get(note.id)


def test_notes_are_found_by_what_their_invoice_was_marked_with(bokio, customer):
    mark = uuid4().hex
    invoice = bokio.invoices.create(order(customer, metadata={"op_key": mark}))
    note = bokio.invoices.credit(bokio.invoices.publish(invoice.id).id)

    assert [each.id for each in bokio.credit_notes.find(F("customerRef") == customer.id)] == [
        note.id
    ]


def test_an_invoice_is_closed_by_a_payment_a_fee_and_a_currency_difference(bokio, published):
    fee = SettlementDraft(
        type=SettlementType.PAYMENT_SERVICE_FEE,
        date=TODAY,
        amount=Decimal("20.00"),
        vat_scheme=VatScheme.EU,
    )
    bank = SettlementDraft(type=SettlementType.BANK_FEE, date=TODAY, amount=Decimal("1.25"))
    gain = SettlementDraft(type=SettlementType.CURRENCY, date=TODAY, amount=Decimal("-0.50"))
    money = PaymentDraft(date=TODAY, amount=Decimal("1230.50"), account=1930)
    bokio.invoices.record(published.id)

    made = [bokio.settlements.create(published.id, each) for each in (fee, bank, gain)]
    paid = bokio.payments.create(published.id, money)
    recorded = [bokio.settlements.record(published.id, each.id) for each in made]
    booked = bokio.payments.record(published.id, paid.id)

    assert all(each.journal_entry_id for each in (*recorded, booked))
    listed = bokio.settlements.list(published.id)
    assert {each.id: each for each in listed} == {each.id: each for each in recorded}
    assert {each.type: each.vat_scheme for each in listed} == {
        "paymentServiceFee": "eu",
        "bankFee": None,
        "currency": None,
    }
    assert bokio.payments.list(published.id, F("sumBaseCurrency") == money.amount) == [booked]
    assert bokio.invoices.get(published.id).status == InvoiceStatus.PAID


def test_a_customer_is_found_by_its_number_and_loses_nothing_in_an_update(bokio, customer):
    (found,) = bokio.customers.find(F("customerNumber") == customer.customer_number)

    changed = replace(CustomerDraft.from_customer(found), construction_reverse_charge=True)
    updated = bokio.customers.update(found.id, changed)

    assert found == customer
    expected = replace(found, construction_reverse_charge=True, modified_at=updated.modified_at)
    assert updated == expected


def test_building_work_for_a_marked_buyer_carries_no_vat(bokio, customer):
    changed = replace(CustomerDraft.from_customer(customer), construction_reverse_charge=True)
    bokio.customers.update(customer.id, changed)
    line = replace(FOUR, tax_rate=Decimal(0), reverse_charge=ReverseCharge.CONSTRUCTION)

    invoice = bokio.invoices.create(order(customer, line))

    assert (invoice.total, invoice.total_tax) == (1001, 0)
    assert invoice.line_items[0].reverse_charge == ReverseCharge.CONSTRUCTION


def test_rot_is_ours_to_change_and_masked_for_another_integration(
    process, company_id, bokio, customer
):
    number = "19811218-9876"
    jane = CustomerDraft(name="Jane Doe", type=CustomerType.PRIVATE, address=ADDRESS)
    reduction = TaxReduction(
        type=ReductionType.ROT,
        description="Målning",
        people=(DeductionPerson(personal_number=number, amount=Decimal("300.00")),),
        property_type=PropertyType.REAL_ESTATE,
        real_estate_number="UMEÅ 1:2",
    )
    work = LineItem(
        description="Målning",
        unit_type=UnitType.HOUR,
        quantity=Decimal(8),
        unit_price=Decimal(500),
        tax_reduction=LineReduction(type=ReductionType.ROT, job=Job.ROT_PAINTING),
    )
    token = process.private_token(str(company_id), name=f"Andra {uuid4().hex}")
    stranger = Bokio(Http(process.api_url, access_token=token), company_id)
    made = bokio.invoices.create(order(bokio.customers.create(jane), work, tax_reduction=reduction))

    theirs = stranger.invoices.get(made.id)
    stranger.invoices.update(made.id, replace(InvoiceDraft.from_invoice(theirs), project="P"))
    ours = bokio.invoices.get(made.id)
    more = replace(ours.tax_reduction, description="Målning av huset")
    bokio.invoices.update(made.id, replace(InvoiceDraft.from_invoice(ours), tax_reduction=more))

    assert theirs.tax_reduction.people[0].personal_number == "19811218-XXXX"
    assert ours == replace(made, project="P")
    assert ours.tax_reduction.people[0].personal_number == number
    assert ours.tax_reduction.amount == 300
    assert bokio.invoices.get(made.id).tax_reduction.description == "Målning av huset"
