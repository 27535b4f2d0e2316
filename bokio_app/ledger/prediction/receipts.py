"""What records money that came in, and what closes the rest of an invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bokio_app.core.money import ZERO, rounded

from .accounts import (
    BAD_DEBTS,
    BANK_FEES,
    CURRENCY_GAIN,
    CURRENCY_LOSS,
    FOREIGN_SERVICES,
    RECEIVABLES,
    REVERSED_VAT_CREDIT,
    REVERSED_VAT_DEBIT,
    ROUNDING,
    SERVICE_FEES,
    TAX_AGENCY,
)
from .entries import Entry, Side, as_entry, merged
from .sales import Sale, sale_sides

QUARTER = Decimal("0.25")


def payment_entry(amount: Decimal, *, account: int, names: Mapping[int, str]) -> Entry:
    """The entry of a payment under the accrual method, SEK."""
    return as_entry([Side(account, amount), Side(RECEIVABLES, -amount)], names)


def settlement_entry(
    kind: str, amount: Decimal, *, names: Mapping[int, str], vat_scheme: str = ""
) -> Entry | None:
    """The entry of a settlement under the accrual method, SEK; None for a kind that is not
    recorded, or that we do not know. A currency difference below zero is a gain.
    """
    cost = settlement_sides(kind, amount, vat_scheme=vat_scheme)
    return as_entry([*cost, Side(RECEIVABLES, -amount)], names) if cost else None


def settlement_sides(kind: str, amount: Decimal, *, vat_scheme: str = "") -> list[Side]:
    """Where a settlement's cost, or gain, is booked; empty for a kind that we do not know."""
    if kind == "bankFee":
        return [Side(BANK_FEES, amount)]
    if kind == "badDebt":
        return [Side(BAD_DEBTS, amount)]
    if kind == "currency":
        return [Side(CURRENCY_LOSS if amount > 0 else CURRENCY_GAIN, amount, "currency")]
    if kind != "paymentServiceFee" or vat_scheme not in SERVICE_FEES:
        return []
    fee = Side(SERVICE_FEES[vat_scheme], amount, "service_fee")
    if vat_scheme not in FOREIGN_SERVICES:
        return [fee]
    tax = rounded(amount * QUARTER)
    return [fee, Side(REVERSED_VAT_DEBIT, tax), Side(REVERSED_VAT_CREDIT, -tax)]


def cash_entry(
    received: Sequence[Side], *, sale: Sale, before: Decimal, names: Mapping[int, str]
) -> Entry:
    """The entry of a receipt under the cash method, which books the sale and its VAT as well.

    `received` is where the money, or the fee, goes; `before` what earlier receipts came to, SEK.
    What comes in beyond the sale is owed, on 1510; but a sale in another currency is worth in SEK
    what came in for it.
    """
    amount = sum((each.amount for each in received), ZERO)
    rows = sale_sides(sale)
    owed = None
    if sale.rate == 1:
        owed = sum((each.amount for each in rows if each.account == RECEIVABLES), ZERO)
    now, then = _recognised(rows, before + amount, owed), _recognised(rows, before, owed)
    taken = [Side(each.account, -each.amount, each.doubt) for each in then]
    return as_entry([*received, *now, *taken], names)


def _recognised(rows: Sequence[Side], received: Decimal, owed: Decimal | None) -> list[Side]:
    """Sales and VAT for so much of the sale, in one proportion on every account."""
    sold = [each for each in rows if each.account not in {RECEIVABLES, TAX_AGENCY}]
    whole = -sum((each.amount for each in sold), ZERO)
    if not whole:
        return [Side(RECEIVABLES, -received)]
    part = received if owed is None else min(received, owed)
    shares = [
        Side(each.account, rounded(each.amount * part / whole), each.doubt or "division")
        for each in sold
    ]
    rest = -part - sum((each.amount for each in shares), ZERO)
    return merged([*shares, Side(ROUNDING, rest, "division"), Side(RECEIVABLES, part - received)])
