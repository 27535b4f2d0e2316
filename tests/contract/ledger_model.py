"""What books must hold, worked out from documents alone: nothing here is the sandbox's.

Arithmetic as the reference has it: a line's net and the VAT of each rate are rounded half up to
öre, a rounded total to kronor; the receivable is the total in SEK.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

RECEIVABLES = 1510
ROUNDING = 3740
ORE, KRONA, ZERO = Decimal("0.01"), Decimal(1), Decimal(0)

# Bokio's help on how customer invoices are booked: a Swedish customer, by kind and rate.
SALES = {
    ("goods", 25): 3001,
    ("goods", 12): 3002,
    ("goods", 6): 3003,
    ("goods", 0): 3004,
    ("services", 25): 3011,
    ("services", 12): 3012,
    ("services", 6): 3013,
    ("services", 0): 3014,
}
VAT = {25: 2611, 12: 2621, 6: 2631}

Json = dict[str, Any]


def rounded(amount: Decimal, unit: Decimal = ORE) -> Decimal:
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


def decimal(value: object) -> Decimal:
    return Decimal(str(value))


def nets(lines: Iterable[Json]) -> list[tuple[Json, Decimal]]:
    """Each line that sells something, with its net."""
    return [
        (line, rounded(decimal(line["quantity"]) * decimal(line["unitPrice"])))
        for line in lines
        if line["itemType"] == "salesItem"
    ]


def vat_by_rate(lines: Iterable[Json]) -> dict[int, Decimal]:
    by_rate: dict[int, Decimal] = defaultdict(Decimal)
    for line, net in nets(lines):
        by_rate[int(line["taxRate"])] += net
    return {rate: rounded(net * rate / 100) for rate, net in by_rate.items()}


def total(lines: list[Json], *, whole_kronor: bool) -> Decimal:
    exact = sum((net for _, net in nets(lines)), ZERO) + sum(vat_by_rate(lines).values(), ZERO)
    return rounded(exact, KRONA) if whole_kronor else exact


def owed(document: Json) -> Decimal:
    """What an invoice or a credit note is about, in SEK."""
    return rounded(decimal(document["totalAmount"]) * decimal(document["currencyRate"]))


def entry_of_invoice(invoice: Json) -> dict[int, Decimal]:
    """Debit less credit per account of a SEK invoice to a Swedish customer."""
    rows: dict[int, Decimal] = defaultdict(Decimal)
    rows[RECEIVABLES] = decimal(invoice["totalAmount"])
    for line, net in nets(invoice["lineItems"]):
        account = line.get("bookkeepingAccountNumber")
        rows[account or SALES[line["productType"], int(line["taxRate"])]] -= net
    for rate, tax in vat_by_rate(invoice["lineItems"]).items():
        if tax:
            rows[VAT[rate]] -= tax
    rows[ROUNDING] -= sum(rows.values(), ZERO)
    return {account: amount for account, amount in rows.items() if amount}


def rows_of(entry: Json) -> dict[int, Decimal]:
    rows: dict[int, Decimal] = defaultdict(Decimal)
    for item in entry["items"]:
        rows[item["account"]] += decimal(item["debit"]) - decimal(item["credit"])
    return dict(rows)


def statuses(
    invoice: Json, paid: Decimal, settled: Decimal, credited: Decimal, today: dt.date
) -> set[str]:
    """What an invoice may be called: one word, but for what no source decides."""
    if invoice["invoiceNumber"] is None:
        return {"draft"}
    outstanding = owed(invoice) - paid - settled - credited
    if credited and credited >= owed(invoice):
        return {"credited"} if outstanding >= 0 else {"credited", "overPaid"}
    if outstanding == 0:
        return {"paid"}
    if outstanding < 0:
        return {"overPaid"}
    if dt.date.fromisoformat(invoice["dueDate"]) < today:
        return {"overdue"}
    return {"underPaid"} if paid or settled else {"published"}


def has_check_digit(reference: str) -> bool:
    """By Luhn: from the right every second digit is doubled, and the digits' sum ends in 0."""
    digits = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(reference))]
    return sum(digit // 10 + digit % 10 for digit in digits) % 10 == 0


def balances_by_day(rows: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """The balance at the end of each day on which something moved."""
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for day, amount in rows:
        moved[day] += amount
    balance, found = ZERO, {}
    for day in sorted(moved):
        balance += moved[day]
        found[day] = balance
    return found
