"""Made values for the client: whatever its types let a caller say about a document."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.bank_payments import BankPaymentDraft
from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.bokio.customers import Contact, CustomerDraft
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.journal_entries import EntryTag, JournalEntryDraft, JournalRow
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.payees import BankgiroRecipient, TransferRecipient
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft
from bokio_app.bokio.supplier_invoices import SupplierInvoiceDraft
from bokio_app.bokio.suppliers import SupplierDraft
from bokio_app.bokio.tags import TagGroupDraft
from tests.contract.client_calls import A


def made(kind: Callable[..., Any], *parts: Any, **named: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the client, but for those that it refuses by itself."""

    def build(*given: Any, **by_name: Any) -> Any:
        try:
            return kind(*given, **by_name)
        except Unsendable:
            reject()

    return st.builds(build, *parts, **named)


texts = st.text(max_size=20)
names = st.text(min_size=1, max_size=20).filter(str.strip)
uuids = st.uuids(version=4)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
money = st.decimals(-(10**12), 10**12, places=2)
positive = st.decimals(Decimal("0.01"), 10**12, places=2)
quantities = st.decimals(Decimal("0.0001"), 10**6, places=4)
rates = st.sampled_from([Decimal(rate) for rate in (0, 6, 12, 25)])
units = st.sampled_from(["unspecified", "piece", "hour", "meterSquared"])
products = st.sampled_from(["goods", "services"])
currencies = st.sampled_from(["SEK", "EUR", "USD"])
accounts = st.none() | st.integers(1000, 9999)
digits = st.text("0123456789", min_size=7, max_size=8)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,24}", fullmatch=True)
metadata = st.dictionaries(keys, st.text(max_size=250), max_size=10)
addresses = st.none() | made(
    Address, names, names, names, st.sampled_from(["SE", "GB"]), texts, texts
)
contacts = made(Contact, texts, texts, texts, st.booleans(), st.none() | uuids)
lines = made(
    LineItem,
    description=names,
    item_type=st.sampled_from(["salesItem", "descriptionOnlyItem"]),
    product_type=products,
    quantity=quantities,
    unit_price=money,
    tax_rate=rates,
    unit_type=units,
    account=accounts,
    id=st.none() | st.integers(1, 2**62).map(str),
    item_id=st.none() | uuids,
    reverse_charge=st.sampled_from(["", "construction"]),
)
shared: dict[str, Any] = {
    "line_items": st.lists(lines, min_size=1, max_size=3).map(tuple),
    "currency": currencies,
    "currency_rate": st.decimals(Decimal("0.0001"), 1000, places=4),
    "metadata": metadata,
    "order_number": texts,
    "project": texts,
    "buyer_reference": texts,
    "contract": texts,
    # With a subdivision, which only a customer's address has, the draft would be refused.
    "delivery_address": st.none()
    | made(Address, names, names, names, st.sampled_from(["SE", "GB"]), texts),
}
invoices = made(
    InvoiceDraft,
    customer_id=uuids,
    invoice_date=days,
    due_date=st.none() | days,
    contact_id=st.none() | uuids,
    total_rounding=st.none() | st.booleans(),
    **shared,
)
credit_notes = made(CreditNoteDraft, credit_date=days, due_date=days, **shared)
customers = made(
    CustomerDraft,
    name=names,
    type=st.sampled_from(["company", "private"]),
    org_number=texts,
    vat_number=texts,
    payment_terms=texts,
    contacts=st.lists(contacts, max_size=3).map(tuple),
    address=addresses,
    language=st.sampled_from(["sv", "en"]),
    customer_number=texts,
    construction_reverse_charge=st.none() | st.booleans(),
)
items = made(
    ItemDraft,
    description=names,
    item_type=st.sampled_from(["salesItem", "descriptionOnlyItem"]),
    product_type=products,
    unit_type=units,
    unit_price=money,
    tax_rate=rates,
    account=accounts,
)
payments = made(PaymentDraft, date=days, amount=positive, account=st.integers(1000, 1999))
settlements = st.one_of(
    made(SettlementDraft, type=st.just("bankFee"), date=days, amount=positive),
    made(SettlementDraft, type=st.just("currency"), date=days, amount=money),
    made(
        SettlementDraft,
        type=st.just("paymentServiceFee"),
        date=days,
        amount=positive,
        vat_scheme=st.sampled_from(["domestic", "eu", "nonEu", "vatExempt"]),
    ),
)
tags = st.lists(made(EntryTag, uuids, st.decimals(Decimal("0.01"), 1, places=2)), max_size=2).map(
    tuple
)


