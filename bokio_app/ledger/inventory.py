"""Counting the journal entries and vouchers that our steps have made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.flows.inventory.counting import Marked, Seen, any_of, register
from bokio_app.flows.models import Step
from bokio_app.flows.references import references_in, short_reference

from .flows import UploadVoucher, WriteJournalEntry


@register
class JournalEntries(Marked):
    """By the reference in their title. Entries are never changed, so nothing is compared."""

    object_type = WriteJournalEntry.object_type
    ops = (WriteJournalEntry.name,)

    def find(self, bokio: Bokio, steps: Sequence[Step]) -> Iterator[Seen]:
        marks = [short_reference(step.op_key) for step in steps]
        for each in bokio.journal_entries.find(any_of([F("title").contains(m) for m in marks])):
            if each.reversing is None:  # a reversal may quote the title of what it takes back
                yield Seen(str(each.id), references_in(each.title)[-1])


@register
class Vouchers(Marked):
    """By the reference in their description."""

    object_type = UploadVoucher.object_type
    ops = (UploadVoucher.name,)

    def find(self, bokio: Bokio, steps: Sequence[Step]) -> Iterator[Seen]:
        marks = [short_reference(step.op_key) for step in steps]
        where = any_of([F("description").contains(mark) for mark in marks])
        for each in bokio.uploads.find(where):
            yield Seen(str(each.id), references_in(each.description)[-1])
