"""Reading one line of a file field by field, strictly: what is not understood is refused.

Numbers never pass through a float. Messages name the place, `invoice.lineItems[0].unitPrice`,
and never quote a value, because a line holds names and numbers of people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar
from uuid import UUID

T = TypeVar("T")

_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")


class BadLine(ValueError):
    """The line cannot be taken. The message says where and why, without quoting values."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)


class Reader:
    """One JSON object and the place it stands at. Every reader raises `BadLine`."""

    def __init__(self, data: object, path: str = "") -> None:
        if not isinstance(data, dict):
            raise BadLine(path, "must be an object")
        self.data: dict[str, Any] = data
        self.path = path
        self._left = set(data)

    def at(self, key: str) -> str:
        """The place of one of its fields."""
        return f"{self.path}.{key}" if self.path else key

    def refuse(self, key: str, reason: str) -> NoReturn:
        raise BadLine(self.at(key) if key else self.path, reason)

    def has(self, key: str) -> bool:
        return self.data.get(key) is not None

    def text(
        self, key: str, *, longest: int, required: bool = False, choices: Collection[str] = ()
    ) -> str:
        """A text without surrounding spaces; empty when absent."""
        value = self._take(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(key, "must be a text")
        if _UNSTORABLE.search(value):
            self.refuse(key, "holds control characters")
        if (stripped := value.strip()) != value:
            self.refuse(key, "has spaces around it")
        if required and not stripped:
            self.refuse(key, "must not be empty")
        if len(value) > longest:
            self.refuse(key, f"is longer than {longest} characters")
        if choices and value not in choices:
            self.refuse(key, f"must be one of {', '.join(choices)}")
        return value

    def amount(self, key: str, *, decimals: int, digits: int) -> Decimal | None:
        """A number, or a text like "-1234.50"; at most so many digits before the point."""
        value = self._take(key, required=False)
        if value is None:
            return None
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            self.refuse(key, 'must be a number, or a text like "1234.50"')
        number = Decimal(value)
        if number and number.adjusted() >= digits:
            self.refuse(key, f"has more than {digits} digits before the point")
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > decimals:
            self.refuse(key, f"has more than {decimals} decimals")
        return number

    def integer(self, key: str, *, least: int, most: int) -> int | None:
        """A whole number without quotes."""
        value = self._take(key, required=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(key, f"must be a whole number from {least} to {most}")
        return value

    def day(self, key: str) -> date | None:
        """A calendar day, such as 2026-11-30."""
        value = self._take(key, required=False)
        if value is None:
            return None
        try:
            if not _DAY.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.refuse(key, "must be a day like 2026-11-30")

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self._take(key, required=False)
        if value is not None and not isinstance(value, bool):
            self.refuse(key, "must be true or false")
        return bool(value)

    def uuid(self, key: str) -> UUID:
        """An id of Bokio's, which must be there."""
        value = self._take(key, required=True)
        try:
            return UUID(value)
        except (AttributeError, TypeError, ValueError):
            self.refuse(key, "must be an id of Bokio's, a UUID")

    def part(self, key: str, parse: Callable[[Reader], T]) -> T | None:
        """A nested object, of which every field must be read by `parse`."""
        value = self._take(key, required=False)
        return None if value is None else _whole(value, self.at(key), parse)

    def rows(
        self, key: str, parse: Callable[[Reader], T], *, most: int, least: int = 0
    ) -> tuple[T, ...]:
        """A list of objects; empty when absent."""
        value = self._take(key, required=least > 0)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(key, "must be a list")
        if not least <= len(value) <= most:
            self.refuse(key, f"must have {least} to {most} entries")
        return tuple(
            _whole(each, f"{self.at(key)}[{number}]", parse) for number, each in enumerate(value)
        )

    def texts(self, key: str, *, most: int, longest: int, name: re.Pattern[str]) -> dict[str, str]:
        """An object of texts; empty when absent."""
        value = self._take(key, required=False)
        if value is None:
            return {}
        inner = Reader(value, self.at(key))
        if len(inner.data) > most:
            self.refuse(key, f"must have at most {most} entries")
        for each in inner.data:
            if not name.fullmatch(each):
                self.refuse(key, "has a key that Bokio does not take")
        return {each: inner.text(each, longest=longest) for each in inner.data}

    def done(self) -> None:
        """Refuse what nobody asked for: it would be lost without a word."""
        if self._left:
            raise BadLine(self.at(min(self._left)), "is not known here")

    def _take(self, key: str, *, required: bool) -> Any:
        self._left.discard(key)
        value = self.data.get(key)
        if value is None and required:
            self.refuse(key, "is missing")
        return value


def _whole(value: object, path: str, parse: Callable[[Reader], T]) -> T:
    reader = Reader(value, path)
    found = parse(reader)
    reader.done()
    return found


def decode(line: bytes) -> object:
    """Parse one line as JSON; fractions become `Decimal`. Raises `BadLine`."""
    try:
        return json.loads(
            line.decode(),
            parse_float=_decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        raise BadLine("", "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadLine):
            raise
        raise BadLine("", "is not JSON") from None


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadLine("", "holds a number that is too large") from None
    if abs(number.adjusted()) > 40:  # written out it could fill the memory
        raise BadLine("", "holds a number that is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise BadLine("", f"holds {name}, which is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadLine("", "names a field twice")
    return found
