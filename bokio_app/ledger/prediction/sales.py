"""What records a sale, and what takes it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bokio_app.core.money import ZERO, Row, Totals, rounded, totals

from .accounts import OUTPUT_VAT, RECEIVABLES, ROUNDING, TAX_AGENCY, Buyer, Sold, sales_account
from .entries import Entry, Side, as_entry, merged, opposite

LARGEST_ROUNDING = Decimal(1)  # what whole kronor explain stays below it


@dataclass(frozen=True)
class Sale:
    """What an invoice sells, or a credit note takes back.

    `total` is Bokio's own, in the currency of the lines; None is the sum of the lines. `rate` is
    SEK per unit of that currency; `deduction` what the Tax Agency pays of it (ROT, RUT), in SEK.
    """

    lines: Sequence[Sold]
    buyer: Buyer = field(default_factory=Buyer)
    total: Decimal | None = None
    rate: Decimal = Decimal(1)
    deduction: Decimal = ZERO

    @property
    def sold(self) -> list[Sold]:
        return [line for line in self.lines if line.is_sales]

    @property
    def sums(self) -> Totals:
        return totals(Row(net=line.net, tax_rate=line.tax_rate) for line in self.sold)

    @property
    def rounding(self) -> Decimal:
        """How much Bokio's total differs from the lines, in their currency."""
        return ZERO if self.total is None else self.total - self.sums.total


def is_whole_kronor(total: Decimal, *, lines: Decimal) -> bool:
    """Whether rounding to whole kronor, and nothing else, makes this total of these lines."""
    return total == total.to_integral_value() and abs(total - lines) < LARGEST_ROUNDING


def sale_sides(sale: Sale) -> list[Side]:
    """The rows that record a sale under the accrual method."""
    sums = sale.sums
    total = sums.total if sale.total is None else sale.total
    owed = rounded(total * sale.rate)
    sides = [Side(RECEIVABLES, owed - sale.deduction), Side(TAX_AGENCY, sale.deduction)]
    for line in sale.sold:
        account, doubt = sales_account(line, sale.buyer)
        sides.append(Side(account, -rounded(line.net * sale.rate), doubt))
    for percent, (_net, tax) in sums.tax_by_rate.items():
        if tax:
            sides.append(Side(OUTPUT_VAT[percent], -rounded(tax * sale.rate)))
    rest = -sum((each.amount for each in sides), ZERO)
    return merged([*sides, Side(ROUNDING, rest, _doubt_of_rest(sale, total, sums.total))])


def _doubt_of_rest(sale: Sale, total: Decimal, lines: Decimal) -> str:
    if sale.rate != 1:
        return "conversion"
    return "" if total == lines or is_whole_kronor(total, lines=lines) else "unexplained"


def invoice_entry(sale: Sale, *, names: Mapping[int, str]) -> Entry:
    """The entry of an invoice under the accrual method. `names` is the company's chart."""
    return as_entry(sale_sides(sale), names)


def credit_note_entry(
    note: Sale,
    *,
    names: Mapping[int, str],
    completes: Sale | None = None,
    earlier: Sequence[Sale] = (),
) -> Entry:
    """The entry of a credit note under the accrual method.

    A note that takes back what was left of a sale (`completes`, after the `earlier` notes) clears
    every account: each part had its VAT rounded by itself.
    """
    if completes is None:
        return as_entry(opposite(sale_sides(note)), names)
    taken = [side for each in earlier for side in opposite(sale_sides(each))]
    return as_entry(opposite([*sale_sides(completes), *taken]), names)
