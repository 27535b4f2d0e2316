"""Invoices: drafted, published (number and OCR reference), then recorded (journal entry)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Self
from uuid import UUID

from bokio_app.bokio.credit_notes import CreditNote
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.files import ReceivedFile
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.paging import Found
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, of_invoice, same
from bokio_app.bokio.sales_documents import (
    SalesDocument,
    SalesDraft,
    draft_fields,
    shared_fields,
)
from bokio_app.bokio.tax_reductions import TaxReduction
from bokio_app.bokio.wire import BodyError


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
class InvoiceDraft(SalesDraft):
    """An invoice to create, or what an existing draft shall become as a whole; see `SalesDraft`.

    Without `due_date` Bokio takes the customer's terms. `tax_reduction` is ROT or RUT, and its
    lines say the same type. `total_rounding` is whether the total becomes whole kronor; None is
    the company's own setting. `type` other than `invoice` only stays what it was.
    """

    customer_id: UUID
    invoice_date: date
    due_date: date | None = None
    contact_id: UUID | None = None
    tax_reduction: TaxReduction | None = None
    total_rounding: bool | None = None
    type: str = "invoice"

    @classmethod
    def from_invoice(cls, invoice: "Invoice") -> Self:
        """Start from what Bokio has, so that an update changes no more than it means to.

        Raises `Unsendable` for an invoice without a customer.
        """
        if invoice.customer_id is None:
            raise Unsendable("the invoice has no customer yet")
        return cls(
            **draft_fields(invoice),
            customer_id=invoice.customer_id,
            invoice_date=invoice.invoice_date,
            due_date=invoice.due_date,
            contact_id=invoice.contact_id,
            tax_reduction=invoice.tax_reduction,
            total_rounding=invoice.total_rounding,
            type=invoice.type or "invoice",
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out.

        Raises `Unsendable` when a line's tax reduction is not of the invoice's type.
        """
        of_lines = {each.tax_reduction.type for each in self.line_items if each.tax_reduction}
        if of_lines - {self.tax_reduction and self.tax_reduction.type}:
            raise Unsendable("the lines' tax reductions are of the invoice's own type")
        optional: dict[str, object] = {
            "dueDate": self.due_date,
            "contactDetailRef": self.contact_id and {"id": self.contact_id},
            "taxReduction": self.tax_reduction and self.tax_reduction.to_json(),
            "totalRoundingEnabled": self.total_rounding,
        }
        return (
            self._shared_json()
            | {
                "type": str(self.type),
                "customerRef": {"id": self.customer_id},
                "invoiceDate": self.invoice_date,
            }
            | {key: value for key, value in optional.items() if value is not None}
        )


@dataclass(frozen=True, kw_only=True)
class Invoice(SalesDocument):
    """An invoice as Bokio has it; see `SalesDocument`.

    `ocr` is None for a draft. `credit_note_ids` are the notes that take it back.
    """

    ocr: str | None
    type: str
    invoice_date: date
    credit_note_ids: tuple[UUID, ...]
    tax_reduction: TaxReduction | None
    total_rounding: bool | None

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends. An answer without state, day or total is no invoice."""
        read = Fields(data)
        return cls(
            **shared_fields(read),
            ocr=read.identifier("paymentReference") or None,
            type=read.text("type"),
            invoice_date=read.day("invoiceDate"),
            credit_note_ids=read.rows("creditNoteRefs", lambda each: Fields(each).uuid("id")),
            tax_reduction=read.part("taxReduction", TaxReduction.from_json),
            total_rounding=read.flag_or_none("totalRoundingEnabled"),
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

    def find(self, where: Filter | None = None) -> Found[Invoice]:
        """Fetch the invoices that a filter lets through, page by page as they are taken.

        Filters: `metadata.<key>`, `status`, `type`, `customerRef`, `currency`, `totalAmount`,
        `invoiceDate`, `dueDate`, `projectId` and the four references; neither number nor OCR
        reference.
        Credit notes may be among them, with status `credit`.
        Repeatable. Needs scope `invoices:read`.
        """
        return self._pages("get-invoice", "invoices", Invoice.from_json, where=where)

    def update(self, invoice_id: UUID, draft: InvoiceDraft) -> Invoice:
        """Replace a draft as a whole, metadata too; lines that stay must carry their ids.

        Repeatable. `StateRefused` once published. A tax reduction that another integration made
        stays as it is, without an error. Needs scope `invoices:write`.
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

    def credit(self, invoice_id: UUID) -> CreditNote:
        """Draft a credit note over the whole of a published invoice; `credit_notes` goes on.

        Not repeatable: a second call drafts a second note. Note the invoice's `credit_note_ids`
        before; after `OutcomeUnknown` or `StateRefused`, `get` the invoice and look for a new
        one, or among the drafts of `credit_notes.find` for this `invoice_id`.
        Needs scope `invoices:write`.
        """
        path, parse = f"invoices/{invoice_id}/credit", _note_of(invoice_id)
        return self._post("post-invoices-invoiceId-credit", path, parse)

    def add_line(self, invoice_id: UUID, line: LineItem) -> LineItem:
        """Add a line to a draft, after those it has; the answer carries its id.

        Not repeatable: a second call adds it twice. Note how many lines there are; after
        `OutcomeUnknown`, `get` the invoice and compare the last. `create` or `update` with all
        lines can be proven more simply. `StateRefused` once published.
        Needs scope `invoices:write`.
        """
        path = f"invoices/{invoice_id}/line-items"
        return self._post("post-invoice-lineItem", path, _line_made, line.to_json())

    def download(self, invoice_id: UUID) -> bytes:
        """Fetch a published invoice as a PDF.

        Repeatable. `StateRefused` for a draft. Needs scope `invoices:read`.
        """
        return self._download("download-invoice", f"invoices/{invoice_id}/download")

    def download_into(self, invoice_id: UUID, file: BinaryIO) -> ReceivedFile:
        """Like `download`, piece by piece into a binary file."""
        return self._download_into("download-invoice", f"invoices/{invoice_id}/download", file)


def _line_made(data: object) -> LineItem:
    line = LineItem.from_json(data)
    if not line.id:
        raise BodyError("the line has no id")
    return line


def _note_of(invoice_id: UUID) -> Callable[[object], CreditNote]:
    """A parser that never takes the invoice for its credit note; Bokio's words promise either."""
    parse = of_invoice(CreditNote.from_json, invoice_id)

    def checked(data: object) -> CreditNote:
        if Fields(data).uuid("id") == invoice_id:
            raise BodyError("the answer is the invoice, not its credit note")
        return parse(data)

    return checked
