"""Line items: reading them from a request, and the rules each must keep."""

import itertools
import time
import uuid
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from bokio_app.sandbox import ledger, tax_reductions
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.models import Company, Customer, Item
from bokio_app.sandbox.tax_reductions import Reductions
from bokio_app.sandbox.totals import StoredLine
from bokio_app.sandbox.wire import plain

TAX_RATES = (0, 6, 12, 25)
PRODUCTS = ("goods", "services")
LONGEST_DESCRIPTION = 500
LONGEST_UNIT = 50

# Unique over restarts, because no process makes lines faster than one per microsecond.
_ids = itertools.count(time.time_ns() // 1000)


def fresh_id() -> int:
    """An id that no other line has."""
    return next(_ids)


class LineRules:
    """What the lines of one invoice are checked against.

    `kept` are the lines it has so far. The chart of accounts and the company's items are read
    only when a line names one.
    """

    def __init__(
        self,
        company: Company,
        customer: Customer | None,
        allowed: Reductions,
        kept: Sequence[StoredLine] = (),
    ) -> None:
        self.allowed = allowed
        self.construction = bool(customer and customer.construction_reverse_charge)
        self.buyer = ledger.Buyer.of(customer)
        self.kept = {line["id"]: line for line in kept}
        self._company = company
        self._items: dict[uuid.UUID, Item | None] = {}

    @cached_property
    def accounts(self) -> frozenset[int]:
        return frozenset(self._company.accounts.values_list("number", flat=True))

    def item(self, item_id: uuid.UUID) -> Item | None:
        if item_id not in self._items:
            self._items[item_id] = self._company.items.filter(uuid=item_id).first()
        return self._items[item_id]


def read_line(body: Reader, rules: LineRules) -> dict[str, Any]:
    """One line item as it is kept: numbers as strings, and an id of its own.

    Where it refers to an item, the item's values win over all but quantity and price.
    """
    given_id = body.integer("id")
    kind = body.choice("itemType", ("salesItem", "descriptionOnlyItem"), required=True)
    item = _item(body, rules, kind)
    if item:
        body.read_only("description")
    line: dict[str, Any] = {
        "id": given_id if given_id in rules.kept else fresh_id(),
        "description": item.description
        if item
        else body.text("description", required=True, longest=LONGEST_DESCRIPTION),
        "itemType": kind,
        "itemRef": {"id": str(item.uuid), "description": item.description} if item else None,
    }
    if kind == "salesItem":
        line |= _sales_part(body, rules, item, rules.kept.get(line["id"]))
    body.done()
    return line


def _item(body: Reader, rules: LineRules, kind: str) -> Item | None:
    """The item that the line refers to, which must be of the same type."""
    item_id = body.reference("itemRef")
    if item_id is None:
        return None
    item = rules.item(item_id)
    if item is None:
        body.note("itemRef/id", "The item does not exist")
    elif item.item_type != kind:
        body.note("itemRef/id", "The item is of another type than the line")
    return item


def _sales_part(
    body: Reader, rules: LineRules, item: Item | None, kept: StoredLine | None
) -> dict[str, Any]:
    errors = len(body.errors)
    part: dict[str, Any] = {
        **(_of_item(body, rules, item) if item else _of_body(body)),
        "quantity": plain(body.number("quantity", required=True, default=Decimal(1))),
    }
    part["unitPrice"] = (
        plain(item.unit_price)
        if item and not body.given("unitPrice")
        else plain(body.number("unitPrice", required=True))
    )
    if reverse := body.choice("reverseChargeType", ("construction",)):
        part["reverseChargeType"] = reverse
        if Decimal(part["taxRate"]) or not rules.construction:
            body.note("reverseChargeType", "The line or its customer does not allow this")
    part["taxReduction"] = _reduction(body, rules, part, kept)
    account = part["bookkeepingAccountNumber"]
    if account is not None and item is None and len(body.errors) == errors:
        _check_account(body, rules, part, account)
    return part


def _of_body(body: Reader) -> dict[str, Any]:
    return {
        "productType": body.choice("productType", PRODUCTS, required=True),
        "unitType": body.text("unitType", longest=LONGEST_UNIT) or "unspecified",
        "taxRate": plain(read_tax_rate(body)),
        "bookkeepingAccountNumber": body.integer("bookkeepingAccountNumber"),
    }


def _of_item(body: Reader, rules: LineRules, item: Item) -> dict[str, Any]:
    """The item's values. An account that is chosen anyway is left out."""
    body.read_only("productType", "unitType", "taxRate", "unitPrice", "bookkeepingAccountNumber")
    part: dict[str, Any] = {
        "productType": item.product_type or "goods",
        "unitType": item.unit_type or "unspecified",
        "taxRate": str(item.tax_rate),
    }
    chosen = ledger.automatic_account(rules.buyer, part)
    part["bookkeepingAccountNumber"] = None if item.account == chosen else item.account
    return part


def read_tax_rate(body: Reader) -> Decimal:
    """A percentage that Sweden has, as lines and items give it."""
    rate = body.number("taxRate", required=True)
    if body.sound("taxRate") and rate not in TAX_RATES:
        body.note("taxRate", "The tax rate must be one of 0, 6, 12, 25")
    return rate if rate in TAX_RATES else Decimal(0)


def _reduction(
    body: Reader, rules: LineRules, part: dict[str, Any], kept: StoredLine | None
) -> dict[str, Any] | None:
    """The line's tax reduction; for those who may not change it, the one it has."""
    if rules.allowed.writable:
        return tax_reductions.read_line(body, part, rules.allowed)
    body.read_only("taxReduction")
    stands: dict[str, Any] | None = kept.get("taxReduction") if kept else None
    return stands if tax_reductions.fits(part) else None


def _check_account(body: Reader, rules: LineRules, part: dict[str, Any], account: int) -> None:
    if account not in rules.accounts:
        body.note("bookkeepingAccountNumber", f"The account {account} does not exist")
    elif account == ledger.automatic_account(rules.buyer, part):
        body.note("bookkeepingAccountNumber", "Leave out the account that is chosen automatically")
