"""JSON as it crosses the wire: numbers keep every digit both ways, text is fit to store."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn
from uuid import UUID

# Bokio has sent NUL inside invoice numbers; PostgreSQL refuses NUL and half surrogate pairs.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_LARGEST_EXPONENT: Final = 330  # of a double, down to the smallest


class BodyError(ValueError):
    """An answer's body is not what the operation promises. Messages never quote the body."""


def decode(content: bytes) -> object:
    """Parse a JSON body; numbers with a fraction or an exponent become `Decimal`, others `int`.

    Control characters other than tab and newline are dropped from every text.
    Raises `BodyError` when the content is no JSON, or holds a number that no other reader could.
    """
    try:
        return _clean(_DECODER.decode(content.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        raise BodyError("the body is not JSON") from None


def encode(value: object) -> bytes:
    """Write a JSON body; a `Decimal` keeps the digits it was given, days and UUIDs become text.

    Raises `TypeError` for a float, because its digits are already wrong, and for any unknown
    type; `ValueError` for a number that is not finite or text that is no Unicode.
    """
    return _text(value).encode()


def is_bearable(number: Decimal) -> bool:
    """Tell whether it could be an amount, a rate or an account.

    At most 19 digits before the point and 30 after it: others could fill the memory when written
    out.
    """
    digits = len(number.as_tuple().digits)
    return number.is_finite() and -30 <= number.adjusted() <= 18 and digits <= 50


def storable(text: str) -> str:
    """Drop what no database takes: control characters other than tab and newline."""
    return _UNSTORABLE.sub("", text)


def plain_number(value: Decimal | int) -> str:
    """Write a number without an exponent and with the digits it was given: `1E+2` is `100`.

    Raises `ValueError` when the number is not finite.
    """
    if isinstance(value, int):
        return str(int(value))
    if not value.is_finite():
        raise ValueError("only finite numbers can be sent")
    return format(abs(value) if value.is_zero() else value, "f")


def _text(value: object) -> str:
    match value:
        case None | bool() | str():
            return _ENCODER.encode(value)
        case int() | Decimal():
            return plain_number(value)
        case datetime():
            raise TypeError("Bokio takes days, not times")
        case date():
            return f'"{value.isoformat()}"'
        case UUID():
            return f'"{value}"'
        case Mapping():
            return "{" + ",".join(f"{_text(str(k))}:{_text(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_text(each) for each in value) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no exact form in JSON")


def _clean(value: object) -> object:
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(key): _clean(each) for key, each in value.items()}
        case list():
            return [_clean(each) for each in value]
        case _:
            return value


def _number(text: str) -> Decimal:
    """Bounded as a double is: written out again, a larger exponent could fill the memory."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # the exponent itself is out of bounds
        raise BodyError("a number is too large") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise BodyError("a number is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise BodyError(f"{name} is not a number")


# Made once: `json.loads` and `json.dumps` make one each time that they are told anything.
_DECODER: Final = json.JSONDecoder(
    parse_float=_number, parse_constant=_refuse_constant, strict=False
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
