"""A long past for one company: invoices in every state, with the entries that belong to them."""

import datetime as dt
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from bokio_app.sandbox import clock, ledger, sales
from bokio_app.sandbox.models import (
    Amount,
    Company,
    CreditNote,
    Customer,
    Invoice,
    JournalEntry,
    JournalItem,
    Payment,
    Settlement,
)
from bokio_app.sandbox.seed import names
from bokio_app.sandbox.totals import add_up, payment_reference

FIRST_DAY = dt.date(2024, 1, 8)
FIRST_NUMBER = 1001
BATCH = 500
SLICE = 2000
# How an invoice fared, out of a hundred. The newest ones are still open or drafts, see `_fate`.
FATES = (
    ("paid", 66),
    ("paid_with_fee", 10),
    ("part_paid", 6),
    ("over_paid", 3),
    ("credited", 5),
    ("unpaid", 10),
)


@dataclass
class _Books:
    """Rows gathered in memory, to be inserted in a few large statements."""

    company: Company
    draw: random.Random
    entries: list[tuple[JournalEntry, list[ledger.Row]]] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    dependents: list[Payment | Settlement | CreditNote] = field(default_factory=list)
    next_number: int = FIRST_NUMBER
    next_entry: int = 1

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.draw.getrandbits(128), version=4)

    def take_number(self) -> int:
        """The next number of the series that invoices and credit notes share."""
        self.next_number += 1
        return self.next_number - 1

    def book(self, title: str, day: dt.date, rows: list[ledger.Row]) -> JournalEntry:
        entry = JournalEntry(
            uuid=self.uuid(),
            company=self.company,
            number=self.next_entry,
            title=title,
            date=day,
        )
        self.next_entry += 1
        self.entries.append((entry, rows))
        return entry


