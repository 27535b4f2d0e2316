"""Line items: reading them from a request, and the rules each must keep."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bokio_app.sandbox import ledger
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.models import Company, Customer
from bokio_app.sandbox.wire import plain

TAX_RATES = (0, 6, 12, 25)
LONGEST_DESCRIPTION = 500

# Unique over restarts, because no process makes lines faster than one per microsecond.
_ids = itertools.count(time.time_ns() // 1000)


@dataclass(frozen=True)
class LineRules:
    """What a line is checked against: the chart of accounts, the customer, the kept line ids."""

    accounts: frozenset[int]
    customer: Customer | None
    kept_ids: frozenset[int] = frozenset()


def rules(
    company: Company, customer: Customer | None, lines: Sequence[dict[str, Any]] = ()
) -> LineRules:
    accounts = frozenset(company.accounts.values_list("number", flat=True))
    return LineRules(accounts, customer, frozenset(line["id"] for line in lines))


def read_line(body: Reader, checked: LineRules) -> dict[str, Any]:
    """One line item as it is kept: numbers as strings, and an id of its own."""
    given_id = body.integer("id")
    line: dict[str, Any] = {
        "id": given_id if given_id in checked.kept_ids else next(_ids),
        "description": body.text("description", required=True, longest=LONGEST_DESCRIPTION),
        "itemType": body.choice("itemType", ("salesItem", "descriptionOnlyItem"), required=True),
    }
    item = body.reference("itemRef")
    line["itemRef"] = {"id": str(item)} if item else None
    if line["itemType"] == "salesItem":
        line |= _sales_part(body, checked)
    body.done()
    return line


def _sales_part(body: Reader, checked: LineRules) -> dict[str, Any]:
    before = len(body.errors)
    rate = body.number("taxRate", required=True)
    if body.sound("taxRate") and rate not in TAX_RATES:
        body.note("taxRate", "The tax rate must be one of 0, 6, 12, 25")
    part: dict[str, Any] = {
        "productType": body.choice("productType", ("goods", "services"), required=True),
        "unitType": body.text("unitType", default="unspecified", longest=50) or "unspecified",
        "quantity": plain(body.number("quantity", required=True, default=Decimal(1))),
        "unitPrice": plain(body.number("unitPrice", required=True)),
        "taxRate": plain(rate),
        "bookkeepingAccountNumber": body.integer("bookkeepingAccountNumber"),
        "taxReduction": None,
    }
    body.read_only("taxReduction")
    if reverse := body.choice("reverseChargeType", ("construction",)):
        part["reverseChargeType"] = reverse
        if rate or not (checked.customer and checked.customer.construction_reverse_charge):
            body.note("reverseChargeType", "The line or its customer does not allow this")
    account = part["bookkeepingAccountNumber"]
    if account is not None and len(body.errors) == before:
        _check_account(body, checked, part, account)
    return part


def _check_account(body: Reader, checked: LineRules, part: dict[str, Any], account: int) -> None:
    if account not in checked.accounts:
        body.note("bookkeepingAccountNumber", f"The account {account} does not exist")
    elif account == ledger.automatic_account(checked.customer, part):
        body.note("bookkeepingAccountNumber", "Leave out the account that is chosen automatically")
