"""What the storm orders: invoices drawn from a seed, and what each must leave in the books.

The sums are worked out here from the lines alone, by the rules of Swedish invoices, without the
product's or the sandbox's arithmetic.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stdnum import luhn

CENT = Decimal("0.01")
RECEIVABLES, BANK_FEES = 1510, 6570
SALES = {25: 3011, 12: 3012, 6: 3013}
VAT = {25: 2611, 12: 2621, 6: 2631}
BANKS = (1930, 1940)
ORDERS_PER_CUSTOMER = 5
SHARE_WITHOUT_FEE, SHARE_CREDITED, SHARE_CLICKED = 0.05, 0.05, 0.10  # on top of the full orders
SHARE_NEW_CUSTOMER = 0.4


@dataclass(frozen=True)
class Buyer:
    """A customer: one that Bokio has, by its id, or a new one by name and number."""

    name: str = ""
    org_number: str = ""
    remote_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """As a line of `run_invoices` names it."""
        if self.remote_id:
            return {"id": self.remote_id}
        address = {"line1": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm"}
        return {"name": self.name, "orgNumber": self.org_number, "address": address}


@dataclass(frozen=True)
class Row:
    """A row of an invoice: services, price in SEK without VAT."""

    description: str
    quantity: int
    price: Decimal
    rate: int

    @property
    def net(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Wanted:
    """One invoice: paid to the last öre (less `fee`, if the bank kept one), or taken back."""

    reference: str
    company: str
    buyer: Buyer
    day: str
    rows: tuple[Row, ...]
    fee: Decimal
    bank: int
    credited: bool
    clicked: bool

    @property
    def taxes(self) -> dict[int, Decimal]:
        """VAT per rate, rounded half up once on the sum of its rows."""
        nets: Counter[int] = Counter()
        for row in self.rows:
            nets[row.rate] += row.net  # type: ignore[assignment]  # a Counter of any number
        return {
            rate: (net * rate / 100).quantize(CENT, ROUND_HALF_UP) for rate, net in nets.items()
        }

    @property
    def total(self) -> Decimal:
        return sum((row.net for row in self.rows), Decimal(0)) + sum(self.taxes.values())

    @property
    def payment(self) -> Decimal:
        """What reaches the bank."""
        return Decimal(0) if self.credited else self.total - self.fee

    @property
    def entries(self) -> int:
        """Journal entries: one for each thing that is recorded."""
        return 2 if self.credited else 2 + bool(self.fee)

    @property
    def steps(self) -> int:
        """Steps of its flow, that for a new customer not counted."""
        return 6 if self.credited else 5 + 2 * bool(self.fee)

    def bookings(self) -> Counter[int]:
        """Debit less credit per account once all is recorded."""
        if self.credited:
            return Counter()
        sums: Counter[Any] = Counter({self.bank: self.payment, BANK_FEES: self.fee})
        for row in self.rows:
            sums[SALES[row.rate]] -= row.net
        for rate, tax in self.taxes.items():
            sums[VAT[rate]] -= tax
        return sums

    def order(self) -> dict[str, Any]:
        """The line of a file that orders it."""
        lines = [
            {
                "description": row.description,
                "quantity": row.quantity,
                "unitPrice": str(row.price),
                "taxRate": row.rate,
            }
            for row in self.rows
        ]
        fee = {"type": "bankFee", "date": self.day, "amount": str(self.fee), "record": True}
        paid = {"date": self.day, "amount": str(self.payment), "account": self.bank, "record": True}
        return {
            "reference": self.reference,
            "company": self.company,
            "customer": self.buyer.as_json(),
            "invoice": {"invoiceDate": self.day, "lineItems": lines},
            "publish": True,
            "record": True,
            "settlements": [fee] if self.fee else [],
            "payments": [] if self.credited else [paid],
            "credit": self.credited,
        }


@dataclass(frozen=True)
class Company:
    """One of Bokio's companies, with the ids of the customers that it has from the start."""

    id: str
    customers: tuple[str, ...]


def draw(
    companies: Sequence[Company], *, flows: int, day: str, seed: int, name: str
) -> list[Wanted]:
    """So many seven-step orders, with others on top, in a random order.

    `name` begins every reference and tells the customers of several calls apart.
    """
    lots = random.Random(f"{seed}:{name}")  # noqa: S311  # the same seed, the same orders
    kinds = ["full"] * flows
    for kind, share in (
        ("no fee", SHARE_WITHOUT_FEE),
        ("credited", SHARE_CREDITED),
        ("clicked", SHARE_CLICKED),
    ):
        kinds += [kind] * max(round(flows * share), 1)
    lots.shuffle(kinds)
    pool = max(len(kinds) // len(companies) // ORDERS_PER_CUSTOMER, 1)
    return [
        _one(lots, companies[place % len(companies)], kind, place, pool=pool, day=day, name=name)
        for place, kind in enumerate(kinds)
    ]


def _one(
    lots: random.Random,
    company: Company,
    kind: str,
    place: int,
    *,
    pool: int,
    day: str,
    name: str,
) -> Wanted:
    clicked = kind == "clicked"
    rows = tuple(
        Row(
            f"Rådgivning {place}.{number}",
            lots.randint(1, 9),
            Decimal(lots.randint(10_000, 500_000)) / 100,
            lots.choice((25, 25, 25, 12, 6)),
        )
        for number in range(lots.randint(1, 3))
    )
    is_new = clicked or not company.customers or lots.random() < SHARE_NEW_CUSTOMER
    buyer = (
        _new_buyer(lots.randrange(pool), name)
        if is_new
        else Buyer(remote_id=lots.choice(company.customers))
    )
    with_fee = kind == "full" or (clicked and lots.random() < 0.5)
    return Wanted(
        reference=f"{name}-{place:05d}",
        company=company.id,
        buyer=buyer,
        day=day,
        rows=rows,
        fee=Decimal(lots.randint(100, 2500)) / 100 if with_fee else Decimal(0),
        bank=lots.choice(BANKS),
        credited=kind == "credited",
        clicked=clicked,
    )


def _new_buyer(number: int, name: str) -> Buyer:
    """A customer with a right number, the same for the same `number` and `name`."""
    salt = sum(name.encode()) % 90 + 10
    digits = f"769{salt}{number:04d}"
    return Buyer(
        name=f"Kund {number} {name} AB",
        org_number=f"{digits[:6]}-{digits[6:]}{luhn.calc_check_digit(digits)}",
    )
