"""The table of expected journal entries, `tests/ledger/matrix.csv`, written by hand.

`expected` holds debit less credit per account; `sure` says whether Bokio tells the accounts;
`source` whence the row comes. Amounts are in the row's currency, those of receipts in SEK. It is
read by one test of the predictor and one of the sandbox, which know nothing of each other.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "ledger" / "matrix.csv"


@dataclass(frozen=True)
class Case:
    """One row of the table. `more` is `whole` (kronor), a VAT scheme, or `part=` what came in."""

    event: str
    method: str
    customer: str
    vat_rate: int
    product: str
    account: int | None
    currency: str
    rate: Decimal
    amount: Decimal
    more: str
    expected: dict[int, Decimal]
    sure: bool
    source: str

    @property
    def part(self) -> Decimal | None:
        """What came in of a sale by the cash method; None for all of it."""
        return Decimal(self.more.removeprefix("part=")) if "part=" in self.more else None

    def __str__(self) -> str:
        return f"{self.event} {self.customer} {self.vat_rate} {self.product} {self.currency}"


def cases() -> list[Case]:
    """Every row, in the file's order."""
    with FILE.open(newline="") as file:
        return [_case(row) for row in csv.DictReader(file)]


def _case(row: dict[str, str]) -> Case:
    sides = (side.split(":") for side in row["expected"].split())
    return Case(
        event=row["event"],
        method=row["method"],
        customer=row["customer"],
        vat_rate=int(row["vat_rate"]),
        product=row["product"],
        account=int(row["account"]) if row["account"] else None,
        currency=row["currency"],
        rate=Decimal(row["rate"]),
        amount=Decimal(row["amount"]),
        more=row["more"],
        expected={int(account): Decimal(amount) for account, amount in sides},
        sure=row["sure"] == "yes",
        source=row["source"],
    )
