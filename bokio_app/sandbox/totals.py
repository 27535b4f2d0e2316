"""The arithmetic of invoices: nets, VAT per rate, totals, numbers that payers quote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stdnum import luhn

CENT = Decimal("0.01")
ONE = Decimal(1)

StoredLine = Mapping[str, Any]
"""A line item as kept in the database: JSON of the API with each number as a string."""


def half_up(amount: Decimal, unit: Decimal = CENT) -> Decimal:
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Totals:
    """Invoice currency, two decimals. `total` includes `tax` and `rounding`."""

    total: Decimal
    tax: Decimal
    rounding: Decimal
    tax_by_rate: Mapping[Decimal, Decimal]


def sales_lines(lines: Sequence[StoredLine]) -> list[StoredLine]:
    return [line for line in lines if line["itemType"] == "salesItem"]


def net(line: StoredLine) -> Decimal:
    """Quantity times price, half-up to whole öre."""
    return half_up(Decimal(line["quantity"]) * Decimal(line["unitPrice"]))


def add_up(lines: Sequence[StoredLine], *, whole_kronor: bool) -> Totals:
    """Add the lines up. VAT is computed once per rate, on the summed net of that rate."""
    nets: dict[Decimal, Decimal] = {}
    for line in sales_lines(lines):
        rate = Decimal(line["taxRate"])
        nets[rate] = nets.get(rate, Decimal(0)) + net(line)
    taxes = {rate: half_up(amount * rate / 100) for rate, amount in sorted(nets.items())}
    exact = sum(nets.values(), Decimal(0)) + sum(taxes.values(), Decimal(0))
    total = half_up(exact, ONE) if whole_kronor else exact
    return Totals(
        half_up(total), half_up(sum(taxes.values(), Decimal(0))), half_up(total - exact), taxes
    )


def payment_reference(number: int) -> str:
    """The OCR reference: the invoice number followed by its Luhn check digit."""
    return f"{number}{luhn.calc_check_digit(str(number))}"
