"""Reading one invoice from Bokio with its payments, settlements and journal entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNote as RemoteNote
from bokio_app.bokio.credit_notes import CreditNoteStatus
from bokio_app.bokio.errors import NotFound
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceStatus
from bokio_app.bokio.journal_entries import JournalEntry as RemoteEntry
from bokio_app.bokio.payments import Payment as RemotePayment
from bokio_app.bokio.settlements import Settlement as RemoteSettlement
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO, rounded
from bokio_app.flows import services as flows
from bokio_app.flows.listing.merging import unlike
from bokio_app.flows.models import Flow, Lane
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.readings import asked_at, written_since_asked
from bokio_app.flows.signals import flow_cancelled, flow_finished
from bokio_app.invoicing.crediting import is_crediting
from bokio_app.invoicing.lost import GONE
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import SEND_INVOICE
from bokio_app.invoicing.sync.credit_notes import credited, keep_notes
from bokio_app.invoicing.sync.invoices import keep_invoices, lose_invoices
from bokio_app.ledger.sync import fetch_entries, keep_entries
from bokio_app.tenants.models import User

from .models import Payment, Settlement
from .services import REGISTER_PAYMENT
from .taking_back import DeletePayment, DeleteSettlement

READ_NOTES = "credit-notes:read"
T = TypeVar("T")
READ_INVOICE = register_kind("read_invoice", _("Read invoice"))


@dataclass(frozen=True)
class Received:
    """What closes an invoice, in SEK."""

    payments: list[RemotePayment]
    settlements: list[RemoteSettlement]

    @property
    def sum(self) -> Decimal:
        paid = sum((each.amount for each in self.payments), ZERO)
        return sum((each.amount for each in self.settlements), paid)

    @property
    def entry_ids(self) -> list[UUID]:
        """The journal entries of what is recorded of it."""
        ids = [each.journal_entry_id for each in self.payments]
        ids += [each.journal_entry_id for each in self.settlements]
        return [each for each in ids if each]


@dataclass(frozen=True)
class Standing:
    """How an invoice stands at Bokio, in its own currency."""

    status: str
    currency: str
    total: Decimal
    paid: Decimal

    def open(self, received: Received, taken_back: Decimal) -> Decimal:
        """What is still owed. Payments are in SEK: of an invoice in another currency, only what
        Bokio says was paid can be told.
        """
        if self.currency == "SEK":
            return self.total - taken_back - received.sum
        settled = self.status in {InvoiceStatus.PAID, InvoiceStatus.CREDITED}
        return ZERO if settled else self.total - taken_back - self.paid


@dataclass(frozen=True)
class Found:
    """What Bokio holds of one invoice. `credited` is what published credit notes take back."""

    invoice: RemoteInvoice
    credited: Decimal
    received: Received
    notes: list[RemoteNote]
    entries: list[RemoteEntry]


@register
class ReadInvoice(Operation):
    """The invoice as Bokio has it, with all that makes up its open amount."""

    name = "read_invoice"
    scopes = ("invoices:read",)
    label = _("Read from Bokio")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        found = _unless_gone(lambda: _find(ctx, bokio))
        if found is None:
            return Done({"gone": True})
        recorded = _entry_ids(found.invoice, found.received, found.notes)
        return Done({"status": found.invoice.status, "entries": len(recorded)}, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        """Keep what was found, unless our own rows have become newer meanwhile.

        Whoever wrote meanwhile reads the invoice again when its flow ends.
        """
        found: Found | None = done.read
        if found:
            keep_entries(ctx.flow.connection, found.entries)
        invoice = _locked(ctx)
        if invoice is None:
            return
        if found is None:
            lose_invoices(invoice.connection_id, [invoice.remote_id])
            return
        flow, asked = ctx.flow, asked_at(ctx)
        keep_notes(flow.tenant_id, flow.connection_id, found.notes, asked)
        keep_invoices(flow, [found.invoice], asked)
        remote = found.invoice
        standing = Standing(
            remote.status, remote.currency, rounded(remote.total), rounded(remote.paid)
        )
        _settle(ctx, invoice, standing, found.received, found.credited)


@register
class ReadSettled(Operation):
    """The payments and settlements of an invoice that a list has told the rest of."""

    name = "read_settled"
    scopes = ("invoices:read",)
    label = _("Payments and fees")
    reads_only = True

    def skip(self, ctx: StepContext) -> str:
        wanted = Invoice.objects.filter(pk=ctx.payload["invoice"], gone_at=None)
        return "" if wanted.exists() else "gone"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        remote_id = UUID(ctx.payload["remote_invoice"])
        received = _unless_gone(
            lambda: Received(bokio.payments.list(remote_id), bokio.settlements.list(remote_id))
        )
        if received is None:
            return Done({"gone": True})
        return Done({"count": len(received.payments) + len(received.settlements)}, read=received)

    def apply(self, ctx: StepContext, done: Done) -> None:
        invoice = _locked(ctx)
        if invoice is None:
            return
        if done.read is None:
            lose_invoices(invoice.connection_id, [invoice.remote_id])
            return
        if READ_NOTES in ctx.flow.connection.scopes:
            taken_back = credited(invoice.connection_id, [invoice.remote_id])[invoice.remote_id]
        else:
            taken_back = invoice.total if invoice.status == InvoiceStatus.CREDITED else ZERO
        standing = Standing(invoice.status, invoice.currency, invoice.total, invoice.paid)
        _settle(ctx, invoice, standing, done.read, taken_back)


def _unless_gone(read: Callable[[], T]) -> T | None:
    """What was read, or None if Bokio says that there is no such invoice. A gateway's bare 404
    says nothing of it.
    """
    try:
        return read()
    except NotFound as error:
        if error.code != GONE:
            raise
        return None


def _find(ctx: StepContext, bokio: Bokio) -> Found:
    connection = ctx.flow.connection
    invoice = bokio.invoices.get(UUID(ctx.payload["remote_invoice"]))
    received = Received(bokio.payments.list(invoice.id), bokio.settlements.list(invoice.id))
    notes, taken_back = _notes(invoice, connection, bokio)
    entries = fetch_entries(bokio, connection, _entry_ids(invoice, received, notes))
    return Found(invoice, taken_back, received, notes, entries)


def _entry_ids(invoice: RemoteInvoice, received: Received, notes: list[RemoteNote]) -> list[str]:
    own = [each.journal_entry_id for each in (invoice, *notes)]
    return [str(each) for each in (*own, *received.entry_ids) if each]


def _notes(
    invoice: RemoteInvoice, connection: Connection, bokio: Bokio
) -> tuple[list[RemoteNote], Decimal]:
    """The invoice's credit notes, and what is no longer owed, in its currency. Each costs a call,
    and a connection without leave to read them knows of whole ones alone.
    """
    if READ_NOTES not in connection.scopes:
        return [], invoice.total if invoice.status == InvoiceStatus.CREDITED else ZERO
    notes = [bokio.credit_notes.get(each) for each in invoice.credit_note_ids]
    published = (each.total for each in notes if each.status != CreditNoteStatus.DRAFT)
    return notes, sum(published, ZERO)


def _locked(ctx: StepContext) -> Invoice | None:
    """The row, held for this transaction; None if it has become newer than what was read."""
    invoice = Invoice.objects.select_for_update().get(pk=ctx.payload["invoice"])
    is_newer = invoice.read_at is not None and invoice.read_at > asked_at(ctx)
    if is_newer or written_since_asked(ctx, invoice.resource_key):
        return None
    return invoice


def _settle(
    ctx: StepContext,
    invoice: Invoice,
    standing: Standing,
    received: Received,
    taken_back: Decimal,
) -> None:
    """Keep what was received, and work out what is still owed."""
    asked = asked_at(ctx)
    payments = {str(each.id): _payment(each) for each in received.payments}
    settlements = {str(each.id): _settlement(each) for each in received.settlements}
    _keep(Payment, invoice, payments, asked)
    _keep(Settlement, invoice, settlements, asked)
    values: dict[str, Any] = {"open_amount": standing.open(received, taken_back), "gone_at": None}
    wanted = invoice.details_wanted_at
    values["details_wanted_at"] = wanted if wanted and wanted > asked else None
    differing = {name: new for name, new in values.items() if getattr(invoice, name) != new}
    if differing or ctx.step.op == ReadInvoice.name:  # a person who asked sees when it was read
        Invoice.objects.filter(pk=invoice.pk).update(**values, read_at=asked)


def _payment(remote: RemotePayment) -> dict[str, Any]:
    return {
        "date": remote.date,
        "amount": remote.amount,
        "account": remote.account,
        "journal_entry_id": str(remote.journal_entry_id or ""),
    }


def _settlement(remote: RemoteSettlement) -> dict[str, Any]:
    return {
        "type": remote.type[:30],
        "vat_scheme": (remote.vat_scheme or "")[:20],
        "date": remote.date,
        "amount": remote.amount,
        "journal_entry_id": str(remote.journal_entry_id or ""),
    }


def _keep(
    model: type[Payment | Settlement],
    invoice: Invoice,
    found: dict[str, dict[str, Any]],
    asked: datetime,
) -> None:
    """Write what differs. What Bokio has no longer keeps its row: work of ours may hang on it."""
    rows = model.ever.filter(invoice=invoice).exclude(remote_id="")
    known = {row.remote_id: row for row in rows}
    for row, names in unlike((known[key], found[key]) for key in known.keys() & found):
        row.save(update_fields=sorted(names))
    for key in found.keys() - known:
        # It was there when it was asked for, and is no later payment that the reading cannot know.
        model.ever.create(invoice=invoice, remote_id=key, created_at=asked, **found[key])
    gone = [row.pk for key, row in known.items() if key not in found and row.gone_at is None]
    if gone:
        model.ever.filter(pk__in=gone).update(gone_at=clock.now())


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
    kinds = {SEND_INVOICE, REGISTER_PAYMENT, DeletePayment.name, DeleteSettlement.name}
    if flow.kind in kinds or is_crediting(flow):
        _forget_unmade(flow)
        _read_invoice_of(flow)


@receiver(flow_cancelled, dispatch_uid="payments_forget_wanted")
def forget_what_was_wanted(flow: Flow, **_kwargs: Any) -> None:
    """A payment or fee that a cancelled flow had not yet made is not shown as on its way."""
    _forget_unmade(flow)
    if flow.cursor and (flow.kind in {SEND_INVOICE, REGISTER_PAYMENT} or is_crediting(flow)):
        _read_invoice_of(flow)


def _forget_unmade(flow: Flow) -> None:
    """Also when a person has handled the rest in Bokio, from where the reading brings it."""
    if flow.kind != REGISTER_PAYMENT:
        return
    unmade = Payment.objects.filter(pk=flow.business_key, remote_id="")
    Settlement.objects.filter(payment__in=unmade, remote_id="").delete()
    Settlement.ever.filter(payment__in=unmade).update(payment=None)
    unmade.delete()


def _read_invoice_of(flow: Flow) -> None:
    invoice_id = flow.resource_key.removeprefix("invoice:")
    invoice = Invoice.objects.select_related("connection").get(pk=invoice_id)
    if invoice.remote_id:
        start_reading(invoice, by=flow.created_by, because=str(flow.pk), lane=Lane(flow.lane))
