"""Every call that the client can make, by the operation that it says it makes.

`test_client_contract.py` captures each at the transport; `tools.operations` reads the keys.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.bank_payments import BankPaymentDraft
from bokio_app.bokio.client import Bokio, GeneralApi
from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.bokio.customers import Contact, CustomerDraft, CustomerType
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.filters import F
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.journal_entries import EntryTag, JournalEntryDraft, JournalRow
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType
from bokio_app.bokio.payees import (
    BankAccount,
    Bankgiro,
    BankgiroRecipient,
    InternationalAccount,
    Plusgiro,
    TransferRecipient,
)
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft, SettlementType, VatScheme
from bokio_app.bokio.supplier_invoices import SupplierInvoiceDraft
from bokio_app.bokio.suppliers import SupplierDraft
from bokio_app.bokio.tags import TagGroupDraft
from bokio_app.bokio.tax_reductions import (
    DeductionPerson,
    Job,
    LineReduction,
    PropertyType,
    ReductionType,
    TaxReduction,
)

A, B, C = (UUID(int=number, version=4) for number in (1, 2, 3))
DAY = date(2024, 10, 10)
ADDRESS = Address("1 High St", "SW1A 1AA", "London", "GB", "Floor 2", "ENG")

LINES = (
    LineItem(
        description="Konsulttimmar",
        product_type=ProductType.SERVICES,
        unit_type="hour",
        quantity=Decimal("1.5"),
        unit_price=Decimal("290.10"),
        item_id=A,
    ),
    LineItem(description="Rabatt", unit_price=Decimal(-500), account=3730, id="18320626"),
    LineItem(description="Bygge", tax_rate=Decimal(0), reverse_charge="construction"),
    LineItem(description="Tack!", item_type=ItemType.DESCRIPTION),
)
ROT = LineReduction(type=ReductionType.ROT, job=Job("rotPainting"))
REDUCTION = TaxReduction(
    type=ReductionType.ROT,
    description="Målning",
    people=(DeductionPerson(personal_number="19800101-1231", amount=Decimal("300.50")),),
    property_type=PropertyType("housingDesignation"),
    tenant_org_number="769600-0000",
    apartment_number="1101",
)
REFERENCES: dict[str, Any] = {
    "order_number": "1",
    "project": "2",
    "buyer_reference": "3",
    "contract": "4",
    "currency": "EUR",
    "currency_rate": Decimal("11.4321"),
    "delivery_address": Address("A 1", "123 45", "Göteborg"),
    "metadata": {"op_key": str(B), "_note": "x" * 250},
}
INVOICES = [
    InvoiceDraft(customer_id=A, invoice_date=DAY, line_items=LINES),
    InvoiceDraft(
        customer_id=A,
        invoice_date=DAY,
        line_items=LINES,
        due_date=DAY,
        contact_id=C,
        total_rounding=True,
        **REFERENCES,
    ),
    InvoiceDraft(
        customer_id=A,
        invoice_date=DAY,
        line_items=(LineItem(description="Målning", unit_type="hour", tax_reduction=ROT),),
        tax_reduction=REDUCTION,
    ),
]
CREDIT_NOTES = [
    CreditNoteDraft(credit_date=DAY, due_date=DAY, line_items=LINES),
    CreditNoteDraft(credit_date=DAY, due_date=DAY, line_items=LINES, **REFERENCES),
]
CUSTOMERS = [
    CustomerDraft(name="Jane Doe", type=CustomerType.PRIVATE),
    CustomerDraft(
        name="John Doe AB",
        org_number="556677-8899",
        vat_number="SE556677889901",
        payment_terms="30",
        contacts=(Contact("Jane", "jane@example.com", "070-1234567", is_default=True, id=A),),
        address=ADDRESS,
        language="en",
        customer_number="K-17",
        construction_reverse_charge=True,
    ),
]
ITEMS = [
    ItemDraft(description="Timme", unit_type="hour", unit_price=Decimal("950.50"), account=3041),
    ItemDraft(description="Enligt avtal", item_type=ItemType.DESCRIPTION),
]
PAYMENT = PaymentDraft(date=DAY, amount=Decimal("64609.50"), account=1940)
SETTLEMENTS = [
    SettlementDraft(type=SettlementType.BANK_FEE, date=DAY, amount=Decimal("15.50")),
    SettlementDraft(type=SettlementType.CURRENCY, date=DAY, amount=Decimal("-3.20")),
    *[
        SettlementDraft(
            type=SettlementType.PAYMENT_SERVICE_FEE, date=DAY, amount=Decimal(9), vat_scheme=scheme
        )
        for scheme in VatScheme
    ],
]
TAGS = (EntryTag(A, Decimal("0.5")), EntryTag(B))
ENTRIES = [
    JournalEntryDraft(
        title="Kontorsmaterial",
        date=DAY,
        items=(JournalRow(6110, debit=Decimal("99.50")), JournalRow(1930, credit=Decimal("99.5"))),
        tags=TAGS,
    ),
    JournalEntryDraft(
        title="Hyra",
        date=DAY,
        items=(
            JournalRow(5010, debit=Decimal(7000), tags=TAGS),
            JournalRow(1930, credit=Decimal(7000)),
        ),
    ),
]
SUPPLIERS = [
    SupplierDraft(name="Kontoret AB"),
    *[
        SupplierDraft(
            name="Kontoret AB",
            org_number="556677-8899",
            vat_number="SE556677889901",
            currency="EUR",
            address=Address("A 1", "123 45", "Göteborg"),
            account=account,
        )
        for account in (
            Bankgiro("5805-6201"),
            Plusgiro("410 54 68-5"),
            BankAccount("8327", "1234567890"),
            InternationalAccount("SE4550000000058398257466", "ESSESESS"),
        )
    ],
]
SUPPLIER_INVOICES = [
    SupplierInvoiceDraft(supplier_id=A, invoice_date=DAY, due_date=DAY, total=Decimal("1250.5")),
    SupplierInvoiceDraft(
        supplier_id=A,
        invoice_date=DAY,
        due_date=DAY,
        total=Decimal(1250),
        number="2024-17",
        upload_id=B,
    ),
]
BANK_PAYMENTS = [
    BankPaymentDraft(amount=Decimal("1250.50"), date=DAY, recipient=recipient, note=note)
    for recipient, note in (
        (BankgiroRecipient("Kontoret AB", "5805-6201", ocr="10017"), ""),
        (BankgiroRecipient("Kontoret AB", "58056201", message="2024-17"), "op 7"),
        (TransferRecipient("Anna", "8327", "1234567890"), ""),
        (TransferRecipient("Anna", "8327", "1234567890", reference="Lön"), "op 8"),
    )
]
GROUPS = [
    TagGroupDraft(name="Ort", alias="ORT"),
    TagGroupDraft(name="Projekt", alias="P", dimension=6),
]
PICTURE = OutgoingFile("Kvitto å.png", b"\x89PNG\r\n\x1a\n", "image/png")
WHERE = (F("metadata.op_key") == A) & (F("invoiceDate") >= DAY)
SINCE = F("modifiedDateTime") >= datetime(2026, 1, 1, tzinfo=UTC)

Called = Callable[[Any], object]
CALLS: dict[str, list[Called]] = {
    "get-company-information-with-id": [lambda b: b.company.get()],
    "get-fiscal-years": [lambda b: list(b.fiscal_years.list(F("status") == "open"))],
    "get-fiscal-year-with-id": [lambda b: b.fiscal_years.get(A)],
    "get-chart-of-accounts": [
        lambda b: b.accounts.list(F("account") == 1930),
        lambda b: b.accounts.list(),
    ],
    "get-account-with-number": [lambda b: b.accounts.get(1930)],
    "download-sie-file": [
        lambda b: b.sie.download(A),
        lambda b: b.sie.download_into(A, BytesIO()),
    ],
    # Customers and items
    "post-customer": [lambda b, d=d: b.customers.create(d) for d in CUSTOMERS],
    "put-customer": [lambda b, d=d: b.customers.update(A, d) for d in CUSTOMERS],
    "get-customers-customerId": [lambda b: b.customers.get(A)],
    "get-customer": [lambda b: list(b.customers.find(SINCE))],
    "delete-customer": [lambda b: b.customers.delete(A)],
    "post-item": [lambda b, d=d: b.items.create(d) for d in ITEMS],
    "put-item": [lambda b, d=d: b.items.update(A, d) for d in ITEMS],
    "get-items-itemId": [lambda b: b.items.get(A)],
    "get-items": [lambda b: list(b.items.find(F("taxRate") == 25))],
    "delete-item": [lambda b: b.items.delete(A)],
    # Invoices
    "post-invoice": [lambda b, d=d: b.invoices.create(d) for d in INVOICES],
    "put-invoice": [lambda b, d=d: b.invoices.update(A, d) for d in INVOICES],
    "get-invoices-invoiceId": [lambda b: b.invoices.get(A)],
    "get-invoice": [lambda b: list(b.invoices.find(WHERE)), lambda b: list(b.invoices.find())],
    "delete-invoice-with-id": [lambda b: b.invoices.delete(A)],
    "post-invoice-lineItem": [lambda b, x=x: b.invoices.add_line(A, x) for x in LINES],
    "post-invoices-invoiceId-publish": [lambda b: b.invoices.publish(A)],
    "record-invoice-with-id": [lambda b: b.invoices.record(A)],
    "post-invoices-invoiceId-credit": [lambda b: b.invoices.credit(A)],
    "download-invoice": [
        lambda b: b.invoices.download(A),
        lambda b: b.invoices.download_into(A, BytesIO()),
    ],
    "post-invoice-attachment": [lambda b: b.attachments.create(A, PICTURE)],
    "get-invoice-attachments": [lambda b: b.attachments.list(A, F("fileName") == "a.png")],
    "get-invoice-attachment": [lambda b: b.attachments.get(A, B)],
    "delete-invoice-attachment": [lambda b: b.attachments.delete(A, B)],
    "download-invoice-attachment": [
        lambda b: b.attachments.download(A, B),
        lambda b: b.attachments.download_into(A, B, BytesIO()),
    ],
    # Payments, settlements, credit notes
    "post-invoice-payment": [lambda b: b.payments.create(A, PAYMENT)],
    "get-invoice-payments": [
        lambda b: b.payments.list(A, F("sumBaseCurrency") == Decimal("15.50"))
    ],
    "get-invoice-payment": [lambda b: b.payments.get(A, B)],
    "record-invoice-payment-with-id": [lambda b: b.payments.record(A, B)],
    "delete-invoice-payment": [lambda b: b.payments.delete(A, B)],
    "post-invoice-settlement": [lambda b, d=d: b.settlements.create(A, d) for d in SETTLEMENTS],
    "get-invoice-settlements": [lambda b: b.settlements.list(A)],
    "get-invoice-settlement": [lambda b: b.settlements.get(A, B)],
    "record-invoice-settlement-with-id": [lambda b: b.settlements.record(A, B)],
    "delete-invoice-settlement": [lambda b: b.settlements.delete(A, B)],
    "get-credit-note-v1": [lambda b: b.credit_notes.get(A)],
    "list-credit-notes-v1": [lambda b: list(b.credit_notes.find(WHERE))],
    "update-credit-note-v1": [lambda b, d=d: b.credit_notes.update(A, d) for d in CREDIT_NOTES],
    "delete-credit-note-with-id": [lambda b: b.credit_notes.delete(A)],
    "publish-credit-note-v1": [lambda b: b.credit_notes.publish(A)],
    "record-credit-note-with-id": [lambda b: b.credit_notes.record(A)],
    "download-credit-note": [
        lambda b: b.credit_notes.download(A),
        lambda b: b.credit_notes.download_into(A, BytesIO()),
    ],
    # Journal entries, comments, tags
    "post-journalentry": [lambda b, d=d: b.journal_entries.create(d) for d in ENTRIES],
    "get-journalentries-journalId": [lambda b: b.journal_entries.get(A)],
    "get-journalentry": [
        lambda b: list(b.journal_entries.find(F("date") == DAY, tag_id=A)),
        lambda b: list(b.journal_entries.find()),
    ],
    "reverse-journalentry": [lambda b: b.journal_entries.reverse(A)],
    "put-journalentry-tags": [
        lambda b: b.journal_entries.set_tags(A, TAGS),
        lambda b: b.journal_entries.set_tags(A, rows={"17": TAGS}),
        lambda b: b.journal_entries.set_tags(A),
    ],
    "post-journal-entry-comment": [lambda b: b.journal_comments.create(A, "Granskad")],
    "get-journal-entry-comments": [lambda b: b.journal_comments.list(A)],
    "get-journal-entry-comment": [lambda b: b.journal_comments.get(A, B)],
    "put-journal-entry-comment": [lambda b: b.journal_comments.update(A, B, "Nej")],
    "delete-journal-entry-comment": [lambda b: b.journal_comments.delete(A, B)],
    "post-tag-group": [lambda b, d=d: b.tag_groups.create(d) for d in GROUPS],
    "get-tag-groups": [lambda b: list(b.tag_groups.find(F("name") == "Ort"))],
    "get-tag-group-by-id": [lambda b: b.tag_groups.get(A)],
    "put-tag-group": [lambda b: b.tag_groups.update(A, GROUPS[0])],
    "delete-tag-group": [lambda b: b.tag_groups.delete(A)],
    "post-tag-group-tag": [lambda b: b.tags.create(A, "Umeå")],
    "put-tag-group-tag": [lambda b: b.tags.update(A, B, "Kiruna")],
    "delete-tag-group-tag": [lambda b: b.tags.delete(A, B)],
    # Uploads, suppliers, bank payments
    "add-upload": [
        lambda b: b.uploads.create(PICTURE),
        lambda b: b.uploads.create(PICTURE, description="Kvitto", journal_entry_id=B),
    ],
    "get-upload": [lambda b: b.uploads.get(A)],
    "get-uploads": [lambda b: list(b.uploads.find(F("description") == "Kvitto"))],
    "download-upload": [
        lambda b: b.uploads.download(A),
        lambda b: b.uploads.download_into(A, BytesIO()),
    ],
    "post-supplier": [lambda b, d=d: b.suppliers.create(d) for d in SUPPLIERS],
    "put-supplier": [lambda b, d=d: b.suppliers.update(A, d) for d in SUPPLIERS],
    "get-supplier-by-id": [lambda b: b.suppliers.get(A)],
    "get-suppliers": [lambda b: list(b.suppliers.find(F("name") == "Kontoret AB"))],
    "delete-supplier": [lambda b: b.suppliers.delete(A)],
    "post-supplier-invoice": [
        lambda b, d=d: b.supplier_invoices.create(d) for d in SUPPLIER_INVOICES
    ],
    "put-supplier-invoice": [lambda b: b.supplier_invoices.update(A, SUPPLIER_INVOICES[0])],
    "get-supplier-invoice-by-id": [lambda b: b.supplier_invoices.get(A)],
    "get-supplier-invoices": [lambda b: list(b.supplier_invoices.find(F("supplierRef.id") == A))],
    "delete-supplier-invoice": [lambda b: b.supplier_invoices.delete(A)],
    "post-supplier-invoice-upload": [lambda b: b.supplier_invoices.connect_upload(A, B)],
    "post-bank-payment": [lambda b, d=d: b.bank_payments.create(d) for d in BANK_PAYMENTS],
    "post-bank-payments-bulk": [lambda b: b.bank_payments.create_many(BANK_PAYMENTS)],
    "get-bank-payments-bank-payment-id": [lambda b: b.bank_payments.get(A)],
    "get-bank-payments-limited": [lambda b: list(b.bank_payments.find(F("status") == "paid"))],
    # The General API
    "get-connections": [
        lambda g: list(g.connections.list(tenant_id=A)),
        lambda g: list(g.connections.list()),
    ],
    "get-connection-by-id": [lambda g: g.connections.get(A)],
    "delete-connection-by-id": [lambda g: g.connections.delete(A)],
}
OAUTH: dict[str, list[Called]] = {
    "request-token": [
        lambda app: app.exchange(code="c", redirect_uri="http://127.0.0.1:8000/bokio/callback"),
        lambda app: app.refresh("r"),
        lambda app: app.client_credentials(),
    ],
    "authorize": [
        lambda app: app.authorize_url_for(
            state="s", redirect_uri="http://127.0.0.1:8000/bokio/callback", scopes=["a"]
        ),
        lambda app: app.authorize_url_for(
            state="s",
            redirect_uri="http://127.0.0.1:8000/bokio/callback",
            scopes=["a", "b"],
            company_id=B,
        ),
    ],
}


def api_of(http: Http, api: str) -> Bokio | GeneralApi:
    return Bokio(http, A) if api == "company" else GeneralApi(http)
