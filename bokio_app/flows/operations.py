"""What a step can do at Bokio, and how to find out whether it was done.

Folders above subclass `Operation`, one class per remote operation, and `register` them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .references import short_reference

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import Model
    from django_stubs_ext import StrPromise

    from bokio_app.bokio.client import Bokio

    from .models import Flow, Step


@dataclass(frozen=True)
class Done:
    """The step's effect exists. `result` is what later steps and pages need of it; `read` is
    what `apply` takes into our own rows, and is not kept with the step.
    """

    result: dict[str, Any]
    remote_id: str = ""
    read: Any = None


@dataclass(frozen=True)
class Absent:
    """Nothing of the kind was seen at Bokio."""


@dataclass(frozen=True)
class Ambiguous:
    """Bokio holds something that may or may not be this step's effect: a person decides."""

    why: str
    evidence: list[dict[str, Any]] = field(default_factory=list)


Proof = Done | Absent | Ambiguous


@dataclass(frozen=True)
class StepContext:
    """What an operation may know: its step, its flow, the results of the steps before, and all
    steps as the worker holds them.
    """

    flow: Flow
    step: Step
    results: Mapping[str, Mapping[str, Any]]
    steps: Sequence[Step] = ()

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.step.payload)

    @property
    def reference(self) -> str:
        """The step's mark where Bokio keeps no metadata, such as `ref ACDE3467`."""
        return short_reference(self.step.op_key)

    def result(self, op: str, key: str) -> str:
        """A value from the result of an earlier step, else from this step's own payload."""
        return str(self.results.get(op, {}).get(key) or self.step.payload[key])


@dataclass(frozen=True)
class Change:
    """New values for one of our own rows, written in the statement that marks the step done.

    With `held`, a row of another table is locked first, so that a reading that compares at this
    moment waits or is waited for. `copy` says by which values another row would be the same
    thing, met and kept by a reading before its answer was found: such a row goes.
    """

    model: type[Model]
    pk: Any
    fields: Mapping[str, Any]
    held: tuple[type[Model], Any] | None = None
    copy: Mapping[str, Any] | None = None


class Operation(ABC):
    """One remote operation. `send` is called at most once per committed intent."""

    name: ClassVar[str]
    label: ClassVar[StrPromise]
    scopes: ClassVar[tuple[str, ...]] = ()  # of Bokio, to do it and to prove it
    object_type: ClassVar[str] = ""
    irreversible: ClassVar[bool] = False
    looks_first: ClassVar[bool] = False
    reads_only: ClassVar[bool] = False
    meets_others: ClassVar[bool] = False  # asked again at the address, see `is_overtaken`
    sends_file: ClassVar[bool] = False  # which may take longer than other calls
    by_filter: ClassVar[bool] = False  # proven by a filter, whose index may lag behind the books
    referenced: ClassVar[bool] = False  # its short reference is kept free of twins

    def skip(self, ctx: StepContext) -> str:
        """Why there is nothing to do, judged from our own copy alone; empty when there is."""
        return ""

    def waits_for(self, ctx: StepContext) -> str:
        """A `WaitReason` while other work must end first; empty when free to go."""
        return ""

    def is_overtaken(self, ctx: StepContext) -> bool:
        """With `meets_others`: whether something has come, since the ids in `baseline` were read,
        that may be what this step is about to make. Asked while the address is held, as `skip` and
        `waits_for` are once more; the step then looks again before it is sent.
        """
        return False

    def known_before(self, ctx: StepContext) -> list[str] | None:
        """With `looks_first`: the ids that exist now, when our own rows prove them without a call
        (an invoice that this very flow made has nothing yet); None when they must be read.
        """
        return None

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        """With `looks_first`: read before the first sending. What exists already is adopted;
        else the ids that exist now are remembered, so that a proof does not take them for ours.
        """
        raise NotImplementedError(self.name, ctx, bokio)

    def address(self, ctx: StepContext) -> str:
        """Method and path, below the company's, of the one write that `send` makes."""
        raise NotImplementedError(self.name, ctx)

    @abstractmethod
    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        """Carry it out: exactly one call to Bokio (any number, when `reads_only`)."""

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """After an unknown outcome: read whether an earlier attempt took effect."""
        raise NotImplementedError(self.name, ctx, bokio)

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        """With an `object_type`: read the thing that a person takes for the step's effect, and
        compare it with the payload. Raises `NotFound`.
        """
        raise NotImplementedError(self.name, ctx, bokio, remote_id)

    def prove_anew(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """After a restore: `prove` for a step that may have been carried out although its row,
        with whatever was noted before sending, says nothing of it.
        """
        return self.prove(ctx, bokio)

    def changes(self, ctx: StepContext, done: Done) -> Sequence[Change]:
        """What the effect changes in single rows of ours whose keys are known."""
        return ()

    def apply(self, ctx: StepContext, done: Done) -> None:  # noqa: B027  most reads keep nothing
        """Whatever more it changes there, inside the transaction that marks the step done."""


OPERATIONS: dict[str, Operation] = {}
KINDS: dict[str, StrPromise] = {}

Op = TypeVar("Op", bound=type[Operation])


def register(operation: Op) -> Op:
    """Class decorator: make the operation known under its name."""
    if operation.name in OPERATIONS:
        raise ValueError(f"Two operations are named {operation.name}.")
    if not operation.reads_only and operation.address is Operation.address:
        raise TypeError(f"{operation.name} does not say where it writes.")
    OPERATIONS[operation.name] = operation()
    return operation


def reads_only(ops: Iterable[str]) -> bool:
    """Whether these do nothing at Bokio. If nobody asked for it either, the audit trail, which
    says who did what, has no line of it.
    """
    return all(OPERATIONS[op].reads_only for op in ops)


def register_kind(name: str, label: StrPromise) -> str:
    """Name a kind of flow for pages and logs; returns the name."""
    KINDS[name] = label
    return name


ALREADY_RECORDED = "already_recorded"  # why a step was skipped: Bokio did it with the one before


def entry_of(journal_entry_id: UUID | None) -> dict[str, Any]:
    """The part of a result that says that Bokio has recorded the thing of its own accord."""
    return {"journal_entry_id": str(journal_entry_id)} if journal_entry_id else {}


def equal_or_unclear(done: Done, *, equal: bool, why: str) -> Proof:
    """The proof that one thing gives: this one if it is as the payload wants it, or a person."""
    return done if equal else Ambiguous(why, [dict(done.result)])


def exactly_one(candidates: Iterable[Done], *, what: str) -> Proof:
    """The proof that a list of equal-looking objects gives: none, this one, or a person."""
    found = list(candidates)
    if not found:
        return Absent()
    if len(found) == 1:
        return found[0]
    return Ambiguous(f"{len(found)} × {what}", [dict(done.result) for done in found])
