"""Invoices: drafted, published (number and OCR reference), then recorded (journal entry)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from bokio_app.bokio.amounts import exact
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same

_METADATA_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,24}")
_METADATA_KEYS: Final = 10
_METADATA_LENGTH: Final = 250


class InvoiceStatus(StrEnum):
    """Known states. Bokio may add others, so `Invoice.status` is any text."""

    DRAFT = "draft"
    PUBLISHED = "published"
    PAID = "paid"
    OVERPAID = "overPaid"
    UNDERPAID = "underPaid"
    OVERDUE = "overdue"
    CREDITED = "credited"
    CREDIT = "credit"  # a credit note that shows up among the invoices


@dataclass(frozen=True, kw_only=True)
class InvoiceDraft:
    """An invoice to create, or what an existing draft shall become as a whole.

    `currency_rate` is SEK per unit of `currency`. Without `due_date` Bokio takes the customer's
    terms. `metadata` is not shown to anyone; up to 10 keys of 25 characters (letters, digits,
    underscores, no digit first) with texts of up to 250. Raises `Unsendable` when that is broken.
    """

    customer_id: UUID
    invoice_date: date
    line_items: tuple[LineItem, ...]
    due_date: date | None = None
    currency: str = "SEK"
    currency_rate: Decimal = Decimal(1)
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    contact_id: UUID | None = None
    order_number: str = ""
    project: str = ""
    buyer_reference: str = ""
    contract: str = ""

    def __post_init__(self) -> None:
        fit = all(
            _METADATA_KEY.fullmatch(key) and len(value) <= _METADATA_LENGTH
            for key, value in self.metadata.items()
        )
        if not fit or len(self.metadata) > _METADATA_KEYS:
            raise Unsendable("the metadata is larger than Bokio takes, or a key is malformed")

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out."""
        optional: dict[str, object] = {
            "dueDate": self.due_date,
            "contactDetailRef": self.contact_id and {"id": self.contact_id},
            "orderNumberReference": self.order_number,
            "projectReference": self.project,
            "buyerReference": self.buyer_reference,
            "contractReference": self.contract,
            "metadata": dict(self.metadata),
        }
        return {
            "type": "invoice",
            "customerRef": {"id": self.customer_id},
            "invoiceDate": self.invoice_date,
            "currency": self.currency,
            "currencyRate": exact(self.currency_rate),
            "lineItems": [each.to_json() for each in self.line_items],
        } | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """An invoice as Bokio has it. Amounts are in `currency`; `total` includes `total_tax`.

    `number`, `ocr` and `published_at` are None for a draft; `journal_entry_id` is set once it is
    recorded, by whomever.
    """

    id: UUID
    number: str | None
    ocr: str | None
    status: str
    type: str
    total: Decimal
    total_tax: Decimal
    paid: Decimal
    currency: str
    currency_rate: Decimal
    invoice_date: date
    due_date: date | None
    customer_id: UUID | None
    customer_name: str
    line_items: tuple[LineItem, ...]
    metadata: Mapping[str, str] = field(hash=False)
    published_at: datetime | None
    journal_entry_id: UUID | None
    credit_note_ids: tuple[UUID, ...]
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends. An answer without state, day or total is no invoice."""
        read = Fields(data)
        customer = read.part("customerRef", Fields) or Fields({})
        return cls(
            id=read.uuid("id"),
            number=read.identifier("invoiceNumber") or None,
            ocr=read.identifier("paymentReference") or None,
            status=read.word("status"),
            type=read.text("type"),
            total=read.number("totalAmount"),
            total_tax=read.number("totalTax", Decimal(0)),
            paid=read.number("paidAmount", Decimal(0)),
            currency=read.text("currency") or "SEK",
            currency_rate=read.number("currencyRate", Decimal(1)),
            invoice_date=read.day("invoiceDate"),
            due_date=read.day_or_none("dueDate"),
            customer_id=customer.uuid_or_none("id"),
            customer_name=customer.text("name"),
            line_items=read.rows("lineItems", LineItem.from_json),
            metadata=read.texts("metadata"),
            published_at=read.moment_or_none("publishedDateTime"),
            journal_entry_id=read.ref("journalEntryRef"),
            credit_note_ids=read.rows("creditNoteRefs", lambda each: Fields(each).uuid("id")),
            extra=read.rest(),
        )


class Invoices(Resource):
    """`/invoices`"""

    def create(self, draft: InvoiceDraft) -> Invoice:
        """Create a draft invoice with all its lines; it has no number and no OCR reference yet.

        Not repeatable: Bokio has no idempotency key. After `OutcomeUnknown`, ask `find` for the
        draft's own `metadata` before calling again. Needs scope `invoices:write`.
        """
        return self._post("post-invoice", "invoices", Invoice.from_json, draft.to_json())

    def get(self, invoice_id: UUID) -> Invoice:
        """Fetch one invoice. Repeatable. Needs scope `invoices:read`."""
        parse = same(Invoice.from_json, invoice_id)
        return self._get("get-invoices-invoiceId", f"invoices/{invoice_id}", parse)

    def find(self, where: Filter | None = None) -> Iterator[Invoice]:
        """Fetch the invoices that a filter lets through, page by page as they are taken.

        Filters: `metadata.<key>`, `status`, `type`, `customerRef`, `currency`, `totalAmount`,
        `invoiceDate`, `dueDate` and the four references; neither number nor OCR reference.
        Credit notes may be among them, with status `credit`.
        Repeatable. Needs scope `invoices:read`.
        """
        return self._pages("get-invoice", "invoices", Invoice.from_json, where=where)

    def update(self, invoice_id: UUID, draft: InvoiceDraft) -> Invoice:
        """Replace a draft as a whole, metadata too; lines that stay must carry their ids.

        Repeatable. `StateRefused` once published. Needs scope `invoices:write`.
        """
        parse = same(Invoice.from_json, invoice_id)
        return self._put("put-invoice", f"invoices/{invoice_id}", parse, draft.to_json())

    def delete(self, invoice_id: UUID) -> None:
        """Delete a draft.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done. `StateRefused` once
        published. Needs scope `invoices:write`.
        """
        self._delete("delete-invoice-with-id", f"invoices/{invoice_id}")

    def publish(self, invoice_id: UUID) -> Invoice:
        """Have Bokio give the draft its number and OCR reference; sends nothing to the customer.

        Cannot be undone. Not repeatable: a second call is refused. After `OutcomeUnknown` or
        `StateRefused`, `get` the invoice: another status than `draft` means that it is done.
        Needs scope `invoices:write`.
        """
        path, parse = f"invoices/{invoice_id}/publish", same(Invoice.from_json, invoice_id)
        return self._post("post-invoices-invoiceId-publish", path, parse)

    def record(self, invoice_id: UUID) -> Invoice:
        """Have Bokio make the journal entry of a published invoice.

        Not repeatable: a second call is refused. After `OutcomeUnknown` or `StateRefused`, `get`
        the invoice: a `journal_entry_id` means that it is done, by us or by the company's own
        settings. Needs scope `invoices:write`.
        """
        path, parse = f"invoices/{invoice_id}/record", same(Invoice.from_json, invoice_id)
        return self._post("record-invoice-with-id", path, parse)

    def download(self, invoice_id: UUID) -> bytes:
        """Fetch a published invoice as a PDF.

        Repeatable. `StateRefused` for a draft. Needs scope `invoices:read`.
        """
        return self._download("download-invoice", f"invoices/{invoice_id}/download")
