"""What goes over the wire: a call in, an answer out, and JSON whose numbers stay exact."""

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring
from typing import NoReturn, TypeVar, overload
from urllib.parse import parse_qsl

T = TypeVar("T")


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
    """Read JSON with decimals as `Decimal`. Raises `ValueError`, also for NaN and Infinity."""
    return json.loads(raw, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def dumps(value: object) -> str:
    """Write JSON with each `Decimal` as the plain number it is: no exponent, no binary float."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _write(value: object, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, Decimal):
        parts.append(plain(value))
    elif isinstance(value, dict):
        parts.append("{")
        for index, (key, item) in enumerate(value.items()):
            parts.append(("," if index else "") + encode_basestring(key) + ":")
            _write(item, parts)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        parts.append(json.dumps(value))


def plain(value: Decimal) -> str:
    """`Decimal("65250.00")` as `65250`: the shortest text without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
