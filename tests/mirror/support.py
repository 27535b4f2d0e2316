"""What the tests of our copy share: ask for a reading, and be the workers for a part of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.connections.signals import reading_wanted
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Invoice
from bokio_app.mirror import rounds
from bokio_app.mirror.models import Mirror
from bokio_app.tenants.models import User
from tests.support import bokio
from tests.support.sandbox import SandboxProcess


def ask(connection: Connection, by: User | None = None) -> None:
    """Ask for a reading of all lists, as a person or a consent does, however lately it was."""
    Mirror.objects.filter(pk=connection.pk).update(asked_at=None)
    with transaction.atomic():
        reading_wanted.send(Connection, connection=connection, by=by, occasion="test")


def read_lists(connection: Connection) -> None:
    """Read all lists, and leave the payments and settlements of their invoices unread."""
    ask(connection)
    bokio.work_until(connection, lambda: not rounds.moving(connection, rounds.READ_LISTS).exists())
    forget_details(connection)


def forget_details(connection: Connection) -> None:
    """Have no payments and settlements read that are wanted so far."""
    details = Flow.objects.filter(connection=connection, kind=rounds.READ_DETAILS)
    details.exclude(state=FlowState.DONE).update(state=FlowState.CANCELLED)
    Invoice.objects.filter(connection=connection).update(details_wanted_at=None)


def books(sandbox: SandboxProcess, connection: Connection) -> Any:
    """What Bokio holds of the company."""
    return sandbox.books(str(connection.company_id))


def remote_ids(connection: Connection) -> set[str]:
    """Bokio's ids of the invoices that our copy holds to be there."""
    standing = Invoice.objects.filter(connection=connection, gone_at=None).exclude(remote_id="")
    return set(standing.values_list("remote_id", flat=True))


def some_drafts(company: Connection, count: int) -> set[str]:
    """Make drafts in Bokio that nobody here knows of; returns their ids."""
    remote = bokio_for(company, access=grants.access(company), before_call=bokio.uncounted)
    buyer = remote.customers.create(
        CustomerDraft(name="Kund", address=Address("Storgatan 1", "111 22", "Stockholm"))
    )
    line = RemoteLine(description="Rådgivning", unit_price=Decimal(100))
    draft = InvoiceDraft(customer_id=buyer.id, invoice_date=clock.today(), line_items=(line,))
    return {str(remote.invoices.create(draft).id) for _ in range(count)}
