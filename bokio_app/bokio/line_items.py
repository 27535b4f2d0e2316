"""Line items of invoices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Self

from bokio_app.bokio.amounts import exact, two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.reading import Fields


class ItemType(StrEnum):
    """A row with a price, or a row of words."""

    SALES = "salesItem"
    DESCRIPTION = "descriptionOnlyItem"


class ProductType(StrEnum):
    """What is sold; with the customer and the VAT rate it decides the sales account."""

    GOODS = "goods"
    SERVICES = "services"


@dataclass(frozen=True, kw_only=True)
class LineItem:
    """A row of an invoice, as Bokio has it or to be sent.

    `unit_price` is net of VAT, in the invoice's currency; `tax_rate` in per cent (0, 6, 12, 25).
    `account` names another account than the one Bokio would choose by itself, such as 3730 for a
    discount, and must be None for that one. `id` is for a row that exists already.
    """

    description: str
    item_type: str = ItemType.SALES
    product_type: str = ProductType.SERVICES
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(25)
    unit_type: str = "unspecified"
    account: int | None = None
    id: str | None = None
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
            unit_type=read.text("unitType"),
            account=read.integer_or_none("bookkeepingAccountNumber"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; an id of digits goes as the number it is.

        Raises `Unsendable` without a description or for a price of more than two decimals.
        """
        if not self.description.strip():
            raise Unsendable("a line item has a description")
        if self.id is not None and not self.id.isdecimal():
            raise Unsendable("the id of a line item is a number")
        row: dict[str, object] = {
            "description": self.description,
            "itemType": str(self.item_type),
        }
        if self.id is not None:
            row["id"] = int(self.id)
        if self.item_type == ItemType.DESCRIPTION:
            return row
        row |= {
            "productType": str(self.product_type),
            "unitType": self.unit_type,
            "quantity": exact(self.quantity),
            "unitPrice": two_decimals(self.unit_price),
            "taxRate": exact(self.tax_rate),
        }
        if self.account is not None:
            row["bookkeepingAccountNumber"] = self.account
        return row
