"""The journal entries that we expect Bokio to write, worked out before anything is sent.

The accounts are those of Bokio's help, "how customer invoices are booked": sales by product, VAT
rate and the customer's country, output VAT by rate, receivables on 1510.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from bokio_app.core.money import ZERO, Row, totals

from .models import Customer, LineItem
from .numbers import EU_PREFIXES

RECEIVABLES = 1510
BANK_FEES = 6570
DISCOUNTS = 3730
OUTPUT_VAT = {25: 2611, 12: 2621, 6: 2631}
SWEDEN = {
    LineItem.Product.GOODS: {25: 3001, 12: 3002, 6: 3003, 0: 3004},
    LineItem.Product.SERVICES: {25: 3011, 12: 3012, 6: 3013, 0: 3014},
}
EU_BUSINESS = {LineItem.Product.GOODS: 3108, LineItem.Product.SERVICES: 3308}
OUTSIDE_EU = {LineItem.Product.GOODS: 3105, LineItem.Product.SERVICES: 3305}
EU_PRIVATE_GOODS = 3106
EU_COUNTRIES = (EU_PREFIXES - {"EL", "SE"}) | {"GR"}


class Sold(Protocol):
    """What an entry needs to know of a line; both stored and typed lines have it."""

    @property
    def is_sales(self) -> bool: ...
    @property
    def product(self) -> str: ...
    @property
    def tax_rate(self) -> int: ...
    @property
    def account(self) -> int | None: ...
    @property
    def net(self) -> Decimal: ...


@dataclass(frozen=True)
class EntryRow:
    """One row of an entry, in SEK; one of the two sides is 0. `known` is False for an account
    that the company's chart does not have.
    """

    account: int
    name: str
    debit: Decimal
    credit: Decimal
    known: bool = True


@dataclass(frozen=True)
class Entry:
    """A balanced journal entry."""

    rows: Sequence[EntryRow]

    @property
    def debit(self) -> Decimal:
        return sum((row.debit for row in self.rows), ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((row.credit for row in self.rows), ZERO)


def sales_account(customer: Customer | None, line: Sold) -> int:
    """The account that Bokio picks for a line without one of its own."""
    product = LineItem.Product(line.product)
    country = (customer.country if customer else "") or "SE"
    if customer is None or country == "SE":
        return SWEDEN[product][line.tax_rate]
    if line.tax_rate == 0:
        if country in EU_COUNTRIES:
            return EU_BUSINESS[product] if customer.vat_number else SWEDEN[product][0]
        return OUTSIDE_EU[product]
    if country in EU_COUNTRIES and customer.is_person and product == LineItem.Product.GOODS:
        return EU_PRIVATE_GOODS
    return SWEDEN[product][line.tax_rate]


def invoice_entry(
    lines: Iterable[Sold], *, customer: Customer | None, names: Mapping[int, str]
) -> Entry:
    """The entry of an invoice under the accrual method. `names` is the company's chart."""
    sold = [line for line in lines if line.is_sales]
    sums = totals(Row(net=line.net, tax_rate=line.tax_rate) for line in sold)
    amounts = {RECEIVABLES: sums.total}
    for line in sold:
        account = line.account or sales_account(customer, line)
        amounts[account] = amounts.get(account, ZERO) - line.net
    for rate, (_net, tax) in sums.tax_by_rate.items():
        if tax:
            account = OUTPUT_VAT[rate]
            amounts[account] = amounts.get(account, ZERO) - tax
    return _entry(amounts, names)


def payment_entry(amount: Decimal, *, account: int, names: Mapping[int, str]) -> Entry:
    """The entry of a payment under the accrual method."""
    return _entry({account: amount, RECEIVABLES: -amount}, names)


def fee_entry(amount: Decimal, *, names: Mapping[int, str]) -> Entry:
    """The entry of a fee that the bank kept."""
    return _entry({BANK_FEES: amount, RECEIVABLES: -amount}, names)


def opposite(entry: Entry) -> Entry:
    """The entry that takes this one back."""
    return Entry([replace(row, debit=row.credit, credit=row.debit) for row in entry.rows])


def _entry(amounts: Mapping[int, Decimal], names: Mapping[int, str]) -> Entry:
    """Rows from amounts by account, debit positive; accounts that come to nothing are left out."""
    return Entry(
        [
            EntryRow(
                account=account,
                name=names.get(account, "" if not names else _("not in the chart")),
                debit=max(amount, ZERO),
                credit=max(-amount, ZERO),
                known=not names or account in names,
            )
            for account, amount in amounts.items()
            if amount
        ]
    )
