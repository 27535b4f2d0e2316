"""Items: what a company sells again and again, ready to be put on invoices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from bokio_app.bokio.amounts import exact, two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType, UnitType
from bokio_app.bokio.paging import Found
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same

LONGEST_DESCRIPTION: Final = 500  # characters


@dataclass(frozen=True, kw_only=True)
class ItemDraft:
    """An item to create, or what an existing one shall become as a whole.

    `unit_price` is net of VAT, in SEK; `tax_rate` in per cent (0, 6, 12, 25). `account` names
    another account than the one Bokio would choose by itself. An item of words alone
    (`ItemType.DESCRIPTION`) has neither price nor account. `held_price` is the one that Bokio
    has, which goes back as it is, however fine. Raises `Unsendable` without a description, or
    when that of a sales item is over 500 characters.
    """

    description: str
    item_type: str = ItemType.SALES
    product_type: str = ProductType.SERVICES
    unit_type: str = UnitType.UNSPECIFIED
    unit_price: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(25)
    account: int | None = None
    held_price: Decimal | None = field(default=None, repr=False, compare=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        too_long = len(self.description) > LONGEST_DESCRIPTION
        if not self.description.strip() or (too_long and self.item_type != ItemType.DESCRIPTION):
            raise Unsendable("an item has a description of at most 500 characters")

    @classmethod
    def from_item(cls, item: "Item") -> Self:
        """Start from what Bokio has, so that an update changes no more than it means to."""
        return cls(
            description=item.description,
            item_type=item.item_type,
            product_type=item.product_type,
            unit_type=item.unit_type,
            unit_price=item.unit_price,
            tax_rate=item.tax_rate,
            account=item.account,
            held_price=item.unit_price,
            extra=item.extra,
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` for a new price of over two decimals."""
        words: dict[str, object] = {
            **self.extra,
            "description": self.description,
            "itemType": str(self.item_type),
        }
        if self.item_type == ItemType.DESCRIPTION:
            return words
        price = exact if self.unit_price == self.held_price else two_decimals
        account = {} if self.account is None else {"bookkeepingAccountNumber": self.account}
        return words | {
            "productType": str(self.product_type),
            "unitType": str(self.unit_type),
            "unitPrice": price(self.unit_price),
            "taxRate": exact(self.tax_rate),
            **account,
        }


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item as Bokio has it; see `ItemDraft`."""

    id: UUID
    description: str
    item_type: str
    product_type: str
    unit_type: str
    unit_price: Decimal
    tax_rate: Decimal
    account: int | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            description=read.text("description"),
            item_type=read.text("itemType") or ItemType.SALES,
            product_type=read.text("productType"),
            unit_type=read.text("unitType") or UnitType.UNSPECIFIED,
            unit_price=read.number("unitPrice", Decimal(0)),
            tax_rate=read.number("taxRate", Decimal(0)),
            account=read.integer_or_none("bookkeepingAccountNumber"),
            extra=read.rest(),
        )

    def line(self, *, quantity: Decimal = Decimal(1)) -> LineItem:
        """A row of this item for an invoice. Bokio goes by the item, but for the quantity and
        the price, which are the row's own."""
        return LineItem(
            item_id=self.id,
            description=self.description,
            item_type=self.item_type,
            product_type=self.product_type,
            quantity=quantity,
            unit_price=self.unit_price,
            tax_rate=self.tax_rate,
            unit_type=self.unit_type,
        )


class Items(Resource):
    """`/items`"""

    def create(self, draft: ItemDraft) -> Item:
        """Create an item.

        Not repeatable: a second call may make a second one. After `OutcomeUnknown`, ask `find` by
        `description` and compare the rest. Needs scope `items:write`.
        """
        return self._post("post-item", "items", Item.from_json, draft.to_json())

    def get(self, item_id: UUID) -> Item:
        """Fetch one item. Repeatable. Needs scope `items:read`."""
        return self._get("get-items-itemId", f"items/{item_id}", same(Item.from_json, item_id))

    def find(self, where: Filter | None = None) -> Found[Item]:
        """Fetch the items that a filter lets through, page by page as they are taken.

        Filters: `description`, `itemType`, `productType`, `unitType`, `unitPrice`, `taxRate`.
        Repeatable. Needs scope `items:read`.
        """
        return self._pages("get-items", "items", Item.from_json, where=where)

    def update(self, item_id: UUID, draft: ItemDraft) -> Item:
        """Replace the item as a whole; what the draft leaves out is lost.

        Repeatable. Needs scope `items:write`.
        """
        parse = same(Item.from_json, item_id)
        return self._put("put-item", f"items/{item_id}", parse, draft.to_json())

    def delete(self, item_id: UUID) -> None:
        """Delete an item.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `items:write`.
        """
        self._delete("delete-item", f"items/{item_id}")
