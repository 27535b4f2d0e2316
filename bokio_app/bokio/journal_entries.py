"""Journal entries: what stands in the books."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same


@dataclass(frozen=True)
class JournalRow:
    """One row of an entry; amounts in SEK, one of them zero."""

    account: int
    debit: Decimal
    credit: Decimal

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; an amount left out is zero."""
        read = Fields(data)
        return cls(
            account=read.integer("account"),
            debit=read.number("debit", Decimal(0)),
            credit=read.number("credit", Decimal(0)),
        )


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """An entry with its number, such as `V342`. `reversing` names the entry it takes back,
    `reversed_by` the one that took this back."""

    id: UUID
    number: str
    title: str
    date: date | None
    items: tuple[JournalRow, ...]
    reversing: UUID | None
    reversed_by: UUID | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            number=read.identifier("journalEntryNumber") or "",
            title=read.text("title"),
            date=read.day_or_none("date"),
            items=read.rows("items", JournalRow.from_json),
            reversing=read.uuid_or_none("reversingJournalEntryId"),
            reversed_by=read.uuid_or_none("reversedByJournalEntryId"),
            extra=read.rest(),
        )


class JournalEntries(Resource):
    """`/journal-entries`"""

    def get(self, entry_id: UUID) -> JournalEntry:
        """Fetch one entry. Repeatable. Needs scope `journal-entries:read`."""
        parse = same(JournalEntry.from_json, entry_id)
        return self._get("get-journalentries-journalId", f"journal-entries/{entry_id}", parse)

    def find(
        self, where: Filter | None = None, *, tag_id: UUID | None = None
    ) -> Iterator[JournalEntry]:
        """Fetch the entries that a filter lets through, page by page as they are taken.

        Filters: `title`, `journalEntryNumber`, `date`, `reversingJournalEntryId`,
        `reversedByJournalEntryId`; a tag goes by itself.
        Repeatable. Needs scope `journal-entries:read`.
        """
        query = {"tagId": str(tag_id)} if tag_id else None
        return self._pages(
            "get-journalentry", "journal-entries", JournalEntry.from_json, where=where, query=query
        )
