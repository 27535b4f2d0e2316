"""Encrypting what is stored with the newest key, while the app runs.

A value tells by itself which key made it, so nothing is noted on the way: whoever is interrupted
begins anew and finds what is left. A row that somebody writes at this moment is left to them, and
met once more in the next round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database
from django.db import transaction

from . import crypto
from .sealing import Column, Sealed, columns

TOGETHER = 100  # rows that are locked at a time, for some milliseconds
ROUNDS = 5  # over rows that were locked, or had been written since


@dataclass
class Tally:
    """The values of one column: how many each key has made, and how many nobody can open."""

    by_key: Counter[str] = field(default_factory=Counter)
    unbound: int = 0  # made for no particular row, by an earlier release
    lost: int = 0

    @property
    def left(self) -> int:
        """How many are to be encrypted anew, those that cannot be opened included."""
        newest = crypto.key_ids()[0]
        older = sum(count for key, count in self.by_key.items() if key != newest)
        return older + self.unbound


def count() -> dict[str, Tally]:
    """Every column by its name, with its values by key. Reads all of them, and changes nothing."""
    return {str(column): _counted(column) for column in columns()}


def rotate(column: Column, *, report: Callable[[int], None] = lambda _renewed: None) -> int:
    """Encrypt the column's values with the newest key, each for its own row; returns how many rows
    were written. `report` hears that number as it grows. What cannot be opened stays as it is.
    """
    written = 0
    for _round in range(ROUNDS):
        met = 0
        for keys in _outdated(column):
            met += len(keys)
            written += _renew(column, keys)
            report(written)
        if not met:
            break
    return written


def _counted(column: Column) -> Tally:
    tally = Tally()
    for row in _all(column):
        for sealed in column.sealed_in(row):
            tally.by_key[crypto.key_id_of(sealed.value)] += 1
            if not _opens(column, sealed):
                tally.lost += 1
            elif _is_newest(sealed) and not _is_bound(sealed):
                tally.unbound += 1
    return tally


def _all(column: Column) -> Iterator[Any]:
    """All rows by their keys, a part at a time, so that no cursor stays open over the work."""
    last = None
    while rows := list(_after(column, last)):
        yield from rows
        last = rows[-1].pk


def _after(column: Column, last: Any) -> Any:
    rows = column.rows().order_by("pk")
    return (rows if last is None else rows.filter(pk__gt=last))[:TOGETHER]


def _outdated(column: Column) -> Iterator[list[Any]]:
    """The keys of rows to write, as many at a time as are locked together."""
    keys: list[Any] = []
    for row in _all(column):
        if _is_outdated(column, row):
            keys.append(row.pk)
        if len(keys) == TOGETHER:
            yield keys
            keys = []
    if keys:
        yield keys


def _renew(column: Column, keys: list[Any]) -> int:
    """Write those of the rows that nobody holds and that are still outdated; returns how many."""
    written = 0
    with transaction.atomic():
        rows = column.rows().filter(pk__in=keys).order_by("pk")
        locked = rows.select_for_update(
            of=("self",) if database.features.has_select_for_update_of else (),
            skip_locked=database.features.has_select_for_update_skip_locked,
            no_key=database.features.has_select_for_no_key_update,
        )
        for row in locked:
            if _is_outdated(column, row):
                content = column.renewed(row, lambda sealed: _renewed(column, sealed))
                column.all_rows.filter(pk=row.pk).update(**{column.field: content})
                written += 1
    return written


def _renewed(column: Column, sealed: Sealed) -> bytes:
    if _is_current(sealed) or not _opens(column, sealed):
        return sealed.value
    return crypto.encrypt(column.opened(sealed), place=sealed.place)


def _is_outdated(column: Column, row: Any) -> bool:
    """Whether the row holds a value that opens, and that the newest key has not made."""
    values = column.sealed_in(row)
    return any(not _is_current(sealed) and _opens(column, sealed) for sealed in values)


def _is_current(sealed: Sealed) -> bool:
    return _is_newest(sealed) and _is_bound(sealed)


def _is_newest(sealed: Sealed) -> bool:
    return crypto.key_id_of(sealed.value) == crypto.key_ids()[0]


def _is_bound(sealed: Sealed) -> bool:
    try:
        crypto.decrypt(sealed.value, place=sealed.place)
    except crypto.CannotDecrypt:
        return False
    return True


def _opens(column: Column, sealed: Sealed) -> bool:
    try:
        column.opened(sealed)
    except crypto.CannotDecrypt:
        return False
    return True
