"""The step that prepares a payment from the company's own bank account.

No money moves before somebody at the company signs it in Bokio. Needs elevated scopes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.bokio.bank_payments import BankPayment, BankPaymentDraft
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.bokio.payees import BankgiroRecipient, Recipient, TransferRecipient
from bokio_app.flows.operations import (
    Done,
    Operation,
    Proof,
    StepContext,
    equal_or_unclear,
    exactly_one,
    register,
    register_kind,
)
from bokio_app.flows.references import with_reference

LONGEST_NOTE: Final = 200


@register
class PrepareBankPayment(Operation):
    """Prepare one bank payment, the company's own note marked with the step's reference.

    Payload: `amount` (SEK, as text), `date` (ISO), `note`, `recipient`: `kind` bankgiro with
    `name`, `number`, and `ocr` or `message`; or `kind` transfer with `name`, `clearing_number`,
    `account_number`, `reference`. Twice prepared is twice paid when somebody signs both, so
    absence is read twice.
    """

    name = "prepare_bank_payment"
    scopes = ("bank-payments:read-limited", "bank-payments:write")
    label = gettext_lazy("Bank payment prepared")
    object_type = "bank_payment"
    irreversible = True
    referenced = True
    by_filter = True

    def address(self, ctx: StepContext) -> str:
        return "POST bank-payments"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _done(bokio.bank_payments.create(_draft(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        draft = _draft(ctx)
        # The amount narrows the list; the note cannot be filtered by, and holds the mark.
        marked = [
            each
            for each in bokio.bank_payments.find(F("amount") == draft.amount)
            if ctx.reference in each.note
        ]
        proof = exactly_one(map(_done, marked), what=str(_("bank payment")))
        return _compared(draft, marked[0]) if isinstance(proof, Done) else proof

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        return _compared(_draft(ctx), bokio.bank_payments.get(remote_id))


register_kind(PrepareBankPayment.name, PrepareBankPayment.label)


def _draft(ctx: StepContext) -> BankPaymentDraft:
    payload = ctx.payload
    return BankPaymentDraft(
        amount=Decimal(payload["amount"]),
        date=date.fromisoformat(payload["date"]),
        recipient=_recipient(payload["recipient"]),
        note=with_reference(payload["note"], ctx.reference, longest=LONGEST_NOTE),
    )


def _recipient(given: dict[str, Any]) -> Recipient:
    if given["kind"] == "bankgiro":
        return BankgiroRecipient(
            name=given["name"],
            number=given["number"],
            ocr=given.get("ocr", ""),
            message=given.get("message", ""),
        )
    return TransferRecipient(
        name=given["name"],
        clearing_number=given["clearing_number"],
        account_number=given["account_number"],
        reference=given.get("reference", ""),
    )


def _compared(wanted: BankPaymentDraft, found: BankPayment) -> Proof:
    recipients = found.recipient.to_json() == wanted.recipient.to_json()
    equal = recipients and (found.amount, found.date) == (wanted.amount, wanted.date)
    why = _("The bank payment in Bokio differs from ours.")
    return equal_or_unclear(_done(found), equal=equal, why=why)


def _done(found: BankPayment) -> Done:
    result = {
        "remote_id": str(found.id),
        "amount": found.amount,
        "date": found.date,
        "status": found.status,
    }
    return Done(result, remote_id=str(found.id))
