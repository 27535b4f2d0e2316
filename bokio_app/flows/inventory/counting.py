"""How things of one type are counted: by our own marks, many in a call, and held against rows.

Folders above subclass `Inventory` or `Marked`, one class per type of thing, and `register` them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import Filter
from bokio_app.connections.models import Connection
from bokio_app.flows.models import RemoteBinding, Step, StepState
from bokio_app.flows.references import short_reference

from .rows import Finding

MARKS_PER_CALL = 25  # joined in one address, well within what servers take

Facts = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A thing at Bokio that carries a mark of ours. `facts` is what is compared of it."""

    remote_id: str
    mark: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A thing that is not as our rows say; see `Finding`."""

    kind: str
    object_type: str
    remote_id: str
    step: Step | None
    wanted: Facts
    seen: Facts


class Inventory(ABC):
    """Things of one type: which steps make them, and how Bokio is asked for them.

    At most one read for each step that is counted, in the quiet case far fewer.
    """

    object_type: ClassVar[str]
    ops: ClassVar[tuple[str, ...]]

    def parts(self, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
        """What to count, in pieces of about one call: each the payload of a reading step."""
        for start in range(0, len(steps), MARKS_PER_CALL):
            yield {"steps": [step.pk for step in steps[start : start + MARKS_PER_CALL]]}

    @abstractmethod
    def differences(
        self, connection: Connection, part: dict[str, Any], bokio: Bokio
    ) -> Iterator[Difference]:
        """Read one part and hold it against our rows."""


class Marked(Inventory):
    """Things that carry the short reference of the step that made them."""

    @abstractmethod
    def find(self, bokio: Bokio, steps: Sequence[Step]) -> Iterator[Seen]:
        """Everything at Bokio that carries the mark of one of the steps."""

    def wanted(self, step: Step) -> Facts:
        """What is compared of the step's own thing."""
        return {}

    def differences(
        self, connection: Connection, part: dict[str, Any], bokio: Bokio
    ) -> Iterator[Difference]:
        steps = list(Step.objects.filter(pk__in=part["steps"]))
        marks = {short_reference(step.op_key): step for step in steps}
        found: dict[str, list[Seen]] = defaultdict(list)
        for seen in self.find(bokio, steps):
            found[seen.mark].append(seen)
        for mark, step in marks.items():
            wanted = self.wanted(step)
            yield from compare(connection, step, found[mark], wanted, object_type=self.object_type)


def compare(
    connection: Connection, step: Step, found: Sequence[Seen], wanted: Facts, *, object_type: str
) -> Iterator[Difference]:
    """Hold what was found of a step's against its row: things that are too many, the one that
    has other facts than wanted, or is not there.
    """

    def difference(kind: Finding.Kind, remote_id: str, seen: Facts) -> Difference:
        return Difference(kind, object_type, remote_id, step, wanted, seen)

    mine = step.remote_id if step.state == StepState.DONE else ""
    ours = [each for each in found if each.remote_id == mine]
    others = unbound(connection, object_type, [each for each in found if each.remote_id != mine])
    # A person who has handled a step in Bokio may have kept what an attempt of it had made.
    allowed = 1 if step.state == StepState.SKIPPED else 0
    for each in others[allowed:]:
        yield difference(Finding.Kind.SURPLUS, each.remote_id, each.facts)
    for each in ours:
        if any(each.facts.get(key) != value for key, value in wanted.items()):
            yield difference(Finding.Kind.CHANGED, mine, each.facts)
    if mine and not ours:
        yield difference(Finding.Kind.VANISHED, mine, {})


def unbound(connection: Connection, object_type: str, found: Sequence[Seen]) -> list[Seen]:
    """Those that are no other step's."""
    if not found:
        return []
    ids = [each.remote_id for each in found]
    bound = RemoteBinding.objects.filter(
        connection=connection, object_type=object_type, remote_id__in=ids
    )
    taken = set(bound.values_list("remote_id", flat=True))
    return [each for each in found if each.remote_id not in taken]


def any_of(conditions: Sequence[Filter]) -> Filter:
    """Conditions joined by *or*; there must be one."""
    joined, *others = conditions
    for each in others:
        joined |= each
    return joined


INVENTORIES: dict[str, Inventory] = {}

Kind = TypeVar("Kind", bound=type[Inventory])


def register(inventory: Kind) -> Kind:
    """Class decorator: count these things too."""
    if inventory.object_type in INVENTORIES:
        raise ValueError(f"Two inventories count {inventory.object_type}.")
    INVENTORIES[inventory.object_type] = inventory()
    return inventory
