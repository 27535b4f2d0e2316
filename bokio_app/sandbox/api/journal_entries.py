"""Journal entries: list, read, write, reverse, tag."""

import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from bokio_app.sandbox import clock, entries, plans, refusals, tagging
from bokio_app.sandbox.api import lists, shapes, uploads
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.ledger import LONGEST_TITLE, Row
from bokio_app.sandbox.models import EntryTag, JournalEntry
from bokio_app.sandbox.refusals import FieldError
from bokio_app.sandbox.tagging import Use

PROPERTIES = {
    "title": lists.text("title"),
    "journalEntryNumber": lists.text("shown_number"),
    "date": lists.day("date"),
    "reversingJournalEntryId": lists.identity("reversing"),
    "reversedByJournalEntryId": lists.identity("reversed_by"),
}
ENTRIES = "/journal-entries"
ENTRY = "/journal-entries/{journalEntryId}"
_NUMBER = re.compile(r"V([1-9]\d{0,8})\Z", re.ASCII)


@operation("GET", ENTRIES, "get-journalentry", scope="journal-entries:read")
def journal_entries(context: Context) -> object:
    query = context.call.query
    if query.get("tagId") and not plans.TAGS.open_to(context.company):
        return plans.TAGS.refused(context.company)
    rows = lists.filtered(
        _tagged(context, query.get("tagId", "")).alias(
            shown_number=Concat(Value("V"), Cast("number", TextField()))
        ),
        query.get("query", ""),
        PROPERTIES,
        _by_number,
    )
    return lists.page(shapes.whole_entries(rows), query, shapes.journal_entry)


def _tagged(context: Context, tag_id: str) -> QuerySet[JournalEntry]:
    """The company's entries: all, or those that bear the tag themselves or on an item."""
    rows = context.company.entries.all()
    if not tag_id:
        return rows
    try:
        uses = EntryTag.objects.filter(tag__uuid=uuid.UUID(tag_id))
    except ValueError:
        raise refusals.invalid(
            [FieldError("tagId", "The tagId parameter must be a UUID")]
        ) from None
    return rows.filter(pk__in=uses.values("entry"))


def _by_number(name: str, operator: str, value: str) -> Q | None:
    """Equal or not to a shown number such as `V342`, by way of the indexed one."""
    if name != "journalEntryNumber" or operator not in ("==", "!="):
        return None
    found = _NUMBER.match(value)
    equal = Q(number=int(found[1])) if found else Q(pk__in=())
    return equal if operator == "==" else ~equal


@operation("GET", ENTRY, "get-journalentries-journalId", scope="journal-entries:read")
def journal_entry(context: Context) -> object:
    return shapes.journal_entry(_find(context, shapes.whole_entries(context.company.entries.all())))


def find(context: Context) -> JournalEntry:
    """The entry of the path, without its items."""
    return _find(context, context.company.entries.select_related("company"))


def _find(context: Context, rows: QuerySet[JournalEntry]) -> JournalEntry:
    entry_id = context.id("journalEntryId", "journal entry")
    row = rows.filter(uuid=entry_id).first()
    if row is None:
        raise refusals.not_found("journal entry", entry_id)
    return row


def _shown(row: JournalEntry) -> shapes.Json:
    return shapes.journal_entry(shapes.whole_entries(JournalEntry.objects.all()).get(pk=row.pk))


@operation("POST", ENTRIES, "post-journalentry", scope="journal-entries:write", creates=True)
def create(context: Context) -> object:
    body = Reader(context.body())
    body.read_only("id", "journalEntryNumber", "reversingJournalEntryId")
    body.read_only("reversedByJournalEntryId")
    title = body.text("title", required=True, longest=LONGEST_TITLE)
    day = body.day("date") or clock.today()
    if day > entries.latest_day():
        body.note("date", f"The date may be {entries.latest_day()} at the latest")
    tags = tagging.Tags(context.company)
    whole = tags.read(body)
    rows, uses = _items(context, body, tags)
    upload_id = body.reference("uploadRef")
    if tags.named and not plans.TAGS.open_to(context.company):
        return plans.TAGS.refused(context.company)
    body.finish()
    _require_one_level(whole, uses)
    upload = uploads.find_free(context, upload_id, "#/uploadRef/id") if upload_id else None
    entry = entries.write(context.company, title=title, day=day, rows=rows, by=context.application)
    if whole or any(uses):
        keys = entry.items.order_by("id").values_list("pk", flat=True)
        tagging.put(entry, whole=whole, items=dict(zip(keys, uses, strict=True)))
    if upload:
        upload.entry = entry
        upload.save(update_fields=["entry"])
    return _shown(entry)


def _items(context: Context, body: Reader, tags: tagging.Tags) -> tuple[list[Row], list[list[Use]]]:
    """The rows of the entry, and beside each its tags. Notes accounts and sums that are wrong."""
    accounts = frozenset(context.company.accounts.values_list("number", flat=True))
    before = len(body.errors)
    rows: list[Row] = []
    uses: list[list[Use]] = []
    for item in body.objects("items", required=True):
        rows.append(_row(item, accounts))
        uses.append(tags.read(item))
        item.done()
    if len(body.errors) == before and sum((row.debit for row in rows), Decimal(0)) != 0:
        body.note("items", "The debits and the credits must add up to the same")
    return rows, uses


def _row(item: Reader, accounts: frozenset[int]) -> Row:
    item.read_only("id")
    account = item.integer("account", required=True)
    if account is not None and account not in accounts:
        item.note("account", f"The account {account} does not exist")
    sides = {name: item.number(name, decimals=2) for name in ("debit", "credit")}
    for name, amount in sides.items():
        if amount < 0:
            item.note(name, f"The {name} field may not be negative")
    if all(sides.values()) or not any(sides.values()):
        item.note("debit", "Each item must have either a debit or a credit")
    return Row(account or 0, sides["debit"] - sides["credit"])


def _require_one_level(whole: Sequence[Use], items: Sequence[Sequence[Use]]) -> None:
    if whole and any(items):
        raise refusals.against_rules("Tags belong to the journal entry or to its items, not both")


@operation(
    "POST", f"{ENTRY}/reverse", "reverse-journalentry", scope="journal-entries:write", creates=True
)
def reverse(context: Context) -> object:
    return _shown(entries.reverse(find(context), by=context.application))


@operation("PUT", f"{ENTRY}/tags", "put-journalentry-tags", scope="journal-entries:write")
def put_tags(context: Context) -> object:
    row = find(context)
    body = Reader(context.body())
    tags = tagging.Tags(context.company)
    whole = tags.read(body)
    items = _tags_of_items(row, body, tags)
    body.finish()
    _require_one_level(whole, list(items.values()))
    tagging.put(row, whole=whole, items=items)
    return _shown(row)


def _tags_of_items(
    entry: JournalEntry, body: Reader, tags: tagging.Tags
) -> Mapping[int, Sequence[Use]]:
    known = frozenset(entry.items.values_list("pk", flat=True))
    uses: dict[int, Sequence[Use]] = {}
    for item in body.objects("items"):
        key = item.integer("id", required=True)
        if key is not None and (key not in known or key in uses):
            item.note("id", f"The journal entry has no item {key}, or it was named before")
        if not item.given("tags"):
            item.note("tags", "The tags field is required")
        uses[key or 0] = tags.read(item)
        item.done()
    return uses
