"""Supplier invoices: what the company owes for what it bought."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from bokio_app.bokio.amounts import two_decimals
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same
from bokio_app.bokio.wire import BodyError

_ROWS: Final = ("lineItems", "rows")  # the name since September 2026, and the one before


@dataclass(frozen=True, kw_only=True)
class SupplierInvoice:
    """A supplier invoice as Bokio has it. Amounts are in `currency`, the supplier's.

    `total` includes VAT, `remaining` is still to be paid, `currency_rate` is SEK per unit.
    `journal_entry_id` is set once it is in the books.
    """

    id: UUID
    supplier_id: UUID | None
    supplier_name: str
    number: str
    invoice_date: date
    due_date: date
    total: Decimal
    remaining: Decimal | None
    currency: str
    currency_rate: Decimal
    journal_entry_id: UUID | None
    upload_ids: tuple[UUID, ...]
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @property
    def line_items(self) -> tuple[object, ...]:
        """The rows as they came, for their form is not published; empty without any."""
        found = next((self.extra[name] for name in _ROWS if name in self.extra), None)
        return tuple(found) if isinstance(found, list) else ()

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        supplier = read.part("supplierRef", Fields) or Fields({})
        return cls(
            id=read.uuid("id"),
            supplier_id=supplier.uuid_or_none("id"),
            supplier_name=supplier.text("name"),
            number=read.identifier("invoiceNumber") or "",
            invoice_date=read.day("invoiceDate"),
            due_date=read.day("dueDate"),
            total=read.number("totalAmount"),
            remaining=read.number_or_none("remainingAmount"),
            currency=read.text("currency") or "SEK",
            currency_rate=read.number("currencyRate", Decimal(1)),
            journal_entry_id=read.ref("journalEntryRef"),
            upload_ids=read.rows("uploadRefs", lambda each: Fields(each).uuid("id")),
            extra=read.rest(),
        )


@dataclass(frozen=True, kw_only=True)
class SupplierInvoiceDraft:
    """A supplier invoice to create, or what an existing one shall become as a whole.

    `total` is in the supplier's currency, VAT included. `upload_id` connects a document that is
    connected to nothing yet, and only when the invoice is created. `extra` are fields that Bokio
    sent, the rows among them, to be sent back. Raises `Unsendable` for more than two decimals.
    """

    supplier_id: UUID
    invoice_date: date
    due_date: date
    total: Decimal
    number: str = ""
    upload_id: UUID | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        two_decimals(self.total)

    @classmethod
    def from_invoice(cls, invoice: SupplierInvoice) -> Self:
        """Start from what Bokio has, so that an update loses nothing, not even what is new.

        Raises `BodyError` when Bokio named no supplier.
        """
        if invoice.supplier_id is None:
            raise BodyError("the supplier invoice names no supplier")
        return cls(
            supplier_id=invoice.supplier_id,
            invoice_date=invoice.invoice_date,
            due_date=invoice.due_date,
            total=invoice.total,
            number=invoice.number,
            extra=invoice.extra,
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes, the upload apart; an empty number is left out."""
        body = {
            **self.extra,
            "supplierRef": {"id": self.supplier_id},
            "invoiceDate": self.invoice_date,
            "dueDate": self.due_date,
            "totalAmount": self.total,
        }
        return body | ({"invoiceNumber": self.number} if self.number else {})


class SupplierInvoices(Resource):
    """`/supplier-invoices`"""

    def create(self, draft: SupplierInvoiceDraft) -> SupplierInvoice:
        """Create a supplier invoice, with its document if the draft names one.

        Not repeatable. After `OutcomeUnknown`, ask `find` by `supplierRef.id` and
        `invoiceNumber`. Needs scope `supplier-invoices:write`.
        """
        upload = {} if draft.upload_id is None else {"uploadRef": {"id": draft.upload_id}}
        body, parse = draft.to_json() | upload, SupplierInvoice.from_json
        return self._post("post-supplier-invoice", "supplier-invoices", parse, body)

    def get(self, invoice_id: UUID) -> SupplierInvoice:
        """Fetch one supplier invoice. Repeatable. Needs scope `supplier-invoices:read`."""
        parse = same(SupplierInvoice.from_json, invoice_id)
        return self._get("get-supplier-invoice-by-id", f"supplier-invoices/{invoice_id}", parse)

    def find(self, where: Filter | None = None) -> Iterator[SupplierInvoice]:
        """Fetch the supplier invoices that a filter lets through, page by page as they are taken.

        Filters: `supplierRef.id`, `invoiceNumber`, `totalAmount`, `currency`, `invoiceDate`,
        `dueDate`, `projectId`. Repeatable. Needs scope `supplier-invoices:read`.
        """
        operation, parse = "get-supplier-invoices", SupplierInvoice.from_json
        return self._pages(operation, "supplier-invoices", parse, where=where)

    def update(self, invoice_id: UUID, draft: SupplierInvoiceDraft) -> SupplierInvoice:
        """Replace an invoice of our own as a whole; `StateRefused` for anyone else's.

        Repeatable. The draft's upload is not sent: see `connect_upload`.
        Needs scope `supplier-invoices:write`.
        """
        path, parse = f"supplier-invoices/{invoice_id}", same(SupplierInvoice.from_json, invoice_id)
        return self._put("put-supplier-invoice", path, parse, draft.to_json())

    def delete(self, invoice_id: UUID) -> None:
        """Delete an invoice of our own; `StateRefused` for anyone else's.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `supplier-invoices:write`.
        """
        self._delete("delete-supplier-invoice", f"supplier-invoices/{invoice_id}")

    def connect_upload(self, invoice_id: UUID, upload_id: UUID) -> UUID:
        """Connect an uploaded document to an invoice of our own, and return the upload's id.

        Not repeatable: an upload is connected once, and a second call is `Invalid`. After that
        or `OutcomeUnknown`, `get` the invoice: the id among `upload_ids` means that it is done.
        Needs scope `supplier-invoices:write`.
        """

        def parse(data: object) -> UUID:
            if (found := Fields(data).uuid("id")) != upload_id:
                raise BodyError("the answer is about another upload")
            return found

        path, body = f"supplier-invoices/{invoice_id}/uploads", {"id": upload_id}
        return self._post("post-supplier-invoice-upload", path, parse, body)
