"""A line as it is ordered: typed, complete, and without anything of ours yet.

`docs/bulk-format.md` tells people about it, `line.schema.json` machines.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from bokio_app.bokio.customers import CustomerType
from bokio_app.bokio.line_items import ItemType, ProductType, UnitType
from bokio_app.bokio.settlements import SettlementType, VatScheme

from .reading import BadLine, Reader, decode

T = TypeVar("T")

LONGEST_REFERENCE = 200
MOST_LINE_ITEMS = 300
MOST_RECEIPTS = 100
TAX_RATES = (0, 6, 12, 25)
CUSTOMER_TYPES = tuple(CustomerType)
ITEM_TYPES = tuple(ItemType)
PRODUCTS = tuple(ProductType)
UNITS = tuple(UnitType)
SETTLEMENTS = tuple(SettlementType)
VAT_SCHEMES = tuple(VatScheme)
_METADATA_KEY = re.compile(r"(?!(?:op_key|invoice|externalId)$)[A-Za-z_][A-Za-z0-9_]{0,24}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class AddressPart:
    """A postal address; `country` by ISO 3166-1."""

    line1: str
    postal_code: str
    city: str
    country: str = "SE"
    line2: str = ""
    subdivision: str = ""


@dataclass(frozen=True)
class ContactPart:
    """A person at a customer."""

    name: str
    email: str
    phone: str
    is_default: bool


@dataclass(frozen=True)
class CustomerPart:
    """Whom the invoice goes to: with `id` a customer that Bokio has, else the fields of one."""

    id: UUID | None = None
    name: str = ""
    type: str = str(CustomerType.COMPANY)
    org_number: str = ""
    vat_number: str = ""
    payment_terms: str = ""
    address: AddressPart | None = None
    contacts: tuple[ContactPart, ...] = ()
    language: str = ""
    customer_number: str = ""
    construction_reverse_charge: bool | None = None


@dataclass(frozen=True)
class LinePart:
    """A row of the invoice; the price is net of VAT, in the invoice's currency."""

    description: str
    type: str
    product: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    tax_rate: int
    account: int | None


@dataclass(frozen=True)
class InvoicePart:
    """The invoice. Without `due_date` Bokio takes the customer's terms."""

    invoice_date: date
    due_date: date | None
    currency: str
    currency_rate: Decimal
    buyer_reference: str
    order_number: str
    project: str
    contract: str
    delivery_address: AddressPart | None
    total_rounding: bool | None
    metadata: dict[str, str]
    lines: tuple[LinePart, ...]


@dataclass(frozen=True)
class SettlementPart:
    """A fee or currency difference in SEK; a positive amount lowers what is owed."""

    type: str
    date: date
    amount: Decimal
    record: bool
    vat_scheme: str


@dataclass(frozen=True)
class PaymentPart:
    """Money received, in SEK, on the bookkeeping account `account`."""

    date: date
    amount: Decimal
    account: int
    record: bool


@dataclass(frozen=True)
class CreditPart:
    """The whole invoice is taken back at the end."""

    publish: bool
    record: bool


