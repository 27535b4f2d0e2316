"""Operations that look alike whatever they work on: replace an object as a whole, delete one."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotFound, Unsendable

from .models import RemoteBinding
from .operations import Absent, Ambiguous, Done, Operation, Proof, StepContext, exactly_one

GONE = "not-found"  # Bokio's own code; a gateway's bare 404 says nothing about the object

Found = TypeVar("Found")
Json = Mapping[str, object]


class Replace(Operation, Generic[Found]):
    """Give an object at Bokio, which exists, the content of the payload as a whole.

    What was there is remembered as a fingerprint before sending. Afterwards there are three
    cases: it is as wanted (done), still as it was (not carried out), or something else, which a
    person has made of it meanwhile. With `seen` in the payload (the fingerprint of what the
    person here had before them), nothing is sent over a change that they have not seen.
    """

    looks_first = True
    clearable: ClassVar[frozenset[str]] = frozenset()  # parts that count even where we leave none

    @abstractmethod
    def read(self, ctx: StepContext, bokio: Bokio) -> Found:
        """The object as Bokio has it."""

    @abstractmethod
    def put(self, ctx: StepContext, bokio: Bokio) -> Found:
        """Send it as a whole, with one call."""

    @abstractmethod
    def wanted(self, ctx: StepContext) -> Json:
        """What the payload makes of it, as it goes to Bokio."""

    @abstractmethod
    def held(self, found: Found) -> Json:
        """What Bokio has, in the same form."""

    @abstractmethod
    def done(self, found: Found) -> Done:
        """The result, once it is as wanted."""

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        found = self.read(ctx, bokio)
        if self._fits(ctx, found):
            return self.done(found)
        mark, seen = fingerprint(self.held(found)), ctx.payload.get("seen")
        if seen and seen != mark:
            raise Unsendable("Somebody changed it in Bokio meanwhile.", code="changed-meanwhile")
        return [mark]

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return self.done(self.put(ctx, bokio))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        found = self.read(ctx, bokio)
        if self._fits(ctx, found):
            return self.done(found)
        if fingerprint(self.held(found)) in (ctx.step.baseline or []):
            return Absent()
        why = _("Bokio holds neither what was there before nor what we sent.")
        return Ambiguous(why, [dict(self.done(found).result)])

    def prove_anew(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """What was there before is not known: what differs now is compared and sent as usual."""
        found = self.read(ctx, bokio)
        return self.done(found) if self._fits(ctx, found) else Absent()

    def _fits(self, ctx: StepContext, found: Found) -> bool:
        wanted, held = self.wanted(ctx), self.held(found)
        left = {key for key in held if key not in wanted and held[key]}
        return not left & self.clearable and within(wanted, held)


class Delete(Operation):
    """Take an object of Bokio's away. That it is gone already is what was wanted."""

    @abstractmethod
    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        """The object; raises `NotFound` when it is gone."""

    @abstractmethod
    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        """Delete it, with one call."""

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        try:
            self.remove(ctx, bokio)
        except NotFound as error:
            if error.code != GONE:
                raise
        return Done({})

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        try:
            self.read(ctx, bokio)
        except NotFound as error:
            if error.code != GONE:
                raise
            return Done({})
        return Absent()


def within(wanted: object, held: object) -> bool:
    """Whether `held` has all of `wanted`; what Bokio adds of its own does not count."""
    if isinstance(wanted, Mapping):
        return isinstance(held, Mapping) and all(
            within(value, held.get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(held, list | tuple)
            and len(wanted) == len(held)
            and all(map(within, wanted, held))
        )
    if isinstance(wanted, int | Decimal) and isinstance(held, int | Decimal):
        return Decimal(wanted) == Decimal(held)
    if isinstance(wanted, date | UUID):
        return str(wanted) == str(held)
    return wanted == held


def fingerprint(content: Json) -> str:
    """A short keyed mark of what an object holds: equal content, equal mark, nothing readable."""
    text = json.dumps(content, default=_plain, sort_keys=True)
    return salted_hmac("flows.fingerprint", text, algorithm="sha256").hexdigest()[:32]


def plain(content: Json) -> dict[str, Any]:
    """Parts of Bokio's answer that are not known here, as a column of ours can keep them."""
    return dict(json.loads(json.dumps(content, default=_plain)))


def _plain(value: object) -> str:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def unclaimed(ctx: StepContext, equal: Iterable[Done], *, object_type: str, what: str) -> Proof:
    """The proof that things give which look like ours, as far as they are `not_taken`."""
    candidates = list(equal)
    free = not_taken(ctx, [each.remote_id for each in candidates], object_type=object_type)
    return exactly_one([each for each in candidates if each.remote_id in free], what=what)


def not_taken(
    ctx: StepContext, ids: Sequence[str], *, object_type: str, before: Iterable[str] | None = None
) -> list[str]:
    """Of ids of Bokio's: those that were not there before sending (by the step's baseline, unless
    told) and that are no other step's.
    """
    bound = RemoteBinding.objects.filter(
        connection_id=ctx.flow.connection_id, object_type=object_type, remote_id__in=ids
    ).exclude(step=ctx.step)
    known = (ctx.step.baseline or []) if before is None else before
    taken = {*known, *bound.values_list("remote_id", flat=True)}
    return [each for each in ids if each not in taken]


def remote(ctx: StepContext, key: str) -> UUID:
    """An id of Bokio's in the payload."""
    return UUID(str(ctx.payload[key]))
