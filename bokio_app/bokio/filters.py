"""Filters for lists: `F("status") == "draft"`, joined with `&` or with `|`, never with both.

Bokio's grammar has no quoting, escaping, parentheses or precedence, so a value that could be
read as something else cannot be sent. It raises `FilterError` here instead of finding the
wrong rows there. What each list can be filtered by stands in `filterable`, and is checked when
the list is asked for. Source: docs.bokio.se, Filtering.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

from bokio_app.bokio import wire
from bokio_app.bokio.errors import BARE_PERSONAL_NUMBER, PERSONAL_NUMBER, Unsendable

Value = str | int | Decimal | date | datetime | UUID

_PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z_][A-Za-z0-9_]{0,24})?")
_PLAIN: Final = frozenset(" -_.,/:+@'")  # beside letters and digits; none is part of an operator
_LOWER_BOUNDS: Final = frozenset({">", ">="})  # cut to a second, they let more rows through
_NUMBERS_OF_PEOPLE: Final = frozenset({"orgNumber", "vatNumber"})


class FilterError(Unsendable):
    """The filter grammar cannot carry this condition. The value itself is not quoted."""


class Kind(Enum):
    """What a property holds, in words for people."""

    TEXT = "a text"
    NUMBER = "a number"
    DAY = "a day"
    MOMENT = "a moment"


_SUITS: Final[dict[Kind, tuple[type, ...]]] = {
    Kind.TEXT: (str, UUID),
    Kind.NUMBER: (int, Decimal),
    Kind.DAY: (date,),
    Kind.MOMENT: (datetime, date),
}


@dataclass(frozen=True)
class Condition:
    """One comparison, its value as it is written."""

    name: str
    operator: str
    written: str
    type: type

    @property
    def text(self) -> str:
        """As it stands in the `query` parameter."""
        return f"{self.name}{self.operator}{self.written}"

    def suits(self, kind: Kind) -> bool:
        """Tell whether a property of this kind can be compared so."""
        if kind is Kind.DAY and issubclass(self.type, datetime):
            return False
        return issubclass(self.type, _SUITS[kind])


@dataclass(frozen=True)
class Filter:
    """A condition, or several joined in one way. `text` is the value of the `query` parameter."""

    conditions: tuple[Condition, ...]
    joint: str = ""

    @property
    def text(self) -> str:
        """The value of the `query` parameter, not yet encoded for an address."""
        return self.joint.join(each.text for each in self.conditions)

    def __and__(self, other: "Filter") -> "Filter":
        return self._join(other, "&&")

    def __or__(self, other: "Filter") -> "Filter":
        return self._join(other, "||")

    def __bool__(self) -> bool:
        raise FilterError("join conditions with & or |, not with `and` or `or`")

    def _join(self, other: "Filter", joint: str) -> "Filter":
        if {self.joint, other.joint} - {"", joint}:
            raise FilterError("Bokio has no precedence: & and | cannot be mixed")
        return Filter(self.conditions + other.conditions, joint)


class F:
    """A property to filter by; comparing it makes a `Filter`. Raises `FilterError`."""

    __hash__ = None  # type: ignore[assignment] # comparing makes a filter, so it cannot be a key

    def __init__(self, name: str) -> None:
        if not _PROPERTY.fullmatch(name):
            raise FilterError("a property is a name, or metadata and a key")
        self._name = name

    def __eq__(self, value: Value) -> Filter:  # type: ignore[override] # an expression, not a test
        return self._condition("==", value)

    def __ne__(self, value: Value) -> Filter:  # type: ignore[override] # as above
        return self._condition("!=", value)

    def __lt__(self, value: Value) -> Filter:
        return self._ordered("<", value)

    def __le__(self, value: Value) -> Filter:
        return self._ordered("<=", value)

    def __gt__(self, value: Value) -> Filter:
        return self._ordered(">", value)

    def __ge__(self, value: Value) -> Filter:
        return self._ordered(">=", value)

    def contains(self, value: str) -> Filter:
        """True of texts that hold `value`, upper and lower case told apart."""
        if not isinstance(value, str):
            raise FilterError("only a text can be contained in a text")
        return self._condition("~", value)

    def _ordered(self, operator: str, value: Value) -> Filter:
        if isinstance(value, str | UUID):
            raise FilterError("only numbers and dates have an order")
        return self._condition(operator, value)

    def _condition(self, operator: str, value: Value) -> Filter:
        if isinstance(value, datetime) and value.microsecond and operator not in _LOWER_BOUNDS:
            raise FilterError("a time is written in whole seconds, so that this would miss rows")
        condition = Condition(self._name, operator, self._written(value), type(value))
        return Filter((condition,))

    def _written(self, value: Value) -> str:
        match value:
            case str():
                return self._free_text(value)
            case UUID():
                return str(value)
            case datetime():
                if value.tzinfo is None:
                    raise FilterError("a time needs its zone")
                return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case date():
                return value.isoformat()
            case int() | Decimal() if not isinstance(value, bool):
                return _number(value)
            case _:
                raise FilterError("a value is a text, a number, a day, a time or a UUID")

    def _free_text(self, value: str) -> str:
        if not value or value != value.strip():
            raise FilterError("a text to filter by is not empty and has no space at its ends")
        if not all(each.isalnum() or each in _PLAIN for each in value):
            raise FilterError("the text holds a character that the filter grammar cannot carry")
        if _is_uuid(value):  # its digits can look like a person's number
            return value
        bare = self._name in _NUMBERS_OF_PEOPLE and BARE_PERSONAL_NUMBER.fullmatch(value)
        if bare or PERSONAL_NUMBER.search(value):
            raise FilterError("a personal number must not stand in an address")
        return value


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _number(value: int | Decimal) -> str:
    try:
        return wire.plain_number(value)
    except ValueError as error:
        raise FilterError(str(error)) from None
