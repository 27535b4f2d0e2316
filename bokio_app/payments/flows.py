"""The steps that register a payment: settlement, record, payment, record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.payments import Payment as RemotePayment
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import Settlement as RemoteSettlement
from bokio_app.bokio.settlements import SettlementDraft
from bokio_app.flows.epochs import may_be_lost
from bokio_app.flows.operations import (
    ALREADY_RECORDED,
    Absent,
    Change,
    Done,
    Operation,
    Proof,
    StepContext,
    entry_of,
    equal_or_unclear,
    exactly_one,
    register,
    register_kind,
)
from bokio_app.flows.patterns import not_taken
from bokio_app.invoicing.flows import invoice_of, nothing_before
from bokio_app.invoicing.models import Invoice

from .models import Payment, Settlement
from .services import REGISTER_PAYMENT

register_kind(REGISTER_PAYMENT, _("Register payment"))


@register
class CreateSettlement(Operation):
    """Register a fee that was kept, or a currency difference."""

    name = "create_settlement"
    scopes = ("invoices:read", "invoices:write")
    label = _("Settlement registered")
    object_type = "settlement"
    irreversible = True
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        return nothing_before(ctx)

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        found = bokio.settlements.list(invoice_of(ctx))
        equal = [each for each in found if _facts(each) == _facts(_settlement_draft(ctx))]
        return _of_lost(ctx, equal, self.object_type) or [str(each.id) for each in found]

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/settlements"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _done(bokio.settlements.create(invoice_of(ctx), _settlement_draft(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        return exactly_one(self._candidates(ctx, bokio), what=self.object_type)

    def prove_anew(self, ctx: StepContext, bokio: Bokio) -> Proof:
        return _one_of_equals(ctx, self._candidates(ctx, bokio), what=self.object_type)

    def _candidates(self, ctx: StepContext, bokio: Bokio) -> list[Done]:
        wanted, found = _facts(_settlement_draft(ctx)), bokio.settlements.list(invoice_of(ctx))
        equal = [each for each in found if _facts(each) == wanted]
        return _unclaimed(ctx, equal, self.object_type)

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        found = bokio.settlements.get(invoice_of(ctx), remote_id)
        equal = _facts(found) == _facts(_settlement_draft(ctx))
        why = str(_("The settlement in Bokio differs from ours."))
        return equal_or_unclear(_done(found), equal=equal, why=why)

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        return [_made_at_bokio(ctx, Settlement, ctx.payload["settlement"], done)]


@register
class RecordSettlement(Operation):
    """Have Bokio write the settlement's journal entry."""

    name = "record_settlement"
    scopes = ("invoices:read", "invoices:write")
    label = _("Settlement recorded")

    def skip(self, ctx: StepContext) -> str:
        return _recorded_with(ctx, CreateSettlement.name)

    def address(self, ctx: StepContext) -> str:
        return (
            f"POST invoices/{invoice_of(ctx)}/settlements/{_made(ctx, 'create_settlement')}/record"
        )

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _recorded(bokio.settlements.record(invoice_of(ctx), _made(ctx, "create_settlement")))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        found = bokio.settlements.get(invoice_of(ctx), _made(ctx, "create_settlement"))
        return _recorded(found) if found.journal_entry_id else Absent()

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        return [Change(Settlement, ctx.payload["settlement"], _entry(done))]


@register
class CreatePayment(Operation):
    """Register the money that came in."""

    name = "create_payment"
    scopes = ("invoices:read", "invoices:write")
    label = _("Payment registered")
    object_type = "payment"
    irreversible = True
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        return nothing_before(ctx)

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        found = bokio.payments.list(invoice_of(ctx))
        equal = [each for each in found if _facts(each) == _facts(_payment_draft(ctx))]
        return _of_lost(ctx, equal, self.object_type) or [str(each.id) for each in found]

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/payments"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _done(bokio.payments.create(invoice_of(ctx), _payment_draft(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        return exactly_one(self._candidates(ctx, bokio), what=self.object_type)

    def prove_anew(self, ctx: StepContext, bokio: Bokio) -> Proof:
        return _one_of_equals(ctx, self._candidates(ctx, bokio), what=self.object_type)

    def _candidates(self, ctx: StepContext, bokio: Bokio) -> list[Done]:
        wanted, found = _facts(_payment_draft(ctx)), bokio.payments.list(invoice_of(ctx))
        equal = [each for each in found if _facts(each) == wanted]
        return _unclaimed(ctx, equal, self.object_type)

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        found = bokio.payments.get(invoice_of(ctx), remote_id)
        equal = _facts(found) == _facts(_payment_draft(ctx))
        why = str(_("The payment in Bokio differs from ours."))
        return equal_or_unclear(_done(found), equal=equal, why=why)

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        return [_made_at_bokio(ctx, Payment, ctx.payload["payment"], done)]


