"""What people want in a run: invoices sent, payments registered, whole orders, entries, files,
items and bank payments; and at what moment.

Each wish can be clicked any number of times, by several people at once: it names its own request.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bokio_app.batches import orders
from bokio_app.batches import services as batches
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import held
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.flows.cases import PDF, line
from tests.support import make

ORG_NUMBERS = ("556016-0680", "556703-7485", "")
LONGEST_CLICKING = 40.0  # seconds within which all is asked for


@dataclass(frozen=True)
class Stock:
    """What a company has when a run begins: a customer that Bokio knows, invoices to be paid."""

    connection: str
    customer: str
    invoices: tuple[str, ...]


@dataclass
class Wish:
    """Something to be done once. `click` asks for it, and may be called again.

    `single` is the operation that is all of it. `books` is what Bokio shall hold of it in the
    end: payments and settlements as (invoice row, kind, amount), sent invoices as (invoice row,
    "invoice", total).
    """

    name: str
    company: int
    at: float
    click: Callable[[User], Flow]
    clicks: int = 1
    single: str = ""
    books: list[tuple[str, str, Decimal]] = field(default_factory=list)
    flow: Flow | None = None


def draw(lots: random.Random, stocks: list[Stock]) -> list[Wish]:
    """One to four wishes for these companies."""
    makers = [send, order, order, pay, pay, twins, credited, other]
    found: list[Wish] = []
    while len(found) < lots.randint(1, 3):
        place = lots.randrange(len(stocks))
        found += lots.choice(makers)(lots, place, stocks[place])
    for wish in found:
        wish.at = lots.uniform(0, LONGEST_CLICKING) * lots.choice((0.05, 1))
        wish.clicks = lots.choice((1, 1, 1, 2, 3))
    return found


def _customer(lots: random.Random, stock: Stock, connection: Connection) -> Customer:
    if lots.random() < 0.5:
        return Customer.objects.get(pk=stock.customer)
    name = lots.choice(("Ny Kund AB", "Åre & Söner"))
    return make.customer(connection, name=name, org_number=lots.choice(ORG_NUMBERS))


def send(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """Send an invoice from its draft."""
    connection = Connection.objects.get(pk=stock.connection)
    price = Decimal(lots.randint(100, 99_999)) / 100
    draft = invoicing.DraftInput(
        customer=_customer(lots, stock, connection),
        invoice_date=clock.today(),
        due_date=None,
        your_reference="",
        lines=[invoicing.LineInput(description="Råd", unit_price=price)],
    )
    invoice = invoicing.create_draft(connection, draft, by=None)

    def click(by: User) -> Flow:
        return invoicing.start_sending(Invoice.objects.get(pk=invoice.pk), by=by)[0]

    wish = Wish(f"send {invoice.total}", place, 0.0, click)
    wish.books.append((str(invoice.pk), "invoice", invoice.total))
    return [wish]


def _pay(place: int, invoice: str, amount: Decimal, fee: Decimal, key: str) -> Wish:
    wanted = payments.PaymentInput(date=clock.today(), amount=amount, account=1930, fee=fee)

    def click(by: User) -> Flow:
        row = Invoice.objects.get(pk=invoice)
        return payments.register(row, wanted, by=by, request_key=key)[0]

    wish = Wish(f"pay {amount} fee {fee}", place, 0.0, click)
    wish.books.append((invoice, "payment", amount))
    if fee:
        wish.books.append((invoice, "settlement", fee))
    return wish


def pay(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """Register a payment on an invoice that was sent before, perhaps with a bank fee."""
    amount = Decimal(lots.randint(100, 20_000)) / 100
    fee = lots.choice((Decimal(0), Decimal("15.50")))
    invoice = lots.choice(stock.invoices)
    return [_pay(place, invoice, amount, fee, f"pay-{lots.getrandbits(40)}")]


def twins(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """Two equal payments on one invoice, both wanted."""
    amount, invoice = Decimal(lots.randint(100, 9_000)) / 100, lots.choice(stock.invoices)
    fee = lots.choice((Decimal(0), Decimal(2)))
    keys = [f"twin-{lots.getrandbits(40)}" for _each in range(2)]
    return [_pay(place, invoice, amount, fee, key) for key in keys]


def other(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """One of the operations that are a flow of their own."""
    connection = Connection.objects.get(pk=stock.connection)
    op = lots.choice(("write_journal_entry", "upload_voucher", "create_item", "attach_to_invoice"))
    op = lots.choice((op, op, op, "prepare_bank_payment"))
    key = f"{op}-{lots.getrandbits(40)}"
    step = flows.NewStep(op, _payload(op, key, connection, stock))

    def click(by: User) -> Flow:
        return flows.start(op, connection=connection, steps=[step], business_key=key, by=by)[0]

    return [Wish(op, place, 0.0, click, single=op)]


def _payload(op: str, key: str, connection: Connection, stock: Stock) -> dict[str, Any]:
    if op == "create_item":
        return line(description=key, unit_price="950.00")
    if op == "write_journal_entry":
        rows = [
            {"account": 1930, "debit": "100.00", "credit": "0.00"},
            {"account": 6570, "debit": "0.00", "credit": "100.00"},
        ]
        return {"title": "Insättning", "date": str(clock.today()), "rows": rows}
    if op == "prepare_bank_payment":
        recipient = {"kind": "bankgiro", "name": "Leverantören AB", "number": "5555-5551"}
        return {
            "amount": "1250.00",
            "date": str(clock.today() + timedelta(days=3)),
            "note": "Hyra",
            "recipient": recipient | {"message": "Faktura 7"},
        }
    file = held.hold(PDF, name="avtal.pdf", tenant_id=connection.tenant_id)
    if op == "upload_voucher":
        return {**file, "description": "Kvitto", "media_type": "application/pdf", "entry": ""}
    invoice = Invoice.objects.get(pk=stock.invoices[0])
    return {**file, "remote_invoice": invoice.remote_id}


def order(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """A whole order of a file, from the customer to the last payment."""
    total = Decimal(lots.randint(1_000, 90_000))
    first = (total / 3).quantize(Decimal("0.01"))
    halves = lots.random() < 0.3 and [total / 2, total / 2]
    sums = halves or lots.choice(([], [total], [total - 5], [first, total - first]))
    fees = [Decimal(5)] if sums == [total - 5] else []
    return [_order(lots, place, stock, total, sums, fees, credit=None)]


def credited(lots: random.Random, place: int, stock: Stock) -> list[Wish]:
    """An order that is taken back by a credit note."""
    total = Decimal(lots.randint(1_000, 90_000))
    return [_order(lots, place, stock, total, [], [], credit={"publish": True, "record": True})]


def _order(
    lots: random.Random,
    place: int,
    stock: Stock,
    total: Decimal,
    sums: list[Decimal],
    fees: list[Decimal],
    credit: dict[str, bool] | None,
) -> Wish:
    connection = Connection.objects.get(pk=stock.connection)
    today = clock.today().isoformat()
    known = Customer.objects.get(pk=stock.customer)
    address = {"line1": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm"}
    new = {"name": "Beställaren AB", "orgNumber": lots.choice(ORG_NUMBERS), "address": address}
    line: dict[str, Any] = {
        "reference": f"order-{lots.getrandbits(40)}",
        "company": str(connection.company_id),
        "customer": lots.choice(({"id": known.remote_id}, new)),
        "invoice": {
            "invoiceDate": today,
            "lineItems": [
                {"description": "Vara", "unitPrice": str(total / 5 * 4), "taxRate": 25},
            ],
        },
        "publish": True,
        "record": True,
        "settlements": [
            {"type": "bankFee", "date": today, "amount": str(fee), "record": True} for fee in fees
        ],
        "payments": [
            {"date": today, "amount": str(each), "account": 1930, "record": True} for each in sums
        ],
    }
    if credit:
        line["credit"] = credit
    wanted = orders.parse(json.dumps(line).encode())
    wish = Wish(f"order {total} paid by {[str(each) for each in sums]}", place, 0.0, _unclicked)

    def click(_by: User) -> Flow:
        kept = batches.accept(connection.tenant, wanted)
        if not wish.books:
            invoice = str(kept.line.invoice_id)
            wish.books.append((invoice, "invoice", total))
            wish.books += [(invoice, "payment", each) for each in sums]
            wish.books += [(invoice, "settlement", each) for each in fees]
            if credit:
                wish.books.append((invoice, "credit", total))
        return kept.line.flow

    wish.click = click
    return wish


def _unclicked(_by: User) -> Flow:
    raise AssertionError("a wish is given its click before it is made known")
