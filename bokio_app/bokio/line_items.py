"""Line items of invoices and credit notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from bokio_app.bokio.amounts import exact, two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.tax_reductions import LineReduction


class ItemType(StrEnum):
    """A row with a price, or a row of words."""

    SALES = "salesItem"
    DESCRIPTION = "descriptionOnlyItem"


class ProductType(StrEnum):
    """What is sold; with the customer and the VAT rate it decides the sales account."""

    GOODS = "goods"
    SERVICES = "services"


class UnitType(StrEnum):
    """Known units. Since September 2026 a row of an invoice may carry a word of its own."""

    UNSPECIFIED = "unspecified"
    PIECE = "piece"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    KILOGRAM = "kilogram"
    GRAM = "gram"
    LITER = "liter"
    METER = "meter"
    CENTIMETER = "centimeter"
    MILLIMETER = "millimeter"
    METER_SQUARED = "meterSquared"
    METER_CUBIC = "meterCubic"
    MILE = "mile"
    KILOMETER = "kilometer"
    GIGABYTE = "gigabyte"
    HECTAR = "hectar"
    WORDS = "words"
    YEAR = "year"
    WEEK = "week"
    MINUTE = "minute"
    MEGABYTE = "megabyte"
    TON = "ton"


class ReverseCharge(StrEnum):
    """Why the buyer pays the VAT. Such a line has no VAT, and the customer is marked for it."""

    CONSTRUCTION = "construction"


@dataclass(frozen=True, kw_only=True)
class LineItem:
    """A row of an invoice or a credit note, as Bokio has it or to be sent.

    `unit_price` is net of VAT, in the invoice's currency; `tax_rate` in per cent (0, 6, 12, 25).
    `account` names another account than the one Bokio would choose by itself, such as 3730 for a
    discount, and must be None for that one. `id` is for a row that exists already. `item_id`
    names an item of the company's: Bokio then takes all but the type, the quantity and the price
    from the item (`Item.line` makes such a row). A `discount` that Bokio sent stays in `extra`,
    because its form is not published; what is in `extra` is sent back as it came.
    """

    description: str
    item_type: str = ItemType.SALES
    product_type: str = ProductType.SERVICES
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(25)
    unit_type: str = UnitType.UNSPECIFIED
    account: int | None = None
    id: str | None = None
    item_id: UUID | None = None
    tax_reduction: LineReduction | None = None
    reverse_charge: str = ""
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.identifier("id"),
            description=read.text("description"),
            item_type=read.text("itemType") or ItemType.SALES,
            product_type=read.text("productType"),
            quantity=read.number("quantity", Decimal(0)),
            unit_price=read.number("unitPrice", Decimal(0)),
            tax_rate=read.number("taxRate", Decimal(0)),
            unit_type=read.text("unitType") or UnitType.UNSPECIFIED,
            account=read.integer_or_none("bookkeepingAccountNumber"),
            item_id=read.ref("itemRef"),
            tax_reduction=read.part("taxReduction", LineReduction.from_json),
            reverse_charge=read.text("reverseChargeType"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; an id of digits goes as the number it is.

        Raises `Unsendable` without a description, or when the price of a new row that is of no
        item has more than two decimals.
        """
        if not (self.description.strip() or self.item_id):
            raise Unsendable("a line item has a description")
        if self.id is not None and not self.id.isdecimal():
            raise Unsendable("the id of a line item is a number")
        row: dict[str, object] = {
            **self.extra,
            "description": self.description,
            "itemType": str(self.item_type),
        }
        if self.id is not None:
            row["id"] = int(self.id)
        if self.item_id is not None:
            row["itemRef"] = {"id": self.item_id}
        return row if self.item_type == ItemType.DESCRIPTION else row | self._priced()

    def _priced(self) -> dict[str, object]:
        # A price that Bokio holds already, on the row or on its item, goes back as it is.
        is_new = self.id is None and self.item_id is None
        price = two_decimals(self.unit_price) if is_new else exact(self.unit_price)
        optional: dict[str, object] = {
            "bookkeepingAccountNumber": self.account,
            "taxReduction": self.tax_reduction and self.tax_reduction.to_json(),
            "reverseChargeType": str(self.reverse_charge),
        }
        return {
            "productType": str(self.product_type),
            "unitType": str(self.unit_type),
            "quantity": exact(self.quantity),
            "unitPrice": price,
            "taxRate": exact(self.tax_rate),
        } | {key: value for key, value in optional.items() if value}