@register
class RecordPayment(Operation):
    """Have Bokio write the payment's journal entry."""

    name = "record_payment"
    scopes = ("invoices:read", "invoices:write")
    label = _("Payment recorded")

    def skip(self, ctx: StepContext) -> str:
        return _recorded_with(ctx, CreatePayment.name)

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/payments/{_made(ctx, 'create_payment')}/record"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _recorded(bokio.payments.record(invoice_of(ctx), _made(ctx, "create_payment")))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        found = bokio.payments.get(invoice_of(ctx), _made(ctx, "create_payment"))
        return _recorded(found) if found.journal_entry_id else Absent()

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        return [Change(Payment, ctx.payload["payment"], _entry(done))]


def _recorded_with(ctx: StepContext, made: str) -> str:
    """A company may have what comes in recorded by itself: then Bokio said so as it was made."""
    return ALREADY_RECORDED if ctx.results.get(made, {}).get("journal_entry_id") else ""


def _entry(done: Done) -> dict[str, str]:
    return {"journal_entry_id": str(done.result.get("journal_entry_id", ""))}


def _made_at_bokio(
    ctx: StepContext, model: type[Payment | Settlement], pk: str, done: Done
) -> Change:
    """Our row gets Bokio's id. A reading may have met the thing before, and made another row."""
    invoice = ctx.payload["invoice"]
    return Change(
        model,
        pk,
        {"remote_id": done.remote_id, **_entry(done)},
        held=(Invoice, invoice),
        copy={"invoice": invoice, "remote_id": done.remote_id},
    )


def _made(ctx: StepContext, op: str) -> UUID:
    return UUID(ctx.result(op, "remote_id"))


def _settlement_draft(ctx: StepContext) -> SettlementDraft:
    payload = ctx.payload
    return SettlementDraft(
        type=payload["type"],
        date=date.fromisoformat(payload["date"]),
        amount=Decimal(payload["amount"]),
        vat_scheme=payload.get("vat_scheme"),
    )


def _payment_draft(ctx: StepContext) -> PaymentDraft:
    payload = ctx.payload
    return PaymentDraft(
        date=date.fromisoformat(payload["date"]),
        amount=Decimal(payload["amount"]),
        account=payload["account"],
    )


Facts = RemotePayment | RemoteSettlement | PaymentDraft | SettlementDraft


def _facts(each: Facts) -> tuple[object, ...]:
    """What makes two of them equal."""
    if isinstance(each, RemotePayment | PaymentDraft):
        return (each.date, each.amount, each.account)
    return (each.type, each.date, each.amount, each.vat_scheme)


def _of_lost(
    ctx: StepContext, equal: Sequence[RemotePayment | RemoteSettlement], object_type: str
) -> Done | None:
    """What a flow that a restore has taken with it had made: equal, in no row of ours, no step's.

    Two that were wanted on purpose are two here as well, and each is taken by one step.
    """
    if not may_be_lost(ctx.flow):
        return None
    return next(iter(_unclaimed(ctx, equal, object_type)), None)


def _one_of_equals(ctx: StepContext, candidates: list[Done], *, what: str) -> Proof:
    """After a restore: a flow that wants several equal ones takes any, if there are no more of
    them than it has yet to make; which step made which makes no difference.
    """

    def wish(payload: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in payload.items() if key != what}

    later = ctx.flow.steps.filter(op=ctx.step.op, pos__gte=ctx.step.pos)
    wishes = [wish(payload) for payload in later.values_list("payload", flat=True)]
    if 0 < len(candidates) <= wishes.count(wish(ctx.payload)):
        return candidates[0]
    return exactly_one(candidates, what=what)


def _unclaimed(
    ctx: StepContext, equal: Sequence[RemotePayment | RemoteSettlement], object_type: str
) -> list[Done]:
    """Of objects that look like ours: those that were not there before and are no other step's."""
    before = ctx.step.baseline or _in_our_copy(ctx, object_type)
    ids = [str(each.id) for each in equal]
    free = not_taken(ctx, ids, object_type=object_type, before=before)
    return [_done(each) for each in equal if str(each.id) in free]


def _in_our_copy(ctx: StepContext, object_type: str) -> list[str]:
    """What our own copy has of the invoice beside this step's, for when a restore has lost what
    was noted before sending.
    """
    if ctx.step.baseline is not None:
        return []
    rows = Payment.objects if object_type == CreatePayment.object_type else Settlement.objects
    others = rows.filter(invoice=ctx.payload["invoice"]).exclude(pk=ctx.payload[object_type])
    return list(others.exclude(remote_id="").values_list("remote_id", flat=True))


def _done(made: RemotePayment | RemoteSettlement) -> Done:
    result = {"remote_id": str(made.id), "amount": made.amount, "date": made.date}
    if isinstance(made, RemotePayment):
        result["account"] = made.account
    return Done(result | entry_of(made.journal_entry_id), remote_id=str(made.id))


def _recorded(found: RemotePayment | RemoteSettlement) -> Done:
    return Done({"journal_entry_id": str(found.journal_entry_id or "")})
