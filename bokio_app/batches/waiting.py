"""Waiting until accepted lines have come to rest, with little in memory."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from django.db.models import Prefetch

from bokio_app.flows.models import Step
from bokio_app.flows.standin import work_here

from .models import BulkLine
from .outcomes import AT_REST, Outcome, outcomes_of

GROUP = 200
LOOK_EVERY = 0.5


@dataclass
class Kept:
    """Accepted lines: their numbers in the file and the ids of their rows, 16 bytes each."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, line: BulkLine) -> None:
        self.numbers.append(number)
        self.rows.append(line.pk)

    def groups(self) -> Iterator[list[tuple[int, int]]]:
        """Numbers with ids, in the order of the file."""
        for start in range(0, len(self.rows), GROUP):
            end = start + GROUP
            yield [*zip(self.numbers[start:end], self.rows[start:end], strict=True)]


def until_at_rest(kept: Kept, *, interrupted: threading.Event) -> Iterator[Outcome]:
    """The outcome of every line, in the order of the file, each once it has come to rest.

    Ends early when `interrupted`. Where no worker can run, the flows are run here.
    """
    for group in kept.groups():
        left = group
        while left and not interrupted.is_set():
            ended = _ended(left)
            yield from ended
            left = left[len(ended) :]
            if left and not work_here(stop=interrupted.is_set):
                interrupted.wait(LOOK_EVERY)


def outcomes_now(kept: Kept) -> Iterator[Outcome]:
    """The outcome of every line as it stands."""
    for group in kept.groups():
        yield from outcomes_of(_rows(group))


def _ended(left: Sequence[tuple[int, int]]) -> list[Outcome]:
    """The outcomes from the first line on, up to one that is not at rest."""
    rows = BulkLine.objects.filter(pk__in=[row for _number, row in left])
    states = dict(rows.values_list("pk", "flow__state"))
    ended = [*takewhile(lambda each: states[each[1]] in AT_REST, left)]
    return [*outcomes_of(_rows(ended))] if ended else []


def _rows(group: Sequence[tuple[int, int]]) -> list[tuple[int, BulkLine]]:
    steps = Prefetch("flow__steps", Step.objects.order_by("pos"))
    found = (
        BulkLine.objects.select_related("flow", "invoice__customer")
        .prefetch_related(steps)
        .in_bulk([row for _number, row in group])
    )
    return [(number, found[row]) for number, row in group]