@st.composite
def entries(draw: st.DrawFn) -> JournalEntryDraft:
    """A balanced entry with tags on the whole or on a row."""
    amount = draw(positive)
    on_rows = draw(st.booleans())
    tagged = draw(tags)
    rows = (
        JournalRow(draw(st.integers(1000, 8999)), debit=amount, tags=tagged if on_rows else ()),
        JournalRow(draw(st.integers(1000, 8999)), credit=amount),
    )
    title = draw(names)
    return JournalEntryDraft(
        title=title, date=draw(days), items=rows, tags=() if on_rows else tagged
    )


suppliers = made(
    SupplierDraft,
    name=names,
    org_number=texts,
    vat_number=texts,
    currency=currencies,
    address=addresses,
)
supplier_invoices = made(
    SupplierInvoiceDraft,
    supplier_id=uuids,
    invoice_date=days,
    due_date=days,
    total=money,
    number=texts,
)
recipients = st.one_of(
    made(BankgiroRecipient, names, digits, ocr=digits),
    made(BankgiroRecipient, names, digits, message=names),
    made(TransferRecipient, names, digits, digits, reference=texts),
)
bank_payments = made(BankPaymentDraft, amount=positive, date=days, recipient=recipients, note=texts)
groups = made(
    TagGroupDraft,
    name=names,
    alias=st.text(min_size=1, max_size=3),
    dimension=st.none() | st.integers(1, 9999),
)

Send = Callable[[Any, Any], object]
SENDS: dict[str, tuple[st.SearchStrategy[Any], Send]] = {
    "post-customer": (customers, lambda b, d: b.customers.create(d)),
    "put-customer": (customers, lambda b, d: b.customers.update(A, d)),
    "post-item": (items, lambda b, d: b.items.create(d)),
    "put-item": (items, lambda b, d: b.items.update(A, d)),
    "post-invoice": (invoices, lambda b, d: b.invoices.create(d)),
    "put-invoice": (invoices, lambda b, d: b.invoices.update(A, d)),
    "post-invoice-lineItem": (lines, lambda b, d: b.invoices.add_line(A, d)),
    "update-credit-note-v1": (credit_notes, lambda b, d: b.credit_notes.update(A, d)),
    "post-invoice-payment": (payments, lambda b, d: b.payments.create(A, d)),
    "post-invoice-settlement": (settlements, lambda b, d: b.settlements.create(A, d)),
    "post-journalentry": (entries(), lambda b, d: b.journal_entries.create(d)),
    "put-journalentry-tags": (tags, lambda b, d: b.journal_entries.set_tags(A, d)),
    "post-journal-entry-comment": (texts, lambda b, d: b.journal_comments.create(A, d)),
    "put-journal-entry-comment": (texts, lambda b, d: b.journal_comments.update(A, A, d)),
    "post-tag-group": (groups, lambda b, d: b.tag_groups.create(d)),
    "put-tag-group": (groups, lambda b, d: b.tag_groups.update(A, d)),
    "post-tag-group-tag": (texts, lambda b, d: b.tags.create(A, d)),
    "put-tag-group-tag": (texts, lambda b, d: b.tags.update(A, A, d)),
    "post-supplier": (suppliers, lambda b, d: b.suppliers.create(d)),
    "put-supplier": (suppliers, lambda b, d: b.suppliers.update(A, d)),
    "post-supplier-invoice": (supplier_invoices, lambda b, d: b.supplier_invoices.create(d)),
    "put-supplier-invoice": (supplier_invoices, lambda b, d: b.supplier_invoices.update(A, d)),
    "post-supplier-invoice-upload": (uuids, lambda b, d: b.supplier_invoices.connect_upload(A, d)),
    "post-bank-payment": (bank_payments, lambda b, d: b.bank_payments.create(d)),
    "post-bank-payments-bulk": (
        st.lists(bank_payments, min_size=1, max_size=3),
        lambda b, d: b.bank_payments.create_many(d),
    ),
}
"""By operation: what a caller may hand over, and the call that takes it."""
