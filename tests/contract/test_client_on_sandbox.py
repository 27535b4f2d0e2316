"""Client and sandbox together, over real HTTP: the books and the purchases of one company.

Each of the two is held against Bokio's published contract by itself; here they meet.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.bank_payments import BankPaymentDraft, BankPaymentStatus
from bokio_app.bokio.client import Bokio, GeneralApi
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.errors import Invalid, NotFound, StateRefused
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.filterable import FILTERABLE, METADATA
from bokio_app.bokio.filters import F, Filter, Kind
from bokio_app.bokio.fiscal_years import FiscalYear
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.journal_entries import (
    EntryTag,
    JournalEntry,
    JournalEntryDraft,
    JournalRow,
)
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.oauth import OAuthApp
from bokio_app.bokio.payees import (
    BankAccount,
    Bankgiro,
    BankgiroRecipient,
    InternationalAccount,
    Plusgiro,
    TransferRecipient,
)
from bokio_app.bokio.sie import decoded
from bokio_app.bokio.supplier_invoices import SupplierInvoiceDraft
from bokio_app.bokio.suppliers import Supplier, SupplierDraft
from bokio_app.bokio.tags import TagGroupDraft
from tests.support.sandbox import ALL_SCOPES, SandboxProcess, running_sandbox

pytestmark = pytest.mark.contract

SCOPES = {*ALL_SCOPES, "bank-payments:write", "bank-payments:read-limited"}


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with running_sandbox() as process:
        process.set_switches(rate_limit=1_000_000)  # filters are tried faster than anyone works
        yield process


@pytest.fixture(scope="module")
def bokio(process: SandboxProcess) -> Bokio:
    """A company of the sandbox, with every scope there is."""
    company_id = process.companies()[0]["id"]
    token = process.tokens_for(company_id, sorted(SCOPES)).access_token
    return Bokio(Http(process.api_url, access_token=token), UUID(company_id))


@pytest.fixture(scope="module")
def year(bokio: Bokio) -> FiscalYear:
    today = datetime.now(UTC).date()
    (year,) = [each for each in bokio.fiscal_years.list() if each.start <= today <= each.end]
    return year


@pytest.fixture
def entry(bokio: Bokio, year: FiscalYear) -> JournalEntry:
    """A rent that has been paid, under a mark of its own."""
    return bokio.journal_entries.create(
        JournalEntryDraft(
            title=f"Hyra {uuid4().hex}",
            date=year.start,
            items=(
                JournalRow(5010, debit=Decimal("200.50")),
                JournalRow(1930, credit=Decimal("200.50")),
            ),
        )
    )


@pytest.fixture
def supplier(bokio: Bokio) -> Supplier:
    return bokio.suppliers.create(SupplierDraft(name=f"Åkes Bygg {uuid4().hex[:8]}"))


def test_an_entry_is_found_by_its_mark_and_moves_the_balance_until_it_is_reversed(
    bokio, year, entry
):
    before = bokio.accounts.get(1930).balance

    (found,) = bokio.journal_entries.find(
        F("title").contains(entry.title.split()[1]) & (F("date") == year.start)
    )
    reversal = bokio.journal_entries.reverse(entry.id)

    assert found == entry
    assert [(row.account, row.debit, row.credit) for row in reversal.items] == [
        (5010, Decimal(0), Decimal("200.5")),
        (1930, Decimal("200.5"), Decimal(0)),
    ]
    assert bokio.journal_entries.get(entry.id).reversed_by == reversal.id
    assert bokio.accounts.get(1930).balance == before + Decimal("200.5")
    with pytest.raises(StateRefused):
        bokio.journal_entries.reverse(entry.id)


def test_tags_move_from_the_whole_entry_to_a_row_and_away(bokio, entry):
    group = bokio.tag_groups.create(TagGroupDraft(name=uuid4().hex, alias=uuid4().hex[:3]))
    tag = bokio.tags.create(group.id, "Alfa")
    half = EntryTag(tag.id, Decimal("0.5"))
    last_row = entry.items[1].id

    whole = bokio.journal_entries.set_tags(entry.id, [half])
    rows = bokio.journal_entries.set_tags(entry.id, rows={last_row: [half]})
    (found,) = bokio.journal_entries.find(tag_id=tag.id)
    with pytest.raises(StateRefused):
        bokio.tags.delete(group.id, tag.id)
    bare = bokio.journal_entries.set_tags(entry.id)

    expected = EntryTag(tag.id, Decimal("0.5"), "Alfa", group.id, group.name)
    assert (whole.tags, [row.tags for row in whole.items]) == ((expected,), [(), ()])
    assert (rows.tags, [row.tags for row in rows.items]) == ((), [(), (expected,)])
    assert found == rows
    assert (bare.tags, [row.tags for row in bare.items]) == ((), [(), ()])

    assert bokio.tags.update(group.id, tag.id, "Beta").name == "Beta"
    renamed = TagGroupDraft(name="Kund", alias=group.alias)
    assert bokio.tag_groups.update(group.id, renamed).dimension == group.dimension
    bokio.tags.delete(group.id, tag.id)
    assert bokio.tag_groups.get(group.id).tags == ()
    bokio.tag_groups.delete(group.id)
    with pytest.raises(NotFound):
        bokio.tag_groups.get(group.id)


def test_comments_are_kept_with_their_entry(bokio, entry):
    first = bokio.journal_comments.create(entry.id, "Se avtalet")
    second = bokio.journal_comments.create(entry.id, "Å, ja")

    assert bokio.journal_comments.list(entry.id) == [first, second]
    assert bokio.journal_comments.update(entry.id, first.id, "Nej").content == "Nej"
    bokio.journal_comments.delete(entry.id, second.id)

    assert [each.content for each in bokio.journal_comments.list(entry.id)] == ["Nej"]


def test_the_sie_file_of_the_year_holds_the_entry(bokio, year, entry):
    text = decoded(bokio.sie.download(year.id))

    assert entry.title in text
    assert f"#RAR 0 {year.start:%Y%m%d} {year.end:%Y%m%d}" in text


@pytest.mark.parametrize(
    "account",
    [
        Bankgiro("5050-1055"),
        Plusgiro("12345-6"),
        BankAccount("5011", "0379101"),
        InternationalAccount("DE89370400440532013000", "COBADEFF"),
    ],
    ids=["bankgiro", "plusgiro", "transfer", "international"],
)
def test_a_supplier_comes_back_as_it_was_sent_and_an_update_changes_nothing_else(bokio, account):
    draft = SupplierDraft(
        name="Åkes Bygg AB",
        org_number="556677-8899",
        account=account,
        address=Address("Gatan 1", "903 25", "Umeå"),
    )

    supplier = bokio.suppliers.create(draft)
    updated = bokio.suppliers.update(supplier.id, SupplierDraft.from_supplier(supplier))

    assert (supplier.account, supplier.address) == (draft.account, draft.address)
    assert updated == supplier


def test_a_supplier_invoice_takes_documents_and_holds_its_supplier(bokio, year, supplier):
    uploads = [
        bokio.uploads.create(OutgoingFile(f"{number}.pdf", b"%PDF-1.7\n" + b"0" * 99))
        for number in range(2)
    ]
    draft = SupplierInvoiceDraft(
        supplier_id=supplier.id,
        invoice_date=year.start,
        due_date=year.end,
        total=Decimal("1000.50"),
        number="F-17",
        upload_id=uploads[0].id,
    )

    invoice = bokio.supplier_invoices.create(draft)
    bokio.supplier_invoices.connect_upload(invoice.id, uploads[1].id)
    with pytest.raises(Invalid):
        bokio.supplier_invoices.connect_upload(invoice.id, uploads[1].id)

    where = (F("supplierRef.id") == supplier.id) & (F("invoiceNumber") == "F-17")
    (found,) = bokio.supplier_invoices.find(where)
    assert (found.total, found.supplier_name) == (Decimal("1000.5"), supplier.name)
    assert set(found.upload_ids) == {each.id for each in uploads}
    again = bokio.supplier_invoices.update(invoice.id, SupplierInvoiceDraft.from_invoice(found))
    assert again == found
    with pytest.raises(StateRefused):
        bokio.suppliers.delete(supplier.id)
    bokio.supplier_invoices.delete(invoice.id)
    bokio.suppliers.delete(supplier.id)


def test_bank_payments_are_prepared_one_by_one_and_together(bokio):
    note = f"ref {uuid4().hex[:8]}"
    day = datetime.now(UTC).date()
    by_bankgiro, by_account = (
        BankPaymentDraft(amount=Decimal("1200.25"), date=day, recipient=recipient, note=note)
        for recipient in (
            BankgiroRecipient("Teknik AB", "5050-1055", message="Faktura 7"),
            TransferRecipient("Hyresvärden AB", "5011", "0379101", "HYRA"),
        )
    )

    made = [bokio.bank_payments.create(by_bankgiro)]
    made += bokio.bank_payments.create_many([by_bankgiro, by_account])

    found = [
        each
        for each in bokio.bank_payments.find(F("amount") == Decimal("1200.25"))
        if each.note == note
    ]
    assert {each.id for each in found} == {each.id for each in made}
    assert bokio.bank_payments.get(made[2].id).recipient == by_account.recipient
    assert {each.status for each in made} == {BankPaymentStatus.READY_TO_SIGN}


def test_a_connection_is_seen_by_the_application(process):
    company_id = process.companies()[0]["id"]
    app = OAuthApp(
        process.api_url, f"{process.api_url}/authorize", process.client_id, process.client_secret
    )
    code = process.authorize_directly(company_id, redirect_uri=process.redirect_uri)
    tokens = app.exchange(code=code, redirect_uri=process.redirect_uri)
    general = GeneralApi(Http(process.api_url, access_token=app.client_credentials().access_token))

    (found,) = general.connections.list(tenant_id=UUID(company_id))

    assert (found.id, found.tenant_id) == (tokens.connection_id, UUID(company_id))
    assert tokens.tenant_type == "company"
    assert general.connections.get(found.id) == found


VALUES = {
    Kind.TEXT: uuid4(),  # some of the texts are ids, and nothing else fits those
    Kind.NUMBER: 25,
    Kind.DAY: date(2026, 1, 2),
    Kind.MOMENT: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}
WRITTEN_BY_PEOPLE = {"description", "fileName", "invoiceNumber", "name", "title", METADATA}


def comparisons(name: str, kind: Kind) -> Iterator[Filter]:
    """The comparisons that make sense for a property."""
    value = VALUES[kind]
    prop = F(name + "key" if name == METADATA else name)
    yield prop == value
    yield prop != value
    if kind is not Kind.TEXT:
        yield from (prop < value, prop <= value, prop > value, prop >= value)
    elif name in WRITTEN_BY_PEOPLE:
        yield prop.contains("draft")


LISTS = {
    "get-bank-payments-limited": lambda b, where: b.bank_payments.find(where),
    "get-chart-of-accounts": lambda b, where: b.accounts.list(where),
    "get-customer": lambda b, where: b.customers.find(where),
    "get-fiscal-years": lambda b, where: b.fiscal_years.list(where),
    "get-invoice": lambda b, where: b.invoices.find(where),
    "get-items": lambda b, where: b.items.find(where),
    "get-journalentry": lambda b, where: b.journal_entries.find(where),
    "get-supplier-invoices": lambda b, where: b.supplier_invoices.find(where),
    "get-suppliers": lambda b, where: b.suppliers.find(where),
    "get-tag-groups": lambda b, where: b.tag_groups.find(where),
    "get-uploads": lambda b, where: b.uploads.find(where),
    "list-credit-notes-v1": lambda b, where: b.credit_notes.find(where),
}
OF_AN_INVOICE = {
    "get-invoice-attachments": lambda b, at, where: b.attachments.list(at, where),
    "get-invoice-payments": lambda b, at, where: b.payments.list(at, where),
    "get-invoice-settlements": lambda b, at, where: b.settlements.list(at, where),
}


def test_every_list_that_can_be_filtered_is_tried_below():
    assert LISTS.keys() | OF_AN_INVOICE.keys() == FILTERABLE.keys()


@pytest.mark.parametrize("operation", LISTS)
def test_the_sandbox_takes_every_comparison_that_makes_sense(bokio, operation):
    for name, kind in FILTERABLE[operation].items():
        for where in comparisons(name, kind):
            list(LISTS[operation](bokio, where))


@pytest.mark.parametrize("operation", OF_AN_INVOICE)
def test_the_sandbox_takes_every_comparison_below_an_invoice(bokio, year, operation):
    customer = bokio.customers.create(CustomerDraft(name="Aurora Works AB"))
    line = LineItem(description="Advice", unit_price=Decimal(100))
    invoice = bokio.invoices.create(
        InvoiceDraft(customer_id=customer.id, invoice_date=year.start, line_items=(line,))
    )
    for name, kind in FILTERABLE[operation].items():
        for where in comparisons(name, kind):
            assert OF_AN_INVOICE[operation](bokio, invoice.id, where) == []