def write(draw: random.Random, company: Company, customers: Sequence[Customer], count: int) -> None:
    """Give the company `count` past invoices up to yesterday. Its books balance."""
    books = _Books(company, draw)
    yesterday = clock.today() - dt.timedelta(days=1)
    span = max((yesterday - FIRST_DAY).days, 1)
    for place in range(count):
        day = FIRST_DAY + dt.timedelta(days=span * (place + 1) // count)
        _invoice(books, draw.choice(customers), day, place)
        if len(books.invoices) == SLICE:
            _insert(books)
    _insert(books)


def _invoice(books: _Books, customer: Customer, day: dt.date, place: int) -> None:
    draw = books.draw
    invoice = Invoice(
        uuid=books.uuid(),
        company=books.company,
        customer=customer,
        customer_name=customer.name,
        invoice_date=day,
        due_date=day + dt.timedelta(days=int(customer.payment_terms)),
        lines=[_line(draw, place * 10 + row) for row in range(draw.randint(1, 4))],
    )
    totals = add_up(invoice.lines, whole_kronor=False)
    invoice.total, invoice.tax, invoice.outstanding = totals.total, totals.tax, totals.total
    books.invoices.append(invoice)
    age = (clock.today() - day).days
    fate = _fate(draw, age, invoice.due_date)
    if fate == "draft":
        return
    invoice.number = books.take_number()
    invoice.payment_reference = payment_reference(invoice.number)
    invoice.published_at = dt.datetime.combine(day, dt.time(9, 30), dt.UTC)
    invoice.billing_address = customer.address
    if fate == "published":
        return
    invoice.entry = books.book(
        f"Kundfaktura {invoice.number} {customer.name}",
        day,
        ledger.sale_rows(sales.of_invoice(invoice)),
    )
    if outcome := _OUTCOMES.get(fate):
        outcome(books, invoice)


def _fate(draw: random.Random, age: int, due: dt.date) -> str:
    """Old invoices are mostly done with; those of the last weeks are on their way."""
    if age < 4:
        return draw.choice(("draft", "draft", "published", "recorded"))
    if age < 20 or due >= clock.today():
        return draw.choice(("draft", "published", "recorded", "recorded", "paid", "part_paid"))
    fates, weights = zip(*FATES, strict=True)
    return str(draw.choices(fates, weights)[0])


def _line(draw: random.Random, line_id: int) -> dict[str, Any]:
    text, product, unit, low, high, rate = draw.choice(names.WORK)
    return {
        "id": line_id + 1,
        "description": text,
        "itemType": "salesItem",
        "itemRef": None,
        "productType": product,
        "unitType": unit,
        "quantity": str(draw.randint(1, 6 if product == "goods" else 24)),
        "unitPrice": str(draw.randrange(low, high + 1, 5)),
        "taxRate": str(rate),
        "bookkeepingAccountNumber": None,
        "taxReduction": None,
    }


def _pay(books: _Books, invoice: Invoice, amount: Decimal) -> None:
    latest = clock.today() - dt.timedelta(days=1)
    day = min(invoice.due_date + dt.timedelta(days=books.draw.randint(-6, 9)), latest)
    day = max(day, invoice.invoice_date)
    account = books.draw.choice((1930, 1930, 1930, 1940))
    entry = books.book(
        f"Betalning av faktura {invoice.number}", day, ledger.payment_rows(amount, account)
    )
    books.dependents.append(
        Payment(
            uuid=books.uuid(),
            invoice=invoice,
            date=day,
            amount=amount,
            account=account,
            entry=entry,
        )
    )
    invoice.paid += amount
    invoice.outstanding -= amount


def _paid(books: _Books, invoice: Invoice) -> None:
    _pay(books, invoice, invoice.total)


def _paid_with_fee(books: _Books, invoice: Invoice) -> None:
    fee = Decimal(books.draw.choice(("15.50", "25.00", "40.00")))
    _pay(books, invoice, invoice.total - fee)
    entry = books.book(
        f"Avräkning av faktura {invoice.number}",
        invoice.due_date,
        ledger.settlement_rows("bankFee", fee, ""),
    )
    books.dependents.append(
        Settlement(
            uuid=books.uuid(),
            invoice=invoice,
            type="bankFee",
            date=invoice.due_date,
            amount=fee,
            entry=entry,
        )
    )
    invoice.settled += fee
    invoice.outstanding -= fee


def _part_paid(books: _Books, invoice: Invoice) -> None:
    _pay(books, invoice, (invoice.total / 2).quantize(Decimal(1)))


def _over_paid(books: _Books, invoice: Invoice) -> None:
    _pay(books, invoice, invoice.total + 100)


def _credited(books: _Books, invoice: Invoice) -> None:
    day = min(invoice.due_date, clock.today() - dt.timedelta(days=1))
    rows = ledger.opposite(ledger.sale_rows(sales.of_invoice(invoice)))
    note = CreditNote(
        uuid=books.uuid(),
        company=books.company,
        invoice=invoice,
        references=invoice.references,
        billing_address=invoice.billing_address,
        credit_date=day,
        due_date=day,
        lines=invoice.lines,
        total=invoice.total,
        tax=invoice.tax,
        number=books.take_number(),
        published_at=dt.datetime.combine(day, dt.time(10), dt.UTC),
    )
    title = f"Kreditfaktura {note.number} av faktura {invoice.number}"
    note.entry = books.book(title, day, rows)
    books.dependents.append(note)
    invoice.credit_note_refs = [{"id": str(note.uuid)}]
    invoice.credited = invoice.total
    invoice.outstanding = Decimal(0)


_OUTCOMES: dict[str, Callable[[_Books, Invoice], None]] = {
    "paid": _paid,
    "paid_with_fee": _paid_with_fee,
    "part_paid": _part_paid,
    "over_paid": _over_paid,
    "credited": _credited,
}


def _insert(books: _Books) -> None:
    """Write what was gathered, and begin anew: long histories would not fit into memory."""
    JournalEntry.objects.bulk_create([entry for entry, _ in books.entries], BATCH)
    _insert_items(books)
    Invoice.objects.bulk_create(books.invoices, BATCH)
    for model in (Payment, Settlement, CreditNote):
        rows: list[Any] = [row for row in books.dependents if isinstance(row, model)]
        model.objects.bulk_create(rows, BATCH)
    books.company.next_invoice_number = books.next_number
    books.company.next_entry_number = books.next_entry
    books.company.save(update_fields=["next_invoice_number", "next_entry_number"])
    books.entries, books.invoices, books.dependents = [], [], []


def _insert_items(books: _Books) -> None:
    """The items are most of all rows, and plain enough to do without an object for each."""
    columns = ("entry_id", "company_id", "account", "debit", "credit")
    statement = (
        f"INSERT INTO {JournalItem._meta.db_table} ({', '.join(columns)}) "  # noqa: S608, SLF001  # a name of our own
        f"VALUES ({', '.join(['%s'] * len(columns))})"
    )
    amount = Amount()
    values = [
        (entry.pk, books.company.pk, row.account, *map(amount.get_prep_value, row.sides))
        for entry, rows in books.entries
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
