"""The steps that take a payment or a settlement off an invoice again."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.flows.operations import Done, StepContext, register, register_kind
from bokio_app.flows.patterns import Delete, remote

from .models import Payment, Settlement


@register
class DeletePayment(Delete):
    """Take a payment back. Payload: `invoice` (ours), `remote_invoice`, `remote_payment`."""

    name = "delete_payment"
    scopes = ("invoices:read", "invoices:write")
    label = _("Payment taken back")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
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
class DeleteSettlement(Delete):
    """Take a settlement back. Payload: `invoice` (ours), `remote_invoice`, `remote_settlement`."""

    name = "delete_settlement"
    scopes = ("invoices:read", "invoices:write")
    label = _("Settlement taken back")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
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
