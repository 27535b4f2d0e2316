"""Personal numbers in frozen payloads: encrypted for their step, and read again only to be sent."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from bokio_app.core.crypto import CannotDecrypt, decrypt, encrypt
from bokio_app.core.personal import is_personal_number
from bokio_app.core.sealing import Column, Renew, Sealed

if TYPE_CHECKING:
    from .models import Flow, Step
    from .operations import StepContext

KIND: Final = "flows.step.payload"
ANYWHERE: Final = KIND  # the place of what earlier releases have sealed, bound to no step
KEY: Final = "sealed"


@dataclass(frozen=True)
class Personal:
    """A person's number on its way into a payload. It is no JSON: no payload that holds one can
    be stored before `closed` has encrypted it.
    """

    number: str = field(repr=False)


def seal(number: str, *, private: bool) -> str | Personal:
    """A number as new payloads carry it: a person's to be encrypted, a company's as it stands.

    With `private` it is known to be a person's, whatever it looks like.
    """
    if not number or not (private or is_personal_number(number)):
        return number
    return Personal(number)


def closed(payload: dict[str, Any], *, flow: Flow, pos: int) -> dict[str, Any]:
    """The payload as the flow's step at `pos` keeps it: its personal numbers encrypted for it."""

    def close(number: Personal) -> dict[str, str]:
        return _kept(encrypt(number.number, place=_place(flow, pos)))

    return dict(_replaced(payload, lambda value: isinstance(value, Personal), close))


def unseal(value: Any, ctx: StepContext) -> str:
    """A number of the step's payload, as `seal` was given it; payloads of the first releases
    hold it as it stands. Raises `CannotDecrypt`.
    """
    if not is_sealed(value):
        return str(value)
    return _opened(b64decode(value[KEY]), place=_place(ctx.flow, ctx.step.pos))


def is_sealed(value: Any) -> bool:
    """Whether a value of a payload is a number that is not for eyes."""
    return isinstance(value, dict) and set(value) == {KEY}


class PayloadColumn(Column):
    """The personal numbers in the payloads of steps."""

    def rows(self) -> QuerySet[Any]:
        as_text = Cast(self.field, TextField())
        with_text: QuerySet[Any] = super().rows().annotate(as_text=as_text)
        return with_text.filter(as_text__contains=f'"{KEY}"')

    def sealed_in(self, row: Step) -> Iterator[Sealed]:
        place = _place(row.flow, row.pos)
        return (Sealed(b64decode(each[KEY]), place) for each in _numbers(row.payload))

    def renewed(self, row: Step, renew: Renew) -> Any:
        place = _place(row.flow, row.pos)
        return _replaced(
            row.payload, is_sealed, lambda each: _kept(renew(Sealed(b64decode(each[KEY]), place)))
        )

    def opened(self, sealed: Sealed) -> str:
        return _opened(sealed.value, place=sealed.place)


def _place(flow: Flow, pos: int) -> str:
    return f"{KIND}/{flow.public_id}/{pos}"


def _opened(value: bytes, *, place: str) -> str:
    try:
        return decrypt(value, place=place)
    except CannotDecrypt:
        return decrypt(value, place=ANYWHERE)


def _kept(value: bytes) -> dict[str, str]:
    return {KEY: b64encode(value).decode()}


def _numbers(value: Any) -> Iterator[dict[str, str]]:
    """The encrypted numbers anywhere in a payload."""
    if is_sealed(value):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)


def _replaced(value: Any, wanted: Callable[[Any], bool], new: Callable[[Any], Any]) -> Any:
    """A payload with what is `wanted`, wherever it stands, replaced."""
    if wanted(value):
        return new(value)
    if isinstance(value, dict):
        return {key: _replaced(each, wanted, new) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, wanted, new) for each in value]
    return value
