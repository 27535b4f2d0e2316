"""Amounts: always `Decimal`, rounded half up to öre as Swedish invoices are."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
SPACES = "\u00a0\u202f\u2009 "


def rounded(amount: Decimal) -> Decimal:
    """The amount with two decimals, halves away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def parse(text: str) -> Decimal:
    """Read an amount as a person types it: `1 234,50`, `1234.50`, `−500`.

    Raises `ValueError` for anything else, and for text where comma and point could both be
    the decimal sign.
    """
    cleaned = text.translate({ord(space): None for space in SPACES}).replace("\u2212", "-")
    if cleaned.count(",") + cleaned.count(".") > 1:
        raise ValueError("More than one decimal sign.")
    try:
        amount = Decimal(cleaned.replace(",", "."))
    except InvalidOperation:
        raise ValueError("Not an amount.") from None
    if not amount.is_finite():
        raise ValueError("Not an amount.")
    return amount


@dataclass(frozen=True)
class Row:
    """What a total needs of one line: net amount (quantity × unit price) and VAT in percent."""

    net: Decimal
    tax_rate: int


@dataclass(frozen=True)
class Totals:
    """Sums of an invoice. `tax_by_rate` maps percent to (net, VAT), highest rate first."""

    net: Decimal
    tax: Decimal
    tax_by_rate: dict[int, tuple[Decimal, Decimal]]

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def totals(rows: Iterable[Row]) -> Totals:
    """Add up an invoice: each row rounded by itself, VAT on the summed net of each rate."""
    nets: dict[int, Decimal] = {}
    for row in rows:
        nets[row.tax_rate] = nets.get(row.tax_rate, ZERO) + rounded(row.net)
    by_rate = {rate: (nets[rate], rounded(nets[rate] * rate / 100)) for rate in sorted(nets)[::-1]}
    return Totals(
        net=sum((net for net, _ in by_rate.values()), ZERO),
        tax=sum((tax for _, tax in by_rate.values()), ZERO),
        tax_by_rate=by_rate,
    )
