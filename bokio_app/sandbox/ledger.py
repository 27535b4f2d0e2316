"""Bookkeeping: which accounts an event touches, and the balanced journal entry for it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from django.db.models import F, Sum

from bokio_app.sandbox import switches
from bokio_app.sandbox.models import (
    Company,
    Customer,
    FiscalYear,
    JournalEntry,
    JournalItem,
)
from bokio_app.sandbox.models.amounts import ZERO
from bokio_app.sandbox.totals import StoredLine, add_up, half_up, net, sales_lines

EU = frozenset(
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"}
    | {"IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES"}
)
DOMESTIC = {
    "goods": {25: 3001, 12: 3002, 6: 3003, 0: 3004},
    "services": {25: 3011, 12: 3012, 6: 3013, 0: 3014},
}
OUTPUT_VAT = {25: 2611, 12: 2621, 6: 2631}
LONGEST_TITLE = 200
SALES_ACCOUNT = "salesAccount"  # of a published line; not part of the API


@dataclass(frozen=True)
class Row:
    """One side of an entry. A negative debit is meant as a credit and becomes one."""

    account: int
    debit: Decimal

    @property
    def sides(self) -> tuple[Decimal, Decimal]:
        return (self.debit, ZERO) if self.debit > 0 else (ZERO, -self.debit)


def merged(rows: Sequence[Row]) -> list[Row]:
    """One row per account, without those that come to nothing. Must add up to zero."""
    sums: dict[int, Decimal] = {}
    for row in rows:
        sums[row.account] = sums.get(row.account, ZERO) + row.debit
    if sum(sums.values(), ZERO) != 0:
        raise ValueError(f"The journal entry does not balance: {sums}")
    return [Row(account, amount) for account, amount in sums.items() if amount]


@dataclass(frozen=True)
class Buyer:
    """What about a customer decides the account of a sale. `country` is ISO 3166-1 alpha-2."""

    country: str = "SE"
    business: bool = True
    vat_number: str = ""

    @classmethod
    def of(cls, customer: Customer | None, address: Mapping[str, Any] | None = None) -> Self:
        """`address` is the one on a published invoice, which outlives the customer's own."""
        if customer is None:
            return cls()
        country = (address or customer.address or {}).get("country") or "SE"
        return cls(country, customer.type == "company", customer.vat_number)


@dataclass(frozen=True)
class Sale:
    """What an invoice sold, or a credit note took back. `amount` is its total in SEK.

    `deduction` is the part of it that the Tax Agency pays, in SEK; `rate` is SEK per unit of
    the currency of the lines.
    """

    lines: Sequence[StoredLine]
    buyer: Buyer
    amount: Decimal
    rate: Decimal = Decimal(1)
    deduction: Decimal = ZERO


def automatic_account(buyer: Buyer, line: StoredLine) -> int:
    """The sales account that Bokio picks for the line when none is given."""
    rate, goods = int(Decimal(line["taxRate"])), line["productType"] == "goods"
    if line.get("reverseChargeType") == "construction":
        return switches.CONSTRUCTION_ACCOUNT
    if buyer.country in EU and rate == 0 and buyer.business and buyer.vat_number:
        return 3108 if goods else 3308
    if buyer.country != "SE" and buyer.country not in EU and rate == 0:
        return 3105 if goods else 3305
    if buyer.country in EU and rate and goods and not buyer.business:
        return 3106
    return DOMESTIC["goods" if goods else "services"][rate]


def with_accounts(lines: Iterable[StoredLine], buyer: Buyer) -> list[StoredLine]:
    """The lines, each sold one with the account it is booked on from now on.

    What is credited later is taken off that account, whatever has become of the customer.
    """
    return [
        {**line, SALES_ACCOUNT: _account(buyer, line)} if line["itemType"] == "salesItem" else line
        for line in lines
    ]


def _account(buyer: Buyer, line: StoredLine) -> int:
    given = line.get("bookkeepingAccountNumber") or line.get(SALES_ACCOUNT)
    return given or automatic_account(buyer, line)


