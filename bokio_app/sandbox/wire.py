"""What goes over the wire: a call in, an answer out, and JSON whose numbers stay exact."""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum
from json.encoder import encode_basestring
from typing import Any, NoReturn, TypeVar, overload
from urllib.parse import parse_qsl

T = TypeVar("T")
LARGEST_EXPONENT = 30


class Ending(Enum):
    """How the connection behaves while an answer is sent."""

    WHOLE = "whole"
    CUT = "cut"  # half of the announced body, then a reset
    RESET = "reset"  # nothing at all, then a reset
    DRIP = "drip"  # the body a few bytes at a time


class Query(dict[str, str]):
    """The parameters of an address, which remember whether anybody asked for them.

    Of a repeated parameter the first counts.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._asked: set[str] = set()
        if text:
            for name, value in parse_qsl(text, keep_blank_values=True):
                self.setdefault(name, value)

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        return super().__getitem__(name)

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str, /) -> str: ...
    @overload
    def get(self, name: str, default: T, /) -> str | T: ...
    def get(self, name: str, default: object = None, /) -> object:
        self._asked.add(name)
        return super().get(name, default)

    def ignored(self) -> list[str]:
        """The parameters that nobody asked for."""
        return [name for name in self if name not in self._asked]


@dataclass(frozen=True)
class Call:
    """One HTTP request. Header names are in lower case; `path` is as sent, without the query."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    body: bytes
    client: socket.socket = field(repr=False)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE
    bytes_per_second: float = 0.0
    cookies: Sequence[str] = ()


def json_answer(
    data: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    content = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, dumps(data).encode(), content | dict(headers or {}))


def loads(raw: bytes) -> object:
    """Read JSON with decimals as `Decimal`.

    Raises `ValueError`, also for NaN and Infinity, for numbers beyond all use, and for half a
    surrogate pair, which is no character; `RecursionError` for what is nested without end.
    """
    text = raw.decode("utf-8-sig")
    data = json.loads(text, parse_float=_decimal, parse_constant=_refuse)
    if "\\u" in text:
        json.dumps(data, ensure_ascii=False, default=str).encode()
    return data


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that not even a decimal can have
        raise ValueError("A number is out of range") from None
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("A number is out of range")
    return number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def dumps(value: object) -> str:
    """Write JSON with each `Decimal` as the plain number it is: no exponent, no binary float."""
    writer = _WRITERS.get(type(value))
    return writer(value) if writer else json.dumps(value, ensure_ascii=False)


def _object(value: dict[str, object]) -> str:
    pairs = [f"{encode_basestring(name)}:{dumps(item)}" for name, item in value.items()]
    return "{" + ",".join(pairs) + "}"


def _array(value: Sequence[object]) -> str:
    return "[" + ",".join([dumps(item) for item in value]) + "]"


def plain(value: Decimal) -> str:
    """`Decimal("65250.00")` as `65250`: the shortest text without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# By exact type, because every answer goes through here, value by value.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: str,
    type(None): lambda _: "null",
    Decimal: plain,
    dict: _object,
    list: _array,
    tuple: _array,
}
