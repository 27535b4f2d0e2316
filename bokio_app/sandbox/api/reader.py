"""Reading a request body field by field, gathering every error with its JSON Pointer."""

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from bokio_app.sandbox import refusals
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.refusals import FieldError

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
LARGEST = Decimal(10) ** 10
LARGEST_INTEGER = 2**63 - 1
FINEST_DECIMALS = 17  # about as exact as the double that the contract speaks of


def words(name: str) -> str:
    """`invoiceDate` as `invoice date`, the way error messages put it."""
    return _HUMP.sub(" ", name).lower()


class Reader:
    """One JSON object. Each method returns a usable value even when it notes an error.

    `errors` is shared with the readers of nested objects; `finish` raises them all at once.
    Fields that no method asked for are counted as unknown, and otherwise ignored.
    """

    def __init__(
        self,
        data: Mapping[str, object],
        *,
        pointer: str = "#",
        errors: list[FieldError] | None = None,
    ) -> None:
        self.data = data
        self.pointer = pointer
        self.errors: list[FieldError] = [] if errors is None else errors
        self._asked: set[str] = set()

    def note(self, name: str, message: str) -> None:
        self.errors.append(FieldError(f"{self.pointer}/{name}", message))

    def given(self, name: str) -> bool:
        return self.data.get(name) is not None

    def sound(self, name: str) -> bool:
        """Whether the field was given and has no error so far."""
        pointer = f"{self.pointer}/{name}"
        return self.given(name) and all(error.pointer != pointer for error in self.errors)

    def read_only(self, *names: str) -> None:
        """Accept fields that Bokio sets by itself, whatever they say."""
        self._asked.update(names)

    def _take(self, name: str, *, required: bool) -> object:
        self._asked.add(name)
        value = self.data.get(name)
        if required and (value is None or value == ""):
            self.note(name, f"The {words(name)} field is required")
            return None
        return value

    def text(
        self, name: str, *, required: bool = False, default: str = "", longest: int = 500
    ) -> str:
        value = self._take(name, required=required)
        if value is None:
            return default
        if not isinstance(value, str):
            self.note(name, f"The {words(name)} field must be a string")
            return default
        if required and not value.strip():
            self.note(name, f"The {words(name)} field is required")
        elif len(value) > longest:
            self.note(name, f"The {words(name)} field may have at most {longest} characters")
        return value

    def choice(
        self, name: str, choices: Sequence[str], *, required: bool = False, default: str = ""
    ) -> str:
        value = self._take(name, required=required)
        if value is None:
            return default
        if value not in choices:
            self.note(name, f"The {words(name)} field must be one of {', '.join(choices)}")
            return default or choices[0]
        return str(value)

    def number(
        self,
        name: str,
        *,
        required: bool = False,
        default: Decimal = Decimal(0),
        decimals: int | None = None,
    ) -> Decimal:
        """An amount or a quantity. `decimals` limits how exact it may be."""
        value = self._take(name, required=required)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.note(name, f"The {words(name)} field must be a number")
            return default
        number = Decimal(value)
        if abs(number) >= LARGEST:
            self.note(name, f"The {words(name)} field is out of range")
            return default
        rounded = round(number, FINEST_DECIMALS if decimals is None else decimals)
        if decimals is not None and number != rounded:
            self.note(name, f"The {words(name)} field may have at most {decimals} decimals")
            return default
        return rounded

    def integer(self, name: str, *, required: bool = False) -> int | None:
        """A whole number that fits 64 bits; `5.0` is one too."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if abs(number) <= LARGEST_INTEGER and number == number.to_integral_value():
                return int(number)
        self.note(name, f"The {words(name)} field must be an integer")
        return None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._take(name, required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note(name, f"The {words(name)} field must be true or false")
            return default
        return value

    def day(
        self, name: str, *, required: bool = False, default: dt.date | None = None
    ) -> dt.date | None:
        value = self._take(name, required=required)
        if value is None:
            return default
        if isinstance(value, str) and _DAY.match(value):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        self.note(name, f"The {words(name)} field must be a date such as 2026-01-31")
        return default

    def reference(self, name: str) -> uuid.UUID | None:
        """The id inside an object such as `customerRef`."""
        inner = self.object(name)
        if inner is None:
            return None
        inner.read_only("name", "email", "phone", "description", "customerNumber")
        return inner.identity("id")

    def identity(self, name: str, *, required: bool = False) -> uuid.UUID | None:
        text = self.text(name, required=required)
        if not text:
            return None
        try:
            return uuid.UUID(text)
        except ValueError:
            self.note(name, f"The {words(name)} field must be a UUID")
            return None

    def object(self, name: str, *, required: bool = False) -> "Reader | None":
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.note(name, f"The {words(name)} field must be an object")
            return None
        return Reader(value, pointer=f"{self.pointer}/{name}", errors=self.errors)

    def objects(self, name: str, *, required: bool = False) -> Iterator["Reader"]:
        """A reader for each object of a list."""
        value = self._take(name, required=required)
        if value is None:
            return
        if not isinstance(value, list):
            self.note(name, f"The {words(name)} field must be a list")
            return
        if required and not value:
            self.note(name, f"The {words(name)} field must have at least one item")
        for index, item in enumerate(value):
            pointer = f"{self.pointer}/{name}/{index}"
            if isinstance(item, dict):
                yield Reader(item, pointer=pointer, errors=self.errors)
            else:
                self.errors.append(FieldError(pointer, "Each item must be an object"))

    def done(self) -> None:
        """Count the fields that nobody asked for."""
        unknown = [f"{self.pointer}/{name}" for name in self.data if name not in self._asked]
        if unknown:
            record.unknown_fields(unknown)

    def finish(self) -> None:
        """Raise every noted error as one refusal."""
        self.done()
        if self.errors:
            raise refusals.invalid(self.errors)
