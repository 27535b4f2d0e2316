"""Reading JSON objects field by field, strict about what we rely on and lenient about the rest."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from bokio_app.bokio.wire import BodyError, is_bearable

T = TypeVar("T")


class Fields:
    """One JSON object. Fields nobody asked for stay in `rest`, so new ones are never lost.

    Every reader raises `BodyError` for a value of the wrong kind. Readers ending in `_or_none`
    take an absent or null value as None.
    """

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise BodyError("the body holds no object where one belongs")
        self._data: Mapping[str, object] = data
        self._read: set[str] = set()

    def uuid(self, key: str) -> UUID:
        """A UUID that must be there."""
        return self._present(key, self.uuid_or_none(key))

    def uuid_or_none(self, key: str) -> UUID | None:
        """A UUID; the empty text counts as none."""
        return self._convert(key, str, UUID) if self._take(key) != "" else None

    def text(self, key: str) -> str:
        """A text; empty when absent or null."""
        return self.text_or_none(key) or ""

    def text_or_none(self, key: str) -> str | None:
        """A text."""
        return self._convert(key, str, str)

    def word(self, key: str) -> str:
        """A text that must be there and not be empty, such as a state."""
        return self._present(key, self.text(key) or None)

    def identifier(self, key: str) -> str | None:
        """An id that is a number or a text, as text."""
        return self._convert(key, (int, str), str)

    def integer(self, key: str) -> int:
        """A whole number that must be there."""
        return self._present(key, self.integer_or_none(key))

    def integer_or_none(self, key: str) -> int | None:
        """A whole number; `1930.0` counts as one."""
        return self._convert(key, (int, Decimal), _whole)

    def number(self, key: str, default: Decimal | None = None) -> Decimal:
        """An exact number; must be there unless a default is given."""
        found = self.number_or_none(key)
        return self._present(key, default if found is None else found)

    def number_or_none(self, key: str) -> Decimal | None:
        """An exact number."""
        return self._convert(key, (int, Decimal), _exact)

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        return bool(self.flag_or_none(key))

    def flag_or_none(self, key: str) -> bool | None:
        """True or false."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            raise BodyError(f"{key} is neither true nor false")
        return value

    def day(self, key: str) -> date:
        """A calendar day that must be there."""
        return self._present(key, self.day_or_none(key))

    def day_or_none(self, key: str) -> date | None:
        """A calendar day; a time of day behind it is left out."""
        return self._convert(key, str, lambda text: date.fromisoformat(text[:10]))

    def moment_or_none(self, key: str) -> datetime | None:
        """An aware time in UTC; Bokio's times without an offset are UTC."""
        return self._convert(key, str, _utc)

    def ref(self, key: str) -> UUID | None:
        """The id inside a reference such as `{"journalEntryRef": {"id": …}}`."""
        return self.part(key, lambda data: Fields(data).uuid_or_none("id"))

    def part(self, key: str, parse: Callable[[object], T]) -> T | None:
        """A nested object, read by `parse`; None when absent or null."""
        value = self._take(key)
        return None if value is None else parse(value)

    def rows(self, key: str, parse: Callable[[object], T]) -> tuple[T, ...]:
        """A list read row by row; empty when absent or null."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise BodyError(f"{key} is no list")
        return tuple(parse(each) for each in value)

    def texts(self, key: str) -> dict[str, str]:
        """An object of texts, such as metadata; values of other kinds are written as text."""
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BodyError(f"{key} is no object")
        return {name: str(each) for name, each in value.items() if each is not None}

    def rest(self) -> dict[str, object]:
        """What has not been read."""
        return {key: value for key, value in self._data.items() if key not in self._read}

    def _take(self, key: str) -> object:
        self._read.add(key)
        return self._data.get(key)

    def _convert(
        self, key: str, kind: type | tuple[type, ...], convert: Callable[[Any], T]
    ) -> T | None:
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BodyError(f"{key} is of the wrong kind")
        try:
            return convert(value)
        except (ValueError, OverflowError):
            raise BodyError(f"{key} cannot be read") from None

    @staticmethod
    def _present(key: str, value: T | None) -> T:
        if value is None:
            raise BodyError(f"{key} is missing")
        return value


def unwrapped(data: object, key: str) -> object:
    """The object under `key` if the body is wrapped in it, else the body: both are served."""
    return data[key] if isinstance(data, dict) and isinstance(data.get(key), dict) else data


def _exact(value: int | Decimal) -> Decimal:
    number = Decimal(value)
    if not is_bearable(number):
        raise ValueError
    return number


def _whole(value: int | Decimal) -> int:
    if (number := _exact(value)) != (whole := int(number)):
        raise ValueError
    return whole


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
