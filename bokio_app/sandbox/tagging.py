"""Tags on journal entries and their items, and the shares in which they count."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.models import Company, EntryTag, JournalEntry, Tag

DECIMALS_OF_A_WEIGHT = 6


@dataclass(frozen=True)
class Use:
    """A tag and its share of what it is put on: above 0, at most 1."""

    tag: Tag
    weight: Decimal


class Tags:
    """The tags of a company, looked up once and only if a request names one.

    `named` tells whether one was named in all that was read, be it known or not.
    """

    def __init__(self, company: Company) -> None:
        self._company = company
        self.named = False

    @cached_property
    def _known(self) -> dict[uuid.UUID, Tag]:
        rows = Tag.objects.filter(group__company=self._company)
        return {row.uuid: row for row in rows}

    def read(self, body: Reader) -> list[Use]:
        """The uses in the `tags` of an entry or an item.

        Notes tags that the company does not have, and weights of a group that exceed 1 together.
        """
        uses: list[Use] = []
        sums: dict[int, Decimal] = {}
        for one in body.objects("tags"):
            self.named = True
            use = self._use(one)
            if use:
                uses.append(use)
                group = use.tag.group_id
                sums[group] = sums.get(group, Decimal(0)) + use.weight
        if any(share > 1 for share in sums.values()):
            body.note("tags", "The weights of one tag group may add up to 1 at most")
        return uses

    def _use(self, body: Reader) -> Use | None:
        body.read_only("tagGroupId", "tagName", "tagGroupName")
        tag_id = body.identity("tagId", required=True)
        weight = body.number("weight", required=True, decimals=DECIMALS_OF_A_WEIGHT)
        if body.sound("weight") and not 0 < weight <= 1:
            body.note("weight", "The weight must be more than 0 and at most 1")
        body.done()
        if tag_id is None:
            return None
        tag = self._known.get(tag_id)
        if tag is None:
            body.note("tagId", f"There is no tag {tag_id}")
            return None
        return Use(tag, weight)


def put(
    entry: JournalEntry, *, whole: Sequence[Use], items: Mapping[int, Sequence[Use]] | None = None
) -> None:
    """Replace all tags: those of the `whole` entry, and those of items by their key."""
    entry.tags.all().delete()
    EntryTag.objects.bulk_create(
        EntryTag(entry=entry, item_id=item, tag=use.tag, weight=use.weight)
        for item, use in _each(whole, items or {})
    )


def _each(
    whole: Sequence[Use], items: Mapping[int, Sequence[Use]]
) -> Iterator[tuple[int | None, Use]]:
    for use in whole:
        yield None, use
    for item, uses in items.items():
        for use in uses:
            yield item, use


def copy(source: JournalEntry, target: JournalEntry) -> None:
    """Put the tags of one entry on another whose items come in the same order."""
    keys, twins = (
        entry.items.order_by("id").values_list("pk", flat=True) for entry in (source, target)
    )
    twin: dict[int | None, int | None] = {None: None, **dict(zip(keys, twins, strict=True))}
    EntryTag.objects.bulk_create(
        EntryTag(entry=target, item_id=twin[use.item_id], tag_id=use.tag_id, weight=use.weight)
        for use in source.tags.all()
    )
