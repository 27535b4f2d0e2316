"""The company's items, as the editor offers them for a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bokio_app.connections.models import Connection

from .fields import as_typed
from .models import Item, LineItem

MOST = 12


@dataclass(frozen=True)
class Found:
    """An item that holds what was typed. `row` is the line that it makes, as its fields show it."""

    pk: int
    description: str
    row: Mapping[str, str]

    @property
    def action(self) -> str:
        """The action of the button that makes a line of it."""
        return f"add_item:{self.pk}"


def find(connection: Connection, text: str) -> list[Found]:
    """The first items whose description holds the text; none for no text."""
    if not text:
        return []
    items = connection.items.filter(gone_at=None, description__icontains=text)[:MOST]
    return [Found(each.pk, each.description, row_of_item(each)) for each in items]


def row_of_item(item: Item) -> Mapping[str, str]:
    """The line that the item makes. What Bokio says and no line of ours may say is left open."""
    return {
        "type": item.type,
        "description": item.description,
        "product": item.product,
        "quantity": "1",
        "unit": item.unit if item.unit in LineItem.Unit.values else LineItem.Unit.UNSPECIFIED,
        "unit_price": as_typed(item.unit_price) if item.type == LineItem.Type.SALES else "",
        "tax_rate": str(item.tax_rate) if item.tax_rate in LineItem.TAX_RATES else "25",
        "account": str(item.account or ""),
    }
