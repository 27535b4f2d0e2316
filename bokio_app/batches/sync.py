"""What follows an order: its invoice is read with the others, and what was not made is forgotten.

A flow from a file reads nothing of its own. Once the lane of batches is empty, one reading takes
the invoices of a day together, a hundred in a call, and makes our copy what Bokio says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db.models import QuerySet, Sum
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO, rounded
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState, Lane
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.readings import asked_at
from bokio_app.flows.rows import run, table
from bokio_app.flows.signals import flow_cancelled, flow_finished
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import RUN_INVOICE
from bokio_app.invoicing.sync import READ_CUSTOMERS, read_customers
from bokio_app.payments.models import Payment, Settlement

from .models import BulkLine

READ_ORDERED = register_kind("read_ordered", _("Read ordered invoices"))
register_kind(RUN_INVOICE, _("Invoice from a file"))


@dataclass(frozen=True)
class OfDay:
    """The orders that a reading was for, and what Bokio said of their invoices, by its ids."""

    lines: list[int]
    found: dict[str, RemoteInvoice]


@register
class ReadOrdered(Operation):
    """The ordered invoices of one day whose flows have ended since they were last read.

    One whose flow ends meanwhile is not among them: it asks for a reading of its own.
    """

    name = "read_ordered"
    scopes = ("invoices:read",)
    label = _("Ordered invoices")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        unread = _unread(ctx.flow.connection_id).order_by("invoice__invoice_date")
        day = unread.values_list("invoice__invoice_date", flat=True).first()
        if day is None:
            return Done({"count": 0}, read=OfDay([], {}))
        lines = dict(
            unread.filter(invoice__invoice_date=day).values_list("invoice__remote_id", "pk")
        )
        found: dict[str, RemoteInvoice] = {}
        for each in bokio.invoices.find(F("invoiceDate") == day):
            if str(each.id) in lines:
                found[str(each.id)] = each
            if len(found) == len(lines):
                break  # no page is fetched after the last of them
        return Done({"count": len(found)}, read=OfDay([*lines.values()], found))

    def apply(self, ctx: StepContext, done: Done) -> None:
        read: OfDay = done.read
        asked = asked_at(ctx)
        remote_ids = [*read.found]
        invoices = Invoice.objects.filter(
            connection_id=ctx.flow.connection_id, remote_id__in=remote_ids
        )
        for invoice in invoices.select_for_update(no_key=True):
            if not (invoice.read_at and invoice.read_at > asked):
                _keep(invoice, read.found[invoice.remote_id], asked)
        BulkLine.objects.filter(pk__in=read.lines).update(unread=False)


def _unread(connection_id: UUID) -> QuerySet[BulkLine]:
    return BulkLine.objects.filter(
        unread=True, flow__connection_id=connection_id, invoice__isnull=False
    )


def _keep(invoice: Invoice, remote: RemoteInvoice, asked: datetime) -> None:
    received = ZERO
    for rows in (invoice.payments, invoice.settlements):
        made = rows.exclude(remote_id="")
        received += made.aggregate(sum=Sum("amount"))["sum"] or ZERO
    invoice.status = remote.status
    invoice.number = remote.number or ""
    invoice.ocr = remote.ocr or ""
    invoice.total = remote.total
    invoice.tax = remote.total_tax
    invoice.net = remote.total - remote.total_tax
    invoice.due_date = remote.due_date or invoice.due_date
    is_credited = remote.status == Invoice.Status.CREDITED
    invoice.open_amount = ZERO if is_credited else remote.total - received
    invoice.journal_entry_id = str(remote.journal_entry_id or "")
    invoice.published_at = remote.published_at or invoice.published_at
    invoice.paid = rounded(remote.paid)
    invoice.read_at = asked
    invoice.save()


def read_unknown_customer(connection: Connection) -> None:
    """Have the customers read, because an order named one that we know by its id alone."""
    if not _is_asked_for(connection.pk, READ_CUSTOMERS):
        read_customers(connection, by=None, occasion=f"order:{clock.now().isoformat()}")


# Each order that ends asks both; the ORM builds such a text anew each time.
_UNREAD = f"UPDATE {table(BulkLine)} SET unread = TRUE WHERE flow_id = %s RETURNING id"  # noqa: S608  only our own names stand in it
_WAITING = f"""
SELECT {table(Flow)}."id" FROM {table(Flow)}
WHERE connection_id = %s AND resource_key = '' AND {table(Flow)}."kind" = %s
  AND state IN ('{FlowState.READY}', '{FlowState.PARKED}', '{FlowState.STUCK}')
ORDER BY id LIMIT 1
"""  # noqa: S608  only our own names stand in it


@receiver(flow_finished, dispatch_uid="batches_read_ordered")
def read_after_order(flow: Flow, **_kwargs: Any) -> None:
    """An order that is done is read with the next; one day read leaves the others."""
    if flow.kind == RUN_INVOICE:
        run(_UNREAD, of=Flow, pk=flow.pk)
        _ask_for_reading(flow)
    elif flow.kind == READ_ORDERED and _unread(flow.connection_id).exists():
        _ask_for_reading(flow)


@receiver(flow_cancelled, dispatch_uid="batches_forget_wanted")
def forget_what_was_wanted(flow: Flow, **_kwargs: Any) -> None:
    """What a cancelled order had not yet made is not shown as on its way."""
    if flow.kind != RUN_INVOICE:
        return
    payloads = [*flow.steps.values_list("payload", flat=True)]
    settlements = [each["settlement"] for each in payloads if "settlement" in each]
    payments = [each["payment"] for each in payloads if "payment" in each]
    Settlement.objects.filter(pk__in=settlements, remote_id="").delete()
    Payment.objects.filter(pk__in=payments, remote_id="").delete()
    if flow.cursor:
        BulkLine.objects.filter(flow=flow, invoice__isnull=False).exclude(
            invoice__remote_id=""
        ).update(unread=True)
        _ask_for_reading(flow)


def _ask_for_reading(after: Flow) -> None:
    """Start a reading, unless one is going to see what this transaction commits."""
    if _is_asked_for(after.connection_id, READ_ORDERED):
        return
    flows.start(
        READ_ORDERED,
        connection=after.connection,
        steps=[flows.NewStep(ReadOrdered.name, {})],
        business_key=str(after.public_id),
        lane=Lane.SYNC,
        by=None,
    )


def _is_asked_for(connection_id: UUID, kind: str) -> bool:
    """Whether a reading of the kind waits. It is held, so that no worker begins with it before
    this transaction has ended: it will see what is committed here.
    """
    lock = "FOR NO KEY UPDATE" if database.vendor == "postgresql" else ""
    return bool(run(_WAITING + lock, of=Connection, pk=connection_id, more=[kind]))
