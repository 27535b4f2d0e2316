"""The steps that take a whole invoice back: create the credit note, publish it, record it."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNote as RemoteNote
from bokio_app.bokio.credit_notes import CreditNoteStatus
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.flows.epochs import may_be_lost
from bokio_app.flows.operations import (
    ALREADY_RECORDED,
    Absent,
    Ambiguous,
    Done,
    Operation,
    Proof,
    StepContext,
    entry_of,
    equal_or_unclear,
    register,
)
from bokio_app.flows.patterns import not_taken

from .flows import invoice_of, nothing_before

UNCLEAR = _("A credit note in Bokio may or may not be ours.")


@register
class CreditInvoice(Operation):
    """Have Bokio draft a credit note over the whole of a published invoice."""

    name = "credit_invoice"
    scopes = ("invoices:read", "invoices:write", "credit-notes:read")
    label = _("Credit note in Bokio")
    object_type = "credit_note"
    irreversible = True
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        return nothing_before(ctx)

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        invoice = bokio.invoices.get(invoice_of(ctx))
        ids = [str(each) for each in invoice.credit_note_ids]
        if may_be_lost(ctx.flow):  # what a flow that is lost had made is taken over
            for each in _new(ctx, invoice):
                note = _whole(bokio.credit_notes.get(UUID(each)), invoice)
                if isinstance(note, Done):
                    return note
        return ids

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/credit"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _note_done(bokio.invoices.credit(invoice_of(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """The one note that the invoice did not have before, if it takes the whole back."""
        invoice = bokio.invoices.get(invoice_of(ctx))
        new = _new(ctx, invoice)
        if not new:
            return Absent()
        notes = [bokio.credit_notes.get(UUID(each)) for each in new]
        if len(notes) == 1:
            return _whole(notes[0], invoice)
        return Ambiguous(str(UNCLEAR), [dict(_note_done(each).result) for each in notes])

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        invoice = bokio.invoices.get(invoice_of(ctx))
        note = bokio.credit_notes.get(remote_id)
        return _whole(note, invoice)


@register
class PublishCreditNote(Operation):
    """Have Bokio give the note its number; from then on it lowers what the invoice is owed."""

    name = "publish_credit_note"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = _("Credit note published")
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        """Only a note that was found instead of made can be published already."""
        status = ctx.results.get(CreditInvoice.name, {}).get("status", CreditNoteStatus.DRAFT)
        return [] if status == CreditNoteStatus.DRAFT else None

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        proof = self.prove(ctx, bokio)
        return proof if isinstance(proof, Done) else []

    def address(self, ctx: StepContext) -> str:
        return f"POST credit-notes/{_note(ctx)}/publish"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _note_done(bokio.credit_notes.publish(_note(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        note = bokio.credit_notes.get(_note(ctx))
        published = note.status != CreditNoteStatus.DRAFT and note.number
        return _note_done(note) if published else Absent()


@register
class RecordCreditNote(Operation):
    """Have Bokio write the note's journal entry."""

    name = "record_credit_note"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = _("Credit note recorded")

    def skip(self, ctx: StepContext) -> str:
        if ctx.payload["cash"]:
            return "cash_method"
        published = ctx.results.get(PublishCreditNote.name, {})
        return ALREADY_RECORDED if published.get("journal_entry_id") else ""

    def address(self, ctx: StepContext) -> str:
        return f"POST credit-notes/{_note(ctx)}/record"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _recorded(bokio.credit_notes.record(_note(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        note = bokio.credit_notes.get(_note(ctx))
        return _recorded(note) if note.journal_entry_id else Absent()


def _note(ctx: StepContext) -> UUID:
    return UUID(ctx.result(CreditInvoice.name, "remote_id"))


def _new(ctx: StepContext, invoice: RemoteInvoice) -> list[str]:
    """Of the invoice's notes: those that are new since the intent and are no other step's."""
    ids = [str(each) for each in invoice.credit_note_ids]
    return not_taken(ctx, ids, object_type=CreditInvoice.object_type)


def _whole(note: RemoteNote, invoice: RemoteInvoice) -> Proof:
    """The note if it takes the whole of this invoice back."""
    equal = note.id in invoice.credit_note_ids and note.total == invoice.total
    return equal_or_unclear(_note_done(note), equal=equal, why=str(UNCLEAR))


def _note_done(note: RemoteNote) -> Done:
    found = {
        "remote_id": str(note.id),
        "number": note.number,
        "total": note.total,
        "status": note.status,
    }
    return Done(found | entry_of(note.journal_entry_id), remote_id=str(note.id))


def _recorded(note: RemoteNote) -> Done:
    return Done({"journal_entry_id": str(note.journal_entry_id or "")})