def sale_rows(sale: Sale) -> list[Row]:
    """The rows that record a sale, in SEK: receivables, sales per line, VAT per rate."""
    rows = [
        Row(switches.RECEIVABLES, sale.amount - sale.deduction),
        Row(switches.TAX_AGENCY_RECEIVABLES, sale.deduction),
    ]
    rows += [
        Row(_account(sale.buyer, line), -half_up(net(line) * sale.rate))
        for line in sales_lines(sale.lines)
    ]
    for percent, tax in add_up(sale.lines, whole_kronor=False).tax_by_rate.items():
        if tax:
            rows.append(Row(OUTPUT_VAT[int(percent)], -half_up(tax * sale.rate)))
    # What rounding to kronor, or converting row by row, left over.
    difference = -sum((row.debit for row in rows), ZERO)
    return merged([*rows, Row(switches.ROUNDING_ACCOUNT, difference)])


def opposite(rows: Iterable[Row]) -> list[Row]:
    return [Row(row.account, -row.debit) for row in rows]


def payment_rows(amount: Decimal, account: int) -> list[Row]:
    return merged([Row(account, amount), Row(switches.RECEIVABLES, -amount)])


def cost_rows(kind: str, amount: Decimal, vat_scheme: str) -> list[Row]:
    """What a settlement costs (or, below zero, gains), with the VAT of fees from abroad.

    Raises `ValueError` for `balanceAdjustment`, which the books never see.
    """
    if kind == "bankFee":
        account = switches.BANK_FEE_ACCOUNT
    elif kind == "currency":
        account = switches.CURRENCY_LOSS_ACCOUNT if amount > 0 else switches.CURRENCY_GAIN_ACCOUNT
    elif kind == "badDebt":
        account = switches.BAD_DEBT_ACCOUNT
    elif kind == "paymentServiceFee":
        account = switches.SERVICE_FEE_ACCOUNTS[vat_scheme]
    else:
        raise ValueError(f"A settlement of the type {kind} is not recorded")
    rows = [Row(account, amount)]
    if vat_scheme in ("eu", "nonEu"):
        tax = half_up(amount * Decimal("0.25"))
        rows += [Row(switches.REVERSE_VAT_DEBIT, tax), Row(switches.REVERSE_VAT_CREDIT, -tax)]
    return rows


def settlement_rows(kind: str, amount: Decimal, vat_scheme: str) -> list[Row]:
    """The rows of a settlement under the accrual method."""
    return merged([*cost_rows(kind, amount, vat_scheme), Row(switches.RECEIVABLES, -amount)])


def fiscal_year(company: Company, day: dt.date) -> FiscalYear | None:
    return company.fiscal_years.filter(start__lte=day, end__gte=day).first()


def write_entry(company: Company, *, title: str, day: dt.date, rows: Sequence[Row]) -> JournalEntry:
    """Give the rows the company's next entry number. Inside the caller's transaction.

    A title that a long name of a customer makes too long is cut.
    """
    company.refresh_from_db(fields=["next_entry_number"])
    entry = JournalEntry.objects.create(
        company=company,
        number=company.next_entry_number,
        title=title[:LONGEST_TITLE],
        date=day,
    )
    Company.objects.filter(pk=company.pk).update(next_entry_number=F("next_entry_number") + 1)
    JournalItem.objects.bulk_create(
        JournalItem(
            entry=entry,
            company=company,
            account=row.account,
            debit=row.sides[0],
            credit=row.sides[1],
        )
        for row in rows
    )
    return entry


def reverse(entry: JournalEntry, *, day: dt.date) -> JournalEntry:
    """Write the opposite entry and link the two."""
    rows = [Row(item.account, item.credit - item.debit) for item in entry.items.all()]
    opposite = write_entry(entry.company, title=f"Rättelse av V{entry.number}", day=day, rows=rows)
    opposite.reversing, entry.reversed_by = entry.uuid, opposite.uuid
    opposite.save(update_fields=["reversing"])
    entry.save(update_fields=["reversed_by"])
    return opposite


def balances(company: Company) -> dict[int, Decimal]:
    """Debit less credit per account, in SEK."""
    rows: Any = (
        JournalItem.objects.filter(company=company)
        .values("account")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
        .order_by("account")
    )
    return {row["account"]: row["debits"] - row["credits"] for row in rows}
