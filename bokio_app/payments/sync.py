"""Reading one invoice from Bokio with its payments, settlements and journal entries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNoteStatus
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceStatus
from bokio_app.bokio.journal_entries import JournalEntry as RemoteEntry
from bokio_app.bokio.payments import Payment as RemotePayment
from bokio_app.bokio.settlements import Settlement as RemoteSettlement
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, Lane
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.readings import is_newest, written_since_asked
from bokio_app.flows.signals import flow_cancelled, flow_finished
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import SEND_INVOICE
from bokio_app.ledger.sync import fetch_entries, keep_entries
from bokio_app.tenants.models import User

from .models import Payment, Settlement
from .services import REGISTER_PAYMENT
from .taking_back import DeletePayment, DeleteSettlement

READ_NOTES = "credit-notes:read"
READ_INVOICE = register_kind("read_invoice", _("Read invoice"))


@dataclass(frozen=True)
class Found:
    """What Bokio holds of one invoice. `credited` is what published credit notes take back."""

    invoice: RemoteInvoice
    credited: Decimal
    payments: list[RemotePayment]
    settlements: list[RemoteSettlement]
    entries: list[RemoteEntry]


@register
class ReadInvoice(Operation):
    """The invoice as Bokio has it, with all that makes up its open amount."""

    name = "read_invoice"
    scopes = ("invoices:read",)
    label = _("Read from Bokio")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        invoice = bokio.invoices.get(UUID(ctx.payload["remote_invoice"]))
        payments = bokio.payments.list(invoice.id)
        settlements = bokio.settlements.list(invoice.id)
        recorded = [invoice.journal_entry_id]
        recorded += [each.journal_entry_id for each in payments]
        recorded += [each.journal_entry_id for each in settlements]
        entry_ids = [str(entry_id) for entry_id in recorded if entry_id]
        entries = fetch_entries(bokio, ctx.flow.connection, entry_ids)
        credited = _credited(invoice, ctx.flow.connection, bokio)
        found = Found(invoice, credited, payments, settlements, entries)
        return Done({"status": invoice.status, "entries": len(entry_ids)}, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        """Keep what was found, unless our own rows have become newer meanwhile.

        Whoever wrote meanwhile reads the invoice again when its flow ends.
        """
        found: Found = done.read
        invoice = Invoice.objects.select_for_update().get(pk=ctx.payload["invoice"])
        keep_entries(ctx.flow.connection, found.entries)
        subject = f"invoice:{invoice.pk}"
        if written_since_asked(ctx, subject) or not is_newest(ctx, subject):
            return
        _keep_payments(invoice, found.payments)
        _keep_settlements(invoice, found.settlements)
        _keep_invoice(invoice, found)


def _credited(invoice: RemoteInvoice, connection: Connection, bokio: Bokio) -> Decimal:
    """What is no longer owed, in the invoice's currency. Each note costs a call, and a connection
    without leave to read them knows of whole ones alone.
    """
    if READ_NOTES not in connection.scopes:
        return invoice.total if invoice.status == InvoiceStatus.CREDITED else ZERO
    notes = [bokio.credit_notes.get(each) for each in invoice.credit_note_ids]
    published = (each.total for each in notes if each.status != CreditNoteStatus.DRAFT)
    return sum(published, ZERO)


def _keep_payments(invoice: Invoice, found: list[RemotePayment]) -> None:
    ids = [str(each.id) for each in found]
    invoice.payments.exclude(remote_id="").exclude(remote_id__in=ids).filter(
        settlements__isnull=True
    ).delete()
    for each in found:
        Payment.objects.update_or_create(
            invoice=invoice,
            remote_id=str(each.id),
            defaults={
                "date": each.date,
                "amount": each.amount,
                "account": each.account,
                "journal_entry_id": str(each.journal_entry_id or ""),
            },
        )


def _keep_settlements(invoice: Invoice, found: list[RemoteSettlement]) -> None:
    ids = [str(each.id) for each in found]
    invoice.settlements.exclude(remote_id="").exclude(remote_id__in=ids).delete()
    for each in found:
        Settlement.objects.update_or_create(
            invoice=invoice,
            remote_id=str(each.id),
            defaults={
                "type": each.type,
                "date": each.date,
                "amount": each.amount,
                "journal_entry_id": str(each.journal_entry_id or ""),
            },
        )


def _keep_invoice(invoice: Invoice, found: Found) -> None:
    remote = found.invoice
    settled = sum((each.amount for each in found.payments), Decimal(0))
    settled += sum((each.amount for each in found.settlements), Decimal(0))
    invoice.status = remote.status
    invoice.number = remote.number or ""
    invoice.ocr = remote.ocr or ""
    invoice.total = remote.total
    invoice.tax = remote.total_tax
    invoice.net = remote.total - remote.total_tax
    invoice.due_date = remote.due_date or invoice.due_date
    invoice.open_amount = remote.total - found.credited - settled
    invoice.journal_entry_id = str(remote.journal_entry_id or "")
    invoice.published_at = remote.published_at or invoice.published_at
    invoice.read_at = clock.now()
    invoice.save()


def start_reading(
    invoice: Invoice, *, by: User | None, because: str, lane: Lane = Lane.CLICK
) -> Flow:
    """Read the invoice anew, in the background. `because` makes one reading of many requests."""
    flow, _started = flows.start(
        READ_INVOICE,
        connection=invoice.connection,
        steps=[
            flows.NewStep(
                ReadInvoice.name,
                {"invoice": str(invoice.pk), "remote_invoice": invoice.remote_id},
            )
        ],
        business_key=f"{invoice.pk}:{because}"[:80],
        lane=lane,
        by=by,
    )
    return flow


@receiver(flow_finished, dispatch_uid="payments_read_invoice")
def read_after_work(flow: Flow, **_kwargs: Any) -> None:
    """What a flow has changed is read at once, so that pages show what Bokio really holds."""
    if flow.kind in {SEND_INVOICE, REGISTER_PAYMENT, DeletePayment.name, DeleteSettlement.name}:
        _forget_unmade(flow)
        _read_invoice_of(flow)


@receiver(flow_cancelled, dispatch_uid="payments_forget_wanted")
def forget_what_was_wanted(flow: Flow, **_kwargs: Any) -> None:
    """A payment or fee that a cancelled flow had not yet made is not shown as on its way."""
    _forget_unmade(flow)
    if flow.kind in {SEND_INVOICE, REGISTER_PAYMENT} and flow.cursor:
        _read_invoice_of(flow)


def _forget_unmade(flow: Flow) -> None:
    """Also when a person has handled the rest in Bokio, from where the reading brings it."""
    if flow.kind != REGISTER_PAYMENT:
        return
    unmade = Payment.objects.filter(pk=flow.business_key, remote_id="")
    Settlement.objects.filter(payment__in=unmade, remote_id="").delete()
    Settlement.objects.filter(payment__in=unmade).update(payment=None)
    unmade.delete()


def _read_invoice_of(flow: Flow) -> None:
    invoice_id = flow.resource_key.removeprefix("invoice:")
    invoice = Invoice.objects.select_related("connection").get(pk=invoice_id)
    if invoice.remote_id:
        start_reading(invoice, by=flow.created_by, because=str(flow.pk), lane=Lane(flow.lane))
