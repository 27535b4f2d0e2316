"""Credit notes: each takes an invoice back, as a whole or in part."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Self
from uuid import UUID

from bokio_app.bokio.files import ReceivedFile
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.paging import Found
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same
from bokio_app.bokio.sales_documents import (
    SalesDocument,
    SalesDraft,
    draft_fields,
    shared_fields,
)


class CreditNoteStatus(StrEnum):
    """Known states. Bokio may add others, so `CreditNote.status` is any text."""

    DRAFT = "draft"
    PUBLISHED = "published"


@dataclass(frozen=True, kw_only=True)
class CreditNoteDraft(SalesDraft):
    """What a drafted credit note shall become as a whole; see `SalesDraft`.

    To credit a part, start `from_credit_note` and lower quantities or leave lines out; lines
    that stay carry their ids.
    """

    credit_date: date
    due_date: date

    @classmethod
    def from_credit_note(cls, note: "CreditNote") -> Self:
        """Start from what Bokio has, so that an update changes no more than it means to."""
        return cls(
            **draft_fields(note),
            credit_date=note.credit_date,
            due_date=note.due_date or note.credit_date,
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes beside the id; empty parts are left out."""
        return self._shared_json() | {"creditDate": self.credit_date, "dueDate": self.due_date}


@dataclass(frozen=True, kw_only=True)
class CreditNote(SalesDocument):
    """A credit note as Bokio has it; see `SalesDocument`.

    `invoice_id` and `invoice_number` name the invoice that it takes back.
    """

    credit_date: date
    invoice_id: UUID | None
    invoice_number: str

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends. An answer without state, day or total is no credit note."""
        read = Fields(data)
        invoice = read.part("invoiceRef", Fields) or Fields({})
        return cls(
            **shared_fields(read),
            credit_date=read.day("creditDate"),
            invoice_id=invoice.uuid_or_none("id"),
            invoice_number=invoice.identifier("invoiceNumber") or "",
            extra=read.rest(),
        )


class CreditNotes(Resource):
    """`/credit-notes`; a new one comes from `invoices.credit`."""

    def get(self, note_id: UUID) -> CreditNote:
        """Fetch one credit note. Repeatable. Needs scope `credit-notes:read`."""
        return self._get("get-credit-note-v1", _one(note_id), same(CreditNote.from_json, note_id))

    def find(self, where: Filter | None = None) -> Found[CreditNote]:
        """Fetch the credit notes that a filter lets through, page by page as they are taken.

        Filters: `metadata.<key>`, `status`, `type`, `customerRef`, `currency`, `totalAmount`,
        `invoiceDate`, `dueDate` and the four references; not the invoice that is taken back.
        Repeatable. Needs scope `credit-notes:read`.
        """
        return self._pages(
            "list-credit-notes-v1", "credit-notes", CreditNote.from_json, where=where
        )

    def update(self, note_id: UUID, draft: CreditNoteDraft) -> CreditNote:
        """Replace a draft as a whole, metadata too; this is how a part is credited.

        Repeatable. `StateRefused` once published. Needs scope `credit-notes:write`.
        """
        body = draft.to_json() | {"id": note_id}
        parse = same(CreditNote.from_json, note_id)
        return self._put("update-credit-note-v1", _one(note_id), parse, body)

    def delete(self, note_id: UUID) -> None:
        """Delete a draft.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done. `StateRefused` once
        published. Needs scope `credit-notes:write`.
        """
        self._delete("delete-credit-note-with-id", _one(note_id))

    def publish(self, note_id: UUID) -> CreditNote:
        """Have Bokio give the draft its number; from then on it lowers what the invoice is owed.

        Cannot be undone. Not repeatable: a second call is refused. After `OutcomeUnknown` or
        `StateRefused`, `get` the note: another status than `draft` means that it is done.
        Needs scope `credit-notes:write`.
        """
        parse = same(CreditNote.from_json, note_id)
        return self._post("publish-credit-note-v1", f"{_one(note_id)}/publish", parse)

    def record(self, note_id: UUID) -> CreditNote:
        """Have Bokio make the journal entry of a published credit note.

        Not repeatable: a second call is refused. After `OutcomeUnknown` or `StateRefused`, `get`
        the note: a `journal_entry_id` means that it is done, by us or by the company's own
        settings. Needs scope `credit-notes:write`.
        """
        parse = same(CreditNote.from_json, note_id)
        return self._post("record-credit-note-with-id", f"{_one(note_id)}/record", parse)

    def download(self, note_id: UUID) -> bytes:
        """Fetch a published credit note as a PDF.

        Repeatable. `StateRefused` for a draft. Needs scope `credit-notes:read`.
        """
        return self._download("download-credit-note", f"{_one(note_id)}/download")

    def download_into(self, note_id: UUID, file: BinaryIO) -> ReceivedFile:
        """Like `download`, piece by piece into a binary file."""
        return self._download_into("download-credit-note", f"{_one(note_id)}/download", file)


def _one(note_id: UUID) -> str:
    return f"credit-notes/{note_id}"
