"""The steps that take a payment or a settlement off an invoice again."""

from __future__ import annotations

from abc import abstractmethod

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotFound, Unsendable
from bokio_app.bokio.payments import Payment as RemotePayment
from bokio_app.bokio.settlements import Settlement as RemoteSettlement
from bokio_app.flows.operations import Done, StepContext, register, register_kind
from bokio_app.flows.patterns import GONE, Delete, remote

from .models import Payment, Settlement


class DeleteUnrecorded(Delete):
    """Our copy may be old: what Bokio has recorded meanwhile is in the books, and stays."""

    looks_first = True

    @abstractmethod
    def read(self, ctx: StepContext, bokio: Bokio) -> RemotePayment | RemoteSettlement: ...

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        try:
            found = self.read(ctx, bokio)
        except NotFound as error:
            if error.code != GONE:
                raise
            return Done({})
        if found.journal_entry_id:
            raise Unsendable("It is recorded in Bokio.", code="recorded")
        return []


@register
class DeletePayment(DeleteUnrecorded):
    """Take a payment back. Payload: `invoice` (ours), `remote_invoice`, `remote_payment`."""

    name = "delete_payment"
    scopes = ("invoices:read", "invoices:write")
    label = _("Payment taken back")

    def read(self, ctx: StepContext, bokio: Bokio) -> RemotePayment:
        return bokio.payments.get(remote(ctx, "remote_invoice"), remote(ctx, "remote_payment"))

    def address(self, ctx: StepContext) -> str:
        return "DELETE invoices/{remote_invoice}/payments/{remote_payment}".format(**ctx.payload)

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.payments.delete(remote(ctx, "remote_invoice"), remote(ctx, "remote_payment"))

    def apply(self, ctx: StepContext, done: Done) -> None:
        """The fee that came with it stays in Bokio, and so it does here."""
        mine = Payment.objects.filter(
            invoice=ctx.payload["invoice"], remote_id=ctx.payload["remote_payment"]
        )
        Settlement.ever.filter(payment__in=mine).update(payment=None)
        mine.delete()


@register
class DeleteSettlement(DeleteUnrecorded):
    """Take a settlement back. Payload: `invoice` (ours), `remote_invoice`, `remote_settlement`."""

    name = "delete_settlement"
    scopes = ("invoices:read", "invoices:write")
    label = _("Settlement taken back")

    def read(self, ctx: StepContext, bokio: Bokio) -> RemoteSettlement:
        invoice, settlement = remote(ctx, "remote_invoice"), remote(ctx, "remote_settlement")
        return bokio.settlements.get(invoice, settlement)

    def address(self, ctx: StepContext) -> str:
        return "DELETE invoices/{remote_invoice}/settlements/{remote_settlement}".format(
            **ctx.payload
        )

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        invoice, settlement = remote(ctx, "remote_invoice"), remote(ctx, "remote_settlement")
        bokio.settlements.delete(invoice, settlement)

    def apply(self, ctx: StepContext, done: Done) -> None:
        Settlement.objects.filter(
            invoice=ctx.payload["invoice"], remote_id=ctx.payload["remote_settlement"]
        ).delete()


for _operation in (DeletePayment, DeleteSettlement):
    register_kind(_operation.name, _operation.label)
