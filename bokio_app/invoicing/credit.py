"""The steps that take an invoice back: create the credit note, lower it to a part, publish it,
record it, or delete it while it is a draft.

Those that are started for an invoice that Bokio has keep the note in our own rows at once, so that
nothing can be credited twice before the next reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNote as RemoteNote
from bokio_app.bokio.credit_notes import CreditNoteDraft, CreditNoteStatus
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.line_items import ItemType
from bokio_app.bokio.wire import decode, encode
from bokio_app.core import clock
from bokio_app.core.money import rounded
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
    register_kind,
)
from bokio_app.flows.patterns import Delete, Json, Replace, not_taken
from bokio_app.flows.readings import asked_at

from .flows import invoice_of, nothing_before
from .models import CreditNote
from .sync.credit_notes import keep_notes

Line = tuple[str, Decimal, int]

WHOLE_KRONOR = Decimal(1)  # a company may have its totals rounded to these
UNCLEAR = _("A credit note in Bokio may or may not be ours.")


@register
class CreditInvoice(Operation):
    """Have Bokio draft a credit note over all that is left of a published invoice.

    `left` in the payload is what that comes to, where earlier notes have taken a part back.
    """

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
                note = _whole(ctx, bokio.credit_notes.get(UUID(each)), invoice)
                if isinstance(note, Done):
                    return note
        return ids

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/credit"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _drafted(ctx, bokio.invoices.credit(invoice_of(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """The one note that the invoice did not have before, if it takes the whole back."""
        invoice = bokio.invoices.get(invoice_of(ctx))
        new = _new(ctx, invoice)
        if not new:
            return Absent()
        notes = [bokio.credit_notes.get(UUID(each)) for each in new]
        if len(notes) == 1:
            return _whole(ctx, notes[0], invoice)
        return Ambiguous(str(UNCLEAR), [dict(_note_done(each).result) for each in notes])

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        invoice = bokio.invoices.get(invoice_of(ctx))
        note = bokio.credit_notes.get(remote_id)
        return _whole(ctx, note, invoice)

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done)


@register
class CreditPart(Replace[RemoteNote]):
    """Lower the drafted note to the part that is wanted. Payload: `lines`, each the quantity that
    is taken back of what has this description, price and VAT rate; `total`, what it comes to.

    Everything else stays as Bokio has drafted it. Lines are told apart by what they say: two that
    say the same are one, wherever the invoice has them.
    """

    name = "credit_part"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = _("Part to credit")

    def read(self, ctx: StepContext, bokio: Bokio) -> RemoteNote:
        return bokio.credit_notes.get(_note(ctx))

    def address(self, ctx: StepContext) -> str:
        return f"PUT credit-notes/{_note(ctx)}"

    def put(self, ctx: StepContext, bokio: Bokio) -> RemoteNote:
        return bokio.credit_notes.update(_note(ctx), _part(ctx))

    def wanted(self, ctx: StepContext) -> Json:
        return _part(ctx).to_json() | {"status": CreditNoteStatus.DRAFT.value}

    def held(self, found: RemoteNote) -> Json:
        return CreditNoteDraft.from_credit_note(found).to_json() | {"status": found.status}

    def done(self, found: RemoteNote) -> Done:
        return _note_done(found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done)


@register
class PublishCreditNote(Operation):
    """Have Bokio give the note its number; from then on it lowers what the invoice is owed.

    With `total` in the payload, a draft that comes to anything else is not published.
    """

    name = "publish_credit_note"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = _("Credit note published")
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        """Only a note that was found instead of made can be published already, or changed."""
        if "total" in ctx.payload and CreditInvoice.name not in ctx.results:
            return None
        status = ctx.results.get(CreditInvoice.name, {}).get("status", CreditNoteStatus.DRAFT)
        return [] if status == CreditNoteStatus.DRAFT else None

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        note = bokio.credit_notes.get(_note(ctx))
        if _is_published(note):
            return _note_done(note)
        _require_total(ctx, note.total)
        return []

    def address(self, ctx: StepContext) -> str:
        return f"POST credit-notes/{_note(ctx)}/publish"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        for op in (CreditPart.name, CreditInvoice.name):  # what the draft was told to hold last
            if op in ctx.results:
                _require_total(ctx, Decimal(str(ctx.results[op]["total"])))
                break
        return _note_done(bokio.credit_notes.publish(_note(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        note = bokio.credit_notes.get(_note(ctx))
        return _note_done(note) if _is_published(note) else Absent()

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done)


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

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done)


@register
class DeleteCreditNote(Delete):
    """Delete a drafted note. Payload: `remote_id`. Bokio refuses for a published one."""

    name = "delete_credit_note"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = _("Draft of a credit note deleted")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        return bokio.credit_notes.get(_note(ctx))

    def address(self, ctx: StepContext) -> str:
        return f"DELETE credit-notes/{_note(ctx)}"

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.credit_notes.delete(_note(ctx))

    def apply(self, ctx: StepContext, done: Done) -> None:
        CreditNote.objects.filter(
            connection_id=ctx.flow.connection_id, remote_id=ctx.payload["remote_id"], gone_at=None
        ).update(gone_at=clock.now())


CREDIT = register_kind(CreditInvoice.name, _("Credit invoice"))
FINISH = register_kind("finish_credit_note", _("Publish and record credit note"))
DELETE = register_kind(DeleteCreditNote.name, _("Delete draft of a credit note"))


def _note(ctx: StepContext) -> UUID:
    return UUID(ctx.result(CreditInvoice.name, "remote_id"))


def _new(ctx: StepContext, invoice: RemoteInvoice) -> list[str]:
    """Of the invoice's notes: those that are new since the intent and are no other step's."""
    ids = [str(each) for each in invoice.credit_note_ids]
    return not_taken(ctx, ids, object_type=CreditInvoice.object_type)


def _whole(ctx: StepContext, note: RemoteNote, invoice: RemoteInvoice) -> Proof:
    """The note if it takes back all that is left of this invoice."""
    left = Decimal(str(ctx.payload.get("left", invoice.total)))
    equal = note.id in invoice.credit_note_ids and note.total == left
    return equal_or_unclear(_drafted(ctx, note), equal=equal, why=str(UNCLEAR))


def _is_published(note: RemoteNote) -> bool:
    return note.status != CreditNoteStatus.DRAFT and bool(note.number)


def _require_total(ctx: StepContext, total: Decimal) -> None:
    """Stop before a note is published that comes to another amount than what was agreed to.

    Bokio may round to whole kronor, as the company has chosen.
    """
    if "total" not in ctx.payload:
        return
    wanted = Decimal(str(ctx.payload["total"]))
    if total not in {wanted, wanted.quantize(WHOLE_KRONOR, rounding=ROUND_HALF_UP)}:
        raise Unsendable("The draft comes to another amount.", code="note-differs")


def said_by(description: str, unit_price: Decimal, tax_rate: int | Decimal) -> Line:
    """What tells a line from others, wherever it stands: on an invoice, on a note, in a payload."""
    return (description[:500].strip(), rounded(unit_price), int(tax_rate))


def _part(ctx: StepContext) -> CreditNoteDraft:
    """The draft with the quantities that are wanted; lines of which nothing is wanted go.

    Raises `Unsendable` when it does not hold as much as is wanted.
    """
    draft = CreditNoteDraft.from_credit_note(
        RemoteNote.from_json(decode(ctx.result(CreditInvoice.name, "draft").encode()))
    )
    left = _wanted(ctx.payload["lines"])
    lines = []
    for line in draft.line_items:
        if line.item_type != ItemType.SALES:
            lines.append(line)
            continue
        key = said_by(line.description, line.unit_price, line.tax_rate)
        taken = min(left.get(key, Decimal(0)), line.quantity, key=abs)
        if taken:
            left[key] -= taken
            lines.append(replace(line, quantity=taken))
    if any(left.values()):
        raise Unsendable("The draft has other lines than the invoice had.", code="note-differs")
    return replace(draft, line_items=tuple(lines))


def _wanted(lines: Sequence[Mapping[str, Any]]) -> dict[Line, Decimal]:
    wanted: dict[Line, Decimal] = {}
    for line in lines:
        key = said_by(line["description"], Decimal(line["unit_price"]), line["tax_rate"])
        wanted[key] = wanted.get(key, Decimal(0)) + Decimal(line["quantity"])
    return wanted


def _drafted(ctx: StepContext, note: RemoteNote) -> Done:
    """The note; where a part of it is wanted, with all that the draft holds, to be sent back."""
    done = _note_done(note)
    if not any(each.op == CreditPart.name for each in ctx.steps):
        return done
    return replace(done, result={**done.result, "draft": whole_draft(note)})


def whole_draft(note: RemoteNote) -> str:
    """A drafted note as Bokio has told it, as far as it may be sent back."""
    told = {"id": note.id, "status": note.status, "totalAmount": note.total}
    return encode(CreditNoteDraft.from_credit_note(note).to_json() | told).decode()


def _note_done(note: RemoteNote) -> Done:
    found = {
        "remote_id": str(note.id),
        "number": note.number,
        "total": note.total,
        "status": note.status,
    }
    found |= entry_of(note.journal_entry_id)
    return Done(found, remote_id=str(note.id), read=note)


def _recorded(note: RemoteNote) -> Done:
    return Done({"journal_entry_id": str(note.journal_entry_id or "")}, read=note)


def _keep(ctx: StepContext, done: Done) -> None:
    """Our own row says at once what Bokio has answered; orders from files are read with others."""
    if done.read and "remote_invoice" in ctx.payload:
        keep_notes(ctx.flow.tenant_id, ctx.flow.connection_id, [done.read], asked_at(ctx))