@dataclass(frozen=True)
class Order:
    """One line: everything that shall happen to one invoice, in this order of fields."""

    reference: str
    company: UUID
    customer: CustomerPart
    invoice: InvoicePart
    publish: bool
    record: bool
    settlements: tuple[SettlementPart, ...]
    payments: tuple[PaymentPart, ...]
    credit: CreditPart | None

    @property
    def content_hash(self) -> str:
        """Equal for equal orders, however they are written: `1`, `1.00` and `"1.0"` are one.

        What is absent or empty does not count, so that a field which is added to the format
        later leaves the hashes of earlier lines as they are.
        """
        told = json.dumps(_told(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()


def parse(line: bytes) -> Order:
    """Read one line of a file. Raises `BadLine`."""
    reader = Reader(decode(line))
    order = Order(
        reference=reader.text("reference", longest=LONGEST_REFERENCE, required=True),
        company=reader.uuid("company"),
        customer=_required(reader, "customer", reader.part("customer", _customer)),
        invoice=_required(reader, "invoice", reader.part("invoice", _invoice)),
        publish=reader.flag("publish"),
        record=reader.flag("record"),
        settlements=reader.rows("settlements", _settlement, most=MOST_RECEIPTS),
        payments=reader.rows("payments", _payment, most=MOST_RECEIPTS),
        credit=_credit(reader),
    )
    reader.done()
    if not order.publish:
        for key in ("record", "settlements", "payments", "credit"):
            if getattr(order, key):
                reader.refuse(key, "needs an invoice that is published")
    return order


def reference_of(line: bytes) -> str:
    """The reference of a line that cannot be taken, as far as it has one."""
    try:
        return Reader(decode(line)).text("reference", longest=LONGEST_REFERENCE)
    except BadLine:
        return ""


def _required(reader: Reader, key: str, value: T | None) -> T:
    if value is None:
        reader.refuse(key, "is missing")
    return value


def _customer(reader: Reader) -> CustomerPart:
    if reader.has("id"):
        return CustomerPart(id=reader.uuid("id"))
    kind = reader.text("type", longest=20, choices=CUSTOMER_TYPES) or CustomerType.COMPANY
    if kind == CustomerType.PRIVATE:
        for key in ("orgNumber", "vatNumber"):
            if reader.has(key):
                reader.refuse(key, "is not kept of a private person")
    flag = "constructionReverseChargeEnabled"
    return CustomerPart(
        name=reader.text("name", longest=200, required=True),
        type=str(kind),
        org_number=reader.text("orgNumber", longest=40),
        vat_number=reader.text("vatNumber", longest=40),
        payment_terms=reader.text("paymentTerms", longest=40),
        address=_required(reader, "address", reader.part("address", _address)),
        contacts=reader.rows("contactsDetails", _contact, most=3),
        language=reader.text("language", longest=10),
        customer_number=reader.text("customerNumber", longest=40),
        construction_reverse_charge=reader.flag(flag) if reader.has(flag) else None,
    )


def _contact(reader: Reader) -> ContactPart:
    return ContactPart(
        name=reader.text("name", longest=200),
        email=reader.text("email", longest=254),
        phone=reader.text("phone", longest=40),
        is_default=reader.flag("isDefault"),
    )


def _address(reader: Reader) -> AddressPart:
    country = reader.text("country", longest=2) or "SE"
    if not _COUNTRY.fullmatch(country):
        reader.refuse("country", "must be two capital letters")
    return AddressPart(
        line1=reader.text("line1", longest=200, required=True),
        line2=reader.text("line2", longest=200),
        postal_code=reader.text("postalCode", longest=20, required=True),
        city=reader.text("city", longest=100, required=True),
        country=country,
        subdivision=reader.text("countrySubdivision", longest=10),
    )


def _invoice(reader: Reader) -> InvoicePart:
    reader.text("type", longest=20, choices=["invoice"])
    _refuse_reduction(reader)
    currency = reader.text("currency", longest=3) or "SEK"
    if not _CURRENCY.fullmatch(currency):
        reader.refuse("currency", "must be three capital letters")
    rate = reader.amount("currencyRate", decimals=6, digits=9)
    flag = "totalRoundingEnabled"
    return InvoicePart(
        invoice_date=_required(reader, "invoiceDate", reader.day("invoiceDate")),
        due_date=reader.day("dueDate"),
        currency=currency,
        currency_rate=_rate(reader, currency, rate),
        buyer_reference=reader.text("buyerReference", longest=100),
        order_number=reader.text("orderNumberReference", longest=100),
        project=reader.text("projectReference", longest=100),
        contract=reader.text("contractReference", longest=100),
        delivery_address=reader.part("deliveryAddress", _address),
        total_rounding=reader.flag(flag) if reader.has(flag) else None,
        metadata=reader.texts("metadata", most=7, longest=250, name=_METADATA_KEY),
        lines=reader.rows("lineItems", _line, most=MOST_LINE_ITEMS, least=1),
    )


def _refuse_reduction(reader: Reader) -> None:
    """ROT and RUT stay with the person who does them in Bokio.

    They name people by their personal numbers, which do not belong in a file of orders, and the
    Tax Agency pays a part of such an invoice, which no payment of an order could tell.
    """
    if reader.has("taxReduction"):
        reader.refuse("taxReduction", "ROT and RUT are not taken from a file: use Bokio itself")


def _rate(reader: Reader, currency: str, rate: Decimal | None) -> Decimal:
    if rate is None and currency != "SEK":
        reader.refuse("currencyRate", "is missing")
    if rate is not None and (rate <= 0 or (currency == "SEK" and rate != 1)):
        reader.refuse("currencyRate", "must be more than 0, and 1 for SEK")
    return rate or Decimal(1)


def _line(reader: Reader) -> LinePart:
    _refuse_reduction(reader)
    kind = reader.text("itemType", longest=30, choices=ITEM_TYPES) or ItemType.SALES
    description = reader.text("description", longest=500, required=True)
    if kind == ItemType.DESCRIPTION:
        return LinePart(
            description, str(kind), "services", Decimal(1), "unspecified", Decimal(0), 25, None
        )
    rate = reader.integer("taxRate", least=0, most=25)
    if rate is not None and rate not in TAX_RATES:
        reader.refuse("taxRate", "must be one of 0, 6, 12, 25")
    quantity = reader.amount("quantity", decimals=3, digits=9)
    product = reader.text("productType", longest=20, choices=PRODUCTS)
    unit = reader.text("unitType", longest=20, choices=UNITS)
    price = reader.amount("unitPrice", decimals=2, digits=13)
    return LinePart(
        description=description,
        type=str(kind),
        product=str(product or ProductType.SERVICES),
        quantity=Decimal(1) if quantity is None else quantity,
        unit=str(unit or UnitType.UNSPECIFIED),
        unit_price=_required(reader, "unitPrice", price),
        tax_rate=25 if rate is None else rate,
        account=reader.integer("bookkeepingAccountNumber", least=1000, most=9999),
    )


def _settlement(reader: Reader) -> SettlementPart:
    kind = reader.text("type", longest=30, required=True, choices=SETTLEMENTS)
    is_fee = kind == SettlementType.PAYMENT_SERVICE_FEE
    if is_fee != reader.has("vatScheme"):
        reader.refuse("vatScheme", "goes with a paymentServiceFee, and only with it")
    amount = _money(reader)
    if amount == 0 or (amount < 0 and kind != SettlementType.CURRENCY):
        reader.refuse("amount", "must be more than 0 (a currency difference: not 0)")
    return SettlementPart(
        type=kind,
        date=_required(reader, "date", reader.day("date")),
        amount=amount,
        record=reader.flag("record"),
        vat_scheme=reader.text("vatScheme", longest=20, choices=VAT_SCHEMES),
    )


def _payment(reader: Reader) -> PaymentPart:
    amount = _money(reader)
    if amount <= 0:
        reader.refuse("amount", "must be more than 0")
    account = reader.integer("account", least=1000, most=9999)
    return PaymentPart(
        date=_required(reader, "date", reader.day("date")),
        amount=amount,
        account=_required(reader, "account", account),
        record=reader.flag("record"),
    )


def _money(reader: Reader) -> Decimal:
    amount = reader.amount("amount", decimals=2, digits=13)
    return _required(reader, "amount", amount)


def _credit(reader: Reader) -> CreditPart | None:
    """`true` is all of it; an object says how far to go."""
    if not isinstance(reader.data.get("credit"), dict):
        return CreditPart(publish=True, record=True) if reader.flag("credit") else None
    credit = reader.part("credit", _credit_part)
    if credit and credit.record and not credit.publish:
        reader.refuse("credit", "needs publish to be recorded")
    return credit


def _credit_part(reader: Reader) -> CreditPart:
    return CreditPart(publish=reader.flag("publish"), record=reader.flag("record"))


def _told(value: Any) -> Any:
    """What an order says, as JSON; without what is absent or empty."""
    if (tell := _TELL.get(type(value))) is not None:
        return tell(value)
    if isinstance(value, str):  # a word of an enumeration
        return str(value)
    # A part of the order keeps its fields in its dictionary.
    parts = value if isinstance(value, dict) else vars(value)
    told = {key: _told(each) for key, each in parts.items()}
    return {key: each for key, each in told.items() if each is not None and each not in _EMPTY}


def _itself(value: T) -> T:
    return value


def _decimal(value: Decimal) -> str:
    return format(value.normalize() if value else Decimal(0), "f")


def _rows(values: tuple[Any, ...]) -> list[Any]:
    return [_told(each) for each in values]


_TELL: dict[type, Callable[[Any], Any]] = {
    str: _itself,
    int: _itself,
    bool: _itself,
    type(None): _itself,
    date: str,
    UUID: str,
    Decimal: _decimal,
    tuple: _rows,
}
_EMPTY: tuple[object, ...] = ("", [], {})
