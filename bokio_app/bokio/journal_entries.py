"""Journal entries: what stands in the books. Never edited, only reversed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from bokio_app.bokio.amounts import exact, two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Parse, Resource, same
from bokio_app.bokio.wire import BodyError


@dataclass(frozen=True)
class EntryTag:
    """A tag on an entry or on one of its rows; only `tag_id` and `weight` are sent.

    `weight` is the share that the tag takes, over 0 and up to 1; the shares of one group sum to
    1 at most. The names come from Bokio.
    """

    tag_id: UUID
    weight: Decimal = Decimal(1)
    name: str = ""
    group_id: UUID | None = None
    group_name: str = ""

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            tag_id=read.uuid("tagId"),
            weight=read.number("weight", Decimal(1)),
            name=read.text("tagName"),
            group_id=read.uuid_or_none("tagGroupId"),
            group_name=read.text("tagGroupName"),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` for another weight."""
        if not 0 < exact(self.weight) <= 1:
            raise Unsendable("the weight of a tag is over 0 and at most 1")
        return {"tagId": self.tag_id, "weight": self.weight}


@dataclass(frozen=True)
class JournalRow:
    """One row of an entry; amounts in SEK, one of them zero. `id` and `extra` come from Bokio."""

    account: int
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    tags: tuple[EntryTag, ...] = ()
    id: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; an amount left out is zero."""
        read = Fields(data)
        return cls(
            account=read.integer("account"),
            debit=read.number("debit", Decimal(0)),
            credit=read.number("credit", Decimal(0)),
            tags=read.rows("tags", EntryTag.from_json),
            id=read.identifier("id"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` unless it is a debit or a credit."""
        if min(two_decimals(self.debit), two_decimals(self.credit)) < 0:
            raise Unsendable("the amounts of a journal entry are not negative")
        if bool(self.debit) == bool(self.credit):
            raise Unsendable("a row of a journal entry is either a debit or a credit")
        row: dict[str, object] = {
            "account": self.account,
            "debit": self.debit,
            "credit": self.credit,
        }
        return row | ({"tags": _written(self.tags)} if self.tags else {})


@dataclass(frozen=True, kw_only=True)
class JournalEntryDraft:
    """An entry to make. Debit equals credit; tags stand on the entry or on rows, never on both.

    The day is in an open fiscal year and at most two business days ahead, which Bokio checks.
    A document is connected afterwards, by an upload that names the entry.
    Raises `Unsendable` when the rest is broken.
    """

    title: str
    date: date
    items: tuple[JournalRow, ...]
    tags: tuple[EntryTag, ...] = ()

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise Unsendable("a journal entry has a title")
        rows = [each.to_json() for each in self.items]
        if not rows:
            raise Unsendable("a journal entry has rows")
        if sum(each.debit for each in self.items) != sum(each.credit for each in self.items):
            raise Unsendable("debit and credit of a journal entry differ")
        if self.tags and any("tags" in each for each in rows):
            raise Unsendable("tags stand on a journal entry or on its rows, not on both")
        _written(self.tags)

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes."""
        body: dict[str, object] = {
            "title": self.title,
            "date": self.date,
            "items": [each.to_json() for each in self.items],
        }
        return body | ({"tags": _written(self.tags)} if self.tags else {})


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """An entry with its number, such as `V342`. `reversing` names the entry it takes back,
    `reversed_by` the one that took this back. `tags` are those of the entry as a whole."""

    id: UUID
    number: str
    title: str
    date: date | None
    items: tuple[JournalRow, ...]
    reversing: UUID | None
    reversed_by: UUID | None
    tags: tuple[EntryTag, ...] = ()
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
            tags=read.rows("tags", EntryTag.from_json),
            extra=read.rest(),
        )


class JournalEntries(Resource):
    """`/journal-entries`"""

    def create(self, draft: JournalEntryDraft) -> JournalEntry:
        """Make an entry of our own in the books. It cannot be deleted, only reversed.

        **Not repeatable: a second call books twice.** Put a mark of your own into the title;
        after `OutcomeUnknown`, ask `find` for the same day and a `title` that contains it.
        Needs scope `journal-entries:write`.
        """
        parse = JournalEntry.from_json
        return self._post("post-journalentry", "journal-entries", parse, draft.to_json())

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
        Repeatable. Needs scope `journal-entries:read`, and for a tag a plan with tags.
        """
        query = {"tagId": str(tag_id)} if tag_id else None
        return self._pages(
            "get-journalentry", "journal-entries", JournalEntry.from_json, where=where, query=query
        )

    def reverse(self, entry_id: UUID) -> JournalEntry:
        """Take an entry back by another one with its sides exchanged, and return that one.

        Only entries made through the API, of no invoice, in an open year and not reversed yet.
        Not repeatable: a second call is refused. After `OutcomeUnknown` or `StateRefused`, `get`
        the entry: `reversed_by` means that it is done. Needs scope `journal-entries:write`.
        """
        path, parse = f"journal-entries/{entry_id}/reverse", _reversal_of(entry_id)
        return self._post("reverse-journalentry", path, parse)

    def set_tags(
        self,
        entry_id: UUID,
        tags: Sequence[EntryTag] = (),
        *,
        rows: Mapping[str, Sequence[EntryTag]] | None = None,
    ) -> JournalEntry:
        """Replace all tags of an entry: by `tags` on the whole, by `rows` (a row's id and its
        tags), or, with neither, by none. Rows not named lose theirs.

        Repeatable. Raises `Unsendable` when both are given. Needs scope `journal-entries:write`
        and a plan with tags.
        """
        if tags and rows:
            raise Unsendable("tags stand on a journal entry or on its rows, not on both")
        body = {
            "tags": _written(tags),
            "items": [
                {"id": _row_number(row_id), "tags": _written(each)}
                for row_id, each in (rows or {}).items()
            ],
        }
        path, parse = f"journal-entries/{entry_id}/tags", same(JournalEntry.from_json, entry_id)
        return self._put("put-journalentry-tags", path, parse, body)


def _written(tags: Sequence[EntryTag]) -> list[dict[str, object]]:
    """Write tags that stand in one place; where groups are known, their shares are checked."""
    shares: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    written = [each.to_json() for each in tags]
    for each in tags:
        if each.group_id is not None:
            shares[each.group_id] += each.weight
    if any(share > 1 for share in shares.values()):
        raise Unsendable("the weights of a tag group sum to at most 1")
    return written


def _row_number(row_id: str) -> int:
    if not row_id.isdecimal():
        raise Unsendable("the id of a journal row is a number")
    return int(row_id)


def _reversal_of(entry_id: UUID) -> Parse[JournalEntry]:
    """Make a parser that refuses the reversed entry itself, and a reversal of another one."""

    def checked(data: object) -> JournalEntry:
        found = JournalEntry.from_json(data)
        if found.id == entry_id or found.reversing not in {None, entry_id}:
            raise BodyError("the answer is not the reversal of the entry")
        return found

    return checked
