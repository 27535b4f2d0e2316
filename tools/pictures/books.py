"""What lies behind the pictures: drafts, invoices and payments, carried out by the workers."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.support.net import wait_until
from tools.pictures.studio import EMAIL

PATIENCE = 60.0
"""Seconds that the workers may take."""

Line = tuple[str, str, str]
"""What was done, hours, and SEK for an hour without VAT."""


def person() -> User:
    """The member who does everything on the pictures."""
    return User.objects.get(email=EMAIL)


def company(place: int) -> Connection:
    """One of the connected companies, in the order in which they were connected."""
    return Connection.objects.order_by("created_at")[place]


def draft(of: Connection, *lines: Line, customer: int, days_ago: int) -> Invoice:
    """Write a draft to one of the company's customers, by their place in the alphabet."""
    customers = of.customers.order_by("name")
    rows = [
        invoicing.LineInput(
            description=text, quantity=Decimal(hours), unit="hour", unit_price=Decimal(price)
        )
        for text, hours, price in lines
    ]
    wanted = invoicing.DraftInput(
        customer=customers[customer % customers.count()],
        invoice_date=clock.today() - timedelta(days=days_ago),
        due_date=None,
        your_reference="",
        lines=rows,
    )
    return invoicing.create_draft(of, wanted, by=person())


def send(invoice: Invoice) -> Invoice:
    """Publish and record it; return it as it is once the workers are done."""
    flow, _ = invoicing.start_sending(invoice, by=person())
    wait_for(flow)
    invoice.refresh_from_db()
    return invoice


def start_paying(invoice: Invoice, amount: Decimal, *, days_ago: int = 0) -> Flow:
    """Register a payment on account 1930, and wait for nothing."""
    wanted = payments.PaymentInput(
        date=clock.today() - timedelta(days=days_ago), amount=amount, account=1930
    )
    flow, _ = payments.register(invoice, wanted, by=person(), request_key=str(uuid.uuid4()))
    return flow


def pay(invoice: Invoice, amount: Decimal, *, days_ago: int) -> None:
    """Register and record a payment on account 1930."""
    wait_for(start_paying(invoice, amount, days_ago=days_ago))


def wait_for(flow: Flow, states: Sequence[str] = ("done",)) -> None:
    """Wait until the flow is in one of the states."""

    def there() -> bool:
        flow.refresh_from_db()
        return flow.state in states

    wait_until(there, what=f"{flow.kind} is {states}", seconds=PATIENCE, every=0.1)


def wait_for_all() -> None:
    """Wait until no flow moves by itself any more."""
    moving = Flow.objects.filter(state__in=["ready", "running"])
    wait_until(lambda: not moving.exists(), what="the flows are done", seconds=PATIENCE, every=0.1)
