"""What invoices and credit notes have in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.amounts import exact
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.reading import Fields

_METADATA_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,24}")
_METADATA_KEYS: Final = 10
_METADATA_LENGTH: Final = 250


@dataclass(frozen=True)
class AttachmentRef:
    """A file that belongs to a document."""

    id: UUID
    name: str

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; its schema and its examples call the name differently."""
        read = Fields(data)
        return cls(id=read.uuid("id"), name=read.text("name") or read.text("fileName"))


@dataclass(frozen=True, kw_only=True)
class SalesDraft:
    """The part of a draft that invoices and credit notes share.

    `currency_rate` is SEK per unit of `currency`. `metadata` is not shown to anyone; up to 10
    keys of 25 characters (letters, digits, underscores, no digit first) with texts of up to 250.
    `extra` is sent as it is: fields of Bokio's that are not known here. Raises `Unsendable` for
    metadata that breaks these rules, and for a `delivery_address` with a subdivision: Bokio has
    one in the addresses of customers only.
    """

    line_items: tuple[LineItem, ...]
    currency: str = "SEK"
    currency_rate: Decimal = Decimal(1)
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    order_number: str = ""
    project: str = ""
    buyer_reference: str = ""
    contract: str = ""
    delivery_address: Address | None = field(default=None, repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        fit = all(
            _METADATA_KEY.fullmatch(key) and len(value) <= _METADATA_LENGTH
            for key, value in self.metadata.items()
        )
        if not fit or len(self.metadata) > _METADATA_KEYS:
            raise Unsendable("the metadata is larger than Bokio takes, or a key is malformed")
        if self.delivery_address and self.delivery_address.subdivision:
            raise Unsendable("a delivery address has no country subdivision")

    def _shared_json(self) -> dict[str, object]:
        """Write the shared part; empty parts are left out."""
        optional: dict[str, object] = {
            "orderNumberReference": self.order_number,
            "projectReference": self.project,
            "buyerReference": self.buyer_reference,
            "contractReference": self.contract,
            "deliveryAddress": self.delivery_address and self.delivery_address.to_json(),
            "metadata": dict(self.metadata),
        }
        return {
            **self.extra,
            "currency": self.currency,
            "currencyRate": exact(self.currency_rate),
            "lineItems": [each.to_json() for each in self.line_items],
        } | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True, kw_only=True)
class SalesDocument:
    """The part of an invoice or a credit note that both share, as Bokio has it.

    Amounts are in `currency`; `total` includes `total_tax`. `number` and `published_at` are None
    for a draft; `journal_entry_id` is set once the document is recorded, by whomever.
    `billing_address` is a copy of the customer's.
    """

    id: UUID
    number: str | None
    status: str
    total: Decimal
    total_tax: Decimal
    paid: Decimal
    currency: str
    currency_rate: Decimal
    due_date: date | None
    customer_id: UUID | None
    customer_name: str
    customer_number: str
    contact_id: UUID | None
    contact_email: str = field(repr=False)
    contact_phone: str = field(repr=False)
    order_number: str
    project: str
    buyer_reference: str
    contract: str
    line_items: tuple[LineItem, ...]
    billing_address: Address | None = field(repr=False)
    delivery_address: Address | None = field(repr=False)
    attachments: tuple[AttachmentRef, ...]
    metadata: Mapping[str, str] = field(hash=False)
    published_at: datetime | None
    journal_entry_id: UUID | None
    extra: Mapping[str, object] = field(repr=False, hash=False)


def shared_fields(read: Fields) -> dict[str, Any]:
    """Read all of `SalesDocument` but `extra`. Without state or total it is no document."""
    customer = read.part("customerRef", Fields) or Fields({})
    contact = read.part("contactDetailRef", Fields) or Fields({})
    return {
        "id": read.uuid("id"),
        "number": read.identifier("invoiceNumber") or None,
        "status": read.word("status"),
        "total": read.number("totalAmount"),
        "total_tax": read.number("totalTax", Decimal(0)),
        "paid": read.number("paidAmount", Decimal(0)),
        "currency": read.text("currency") or "SEK",
        "currency_rate": read.number("currencyRate", Decimal(1)),
        "due_date": read.day_or_none("dueDate"),
        "customer_id": customer.uuid_or_none("id"),
        "customer_name": customer.text("name"),
        # Told with invoices since September 2026, nobody has published where.
        "customer_number": read.identifier("customerNumber")
        or customer.identifier("customerNumber")
        or "",
        "contact_id": contact.uuid_or_none("id"),
        "contact_email": contact.text("email"),
        "contact_phone": contact.text("phone"),
        "order_number": read.text("orderNumberReference"),
        "project": read.text("projectReference"),
        "buyer_reference": read.text("buyerReference"),
        "contract": read.text("contractReference"),
        "line_items": read.rows("lineItems", LineItem.from_json),
        "billing_address": read.part("billingAddress", Address.from_json),
        "delivery_address": read.part("deliveryAddress", Address.from_json),
        "attachments": read.rows("attachmentRefs", AttachmentRef.from_json),
        "metadata": read.texts("metadata"),
        "published_at": read.moment_or_none("publishedDateTime"),
        "journal_entry_id": read.ref("journalEntryRef"),
    }


def draft_fields(document: SalesDocument) -> dict[str, Any]:
    """What of a document may be written, as `SalesDraft` takes it.

    What Bokio sent in a delivery address goes back as it came, a subdivision too.
    """
    names = (
        "line_items",
        "currency",
        "currency_rate",
        "metadata",
        "order_number",
        "project",
        "buyer_reference",
        "contract",
        "extra",
    )
    fields = {name: getattr(document, name) for name in names}
    return fields | {"delivery_address": _as_it_came(document.delivery_address)}


def _as_it_came(address: Address | None) -> Address | None:
    if address is None or not address.subdivision:
        return address
    kept = {**address.extra, "countrySubdivision": address.subdivision}
    return replace(address, subdivision=None, extra=kept)
