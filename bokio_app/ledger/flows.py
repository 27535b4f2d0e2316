"""The steps that write in the books: journal entries, their reversal, and vouchers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.bokio.journal_entries import JournalEntry as RemoteEntry
from bokio_app.bokio.journal_entries import JournalEntryDraft, JournalRow
from bokio_app.bokio.uploads import Upload
from bokio_app.flows import held
from bokio_app.flows.operations import (
    Absent,
    Done,
    Operation,
    Proof,
    StepContext,
    equal_or_unclear,
    exactly_one,
    register,
    register_kind,
)
from bokio_app.flows.patterns import remote
from bokio_app.flows.references import with_reference

LONGEST_TITLE: Final = 200
LONGEST_DESCRIPTION: Final = 250


@register
class WriteJournalEntry(Operation):
    """Make an entry of our own in the books, its title marked with the step's reference.

    Payload: `title`, `date` (ISO), `rows` [{`account`, `debit`, `credit`}] in SEK as text.
    It cannot be deleted, so absence is read twice before it is sent again. That somebody has
    reversed it meanwhile changes nothing: it was made.
    """

    name = "write_journal_entry"
    scopes = ("journal-entries:read", "journal-entries:write")
    label = gettext_lazy("Journal entry written")
    object_type = "journal_entry"
    irreversible = True
    referenced = True
    by_filter = True

    def address(self, ctx: StepContext) -> str:
        return "POST journal-entries"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _entry_done(bokio.journal_entries.create(_entry_draft(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        marked = [
            each
            for each in bokio.journal_entries.find(F("title").contains(ctx.reference))
            if each.reversing is None  # a reversal may quote the title of what it takes back
        ]
        proof = exactly_one(map(_entry_done, marked), what=str(_("journal entry")))
        return _compared_entry(ctx, marked[0]) if isinstance(proof, Done) else proof

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        return _compared_entry(ctx, bokio.journal_entries.get(remote_id))


@register
class ReverseJournalEntry(Operation):
    """Take an entry back by another with its sides exchanged.

    Payload: `entry`, Bokio's id. Bokio reverses an entry once, and says so on the entry: found
    reversed, by whomever, it is done.
    """

    name = "reverse_journal_entry"
    scopes = ("journal-entries:read", "journal-entries:write")
    label = gettext_lazy("Journal entry reversed")
    irreversible = True

    def address(self, ctx: StepContext) -> str:
        return f"POST journal-entries/{ctx.payload['entry']}/reverse"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _reversed(str(bokio.journal_entries.reverse(remote(ctx, "entry")).id))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        entry = bokio.journal_entries.get(remote(ctx, "entry"))
        return _reversed(str(entry.reversed_by)) if entry.reversed_by else Absent()

    def apply(self, ctx: StepContext, done: Done) -> None:
        """Our copy says so too, before the next reading."""
        entries = ctx.flow.connection.journal_entries.filter(remote_id=ctx.payload["entry"])
        entries.update(reversed_by=done.result["reversed_by"])


@register
class UploadVoucher(Operation):
    """Send a voucher, its description marked with the step's reference.

    Payload: `held`, `file_name`, `sha256` (see `flows.held`), `description`, `media_type`, and
    `entry`, Bokio's id of the journal entry that it belongs to, or empty.
    """

    name = "upload_voucher"
    scopes = ("uploads:read", "uploads:write")
    label = gettext_lazy("Voucher sent")
    object_type = "upload"
    sends_file = True
    referenced = True
    by_filter = True

    def address(self, ctx: StepContext) -> str:
        return "POST uploads"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        payload = ctx.payload
        sent = bokio.uploads.create(
            held.outgoing(payload),
            description=with_reference(
                payload["description"], ctx.reference, longest=LONGEST_DESCRIPTION
            ),
            journal_entry_id=remote(ctx, "entry") if payload.get("entry") else None,
        )
        return _upload_done(sent)

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        marked = list(bokio.uploads.find(F("description").contains(ctx.reference)))
        proof = exactly_one(map(_upload_done, marked), what=str(_("voucher")))
        return _compared_upload(ctx, marked[0]) if isinstance(proof, Done) else proof

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        return _compared_upload(ctx, bokio.uploads.get(remote_id))

    def apply(self, ctx: StepContext, done: Done) -> None:
        held.release(ctx.payload)


for _operation in (WriteJournalEntry, ReverseJournalEntry, UploadVoucher):
    register_kind(_operation.name, _operation.label)


def _entry_draft(ctx: StepContext) -> JournalEntryDraft:
    payload = ctx.payload
    return JournalEntryDraft(
        title=with_reference(payload["title"], ctx.reference, longest=LONGEST_TITLE),
        date=date.fromisoformat(payload["date"]),
        items=tuple(map(_row, payload["rows"])),
    )


def _row(row: dict[str, Any]) -> JournalRow:
    return JournalRow(
        account=row["account"], debit=Decimal(row["debit"]), credit=Decimal(row["credit"])
    )


def _rows(items: tuple[JournalRow, ...]) -> list[tuple[int, Decimal, Decimal]]:
    return sorted((each.account, each.debit, each.credit) for each in items)


def _entry_done(entry: RemoteEntry) -> Done:
    found = {"remote_id": str(entry.id), "number": entry.number, "date": entry.date}
    return Done(found, remote_id=str(entry.id))


def _compared_entry(ctx: StepContext, entry: RemoteEntry) -> Proof:
    draft = _entry_draft(ctx)
    equal = entry.date in {None, draft.date} and _rows(entry.items) == _rows(draft.items)
    why = _("The journal entry in Bokio differs from ours.")
    return equal_or_unclear(_entry_done(entry), equal=equal, why=why)


def _compared_upload(ctx: StepContext, upload: Upload) -> Proof:
    why = _("The voucher in Bokio differs from ours.")
    equal = _same_upload(upload, ctx.payload)
    return equal_or_unclear(_upload_done(upload), equal=equal, why=why)


def _reversed(reversal: str) -> Done:
    return Done({"reversed_by": reversal})


def _upload_done(upload: Upload) -> Done:
    found = {
        "remote_id": str(upload.id),
        "media_type": upload.media_type,
        "description": upload.description,
    }
    return Done(found, remote_id=str(upload.id))


def _same_upload(found: Upload, payload: dict[str, Any]) -> bool:
    wanted, entry = str(payload["media_type"]), payload.get("entry")
    if entry and str(found.journal_entry_id) != entry:
        return False
    return found.media_type.lower() == wanted.lower()
