"""Where encrypted values stand: each column that holds some, and how a row's are read and renewed.

A folder that encrypts says so here, once for each column; `manage.py rotate_keys` goes by this
list, and `crypto.encrypt` refuses a kind that is not in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from . import crypto


@dataclass(frozen=True)
class Sealed:
    """One encrypted value of a row, and the place that it is, or is to be, bound to."""

    value: bytes
    place: str


Renew = Callable[[Sealed], bytes]  # what to keep instead


class Column(ABC):
    """A column that holds encrypted values of one kind. `all_rows` brings with each row what is
    needed to tell its place.
    """

    def __init__(self, kind: str, all_rows: QuerySet[Any], field: str) -> None:
        self.kind, self.all_rows, self.field = kind, all_rows, field

    @property
    def model(self) -> type[Model]:
        return self.all_rows.model

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.field}"

    def rows(self) -> QuerySet[Any]:
        """The rows that may hold a value."""
        return self.all_rows.all()

    @abstractmethod
    def sealed_in(self, row: Any) -> Iterator[Sealed]:
        """The encrypted values that the row holds in this column."""

    @abstractmethod
    def renewed(self, row: Any, renew: Renew) -> Any:
        """What the column holds when each of those is replaced by what `renew` gives for it."""

    def opened(self, sealed: Sealed) -> str:
        """The text of a value. Raises `CannotDecrypt`."""
        return crypto.decrypt(sealed.value, place=sealed.place)


class BytesColumn(Column):
    """A binary column that is one encrypted value, or empty. `place` tells a row's place."""

    def __init__(
        self, kind: str, all_rows: QuerySet[Any], field: str, *, place: Callable[[Any], str]
    ) -> None:
        super().__init__(kind, all_rows, field)
        self._place = place

    def sealed_in(self, row: Any) -> Iterator[Sealed]:
        if value := bytes(getattr(row, self.field) or b""):
            yield Sealed(value, self._place(row))

    def renewed(self, row: Any, renew: Renew) -> Any:
        return next((renew(sealed) for sealed in self.sealed_in(row)), getattr(row, self.field))


_columns: list[Column] = []


def register(column: Column) -> None:
    """Make known that encrypted values of the column's kind stand in it."""
    crypto.KINDS.add(column.kind)
    _columns.append(column)


def columns() -> list[Column]:
    """Every column that holds encrypted values."""
    return list(_columns)
