"""Making our rows what a page of Bokio's says, with no write where nothing differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

Values = Mapping[str, Any]
Row = TypeVar("Row", bound=models.Model)
Follow = Callable[[Row, frozenset[str]], Collection[str]]

BATCH = 500  # rows in one statement
NEW = "pk"  # among the names of what differs: the row is a new one


@dataclass(frozen=True)
class Merged(Generic[Row]):
    """The rows that were written: `new`, and `changed` with the names of the fields that differed.

    `left` are Bokio's ids of rows that differ and were left as they are.
    """

    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, frozenset[str]]] = field(default_factory=list)
    left: frozenset[str] = frozenset()


def merge(
    rows: QuerySet[Row],
    found: Mapping[str, Values],
    *,
    asked: datetime,
    make: Callable[[str, Values], Row],
    busy: Callable[[Sequence[Row]], Collection[str]] = lambda _rows: (),
    follow: Follow[Row] = lambda _row, _names: (),
    parts: Collection[str] = (),
) -> Merged[Row]:
    """Write what differs between `rows` (of one connection, by `remote_id`) and `found`.

    What was kept of a later question stays, and so do those that `busy` names, asked with the
    rows locked. What was gone and is found is back. `follow` is told each row that is about to be
    written and which fields differ (all of a new one, and `NEW`), and names what else it has set.
    `parts` are names whose values are compared here and written by the caller: they are no
    columns. Call it inside a transaction.
    """
    mine = rows.filter(remote_id__in=found)
    known = {_id(row): row for row in mine}
    differing = [key for key, row in known.items() if _differences(row, found[key])]
    changed: list[tuple[Row, frozenset[str]]] = []
    left: set[str] = set()
    if differing:
        locked = list(
            mine.filter(remote_id__in=differing).order_by("pk").select_for_update(no_key=True)
        )
        held = set(busy(locked))
        for row in locked:
            names = _differences(row, found[_id(row)])
            read_at: datetime | None = getattr(row, "read_at", None)
            if _id(row) in held or (read_at and read_at > asked):
                left.add(_id(row))
            elif names:
                _set(row, found[_id(row)], asked=asked, parts=parts)
                changed.append((row, names.union(follow(row, names))))
        _update(rows, changed, parts=parts)
    new = [make(key, values) for key, values in found.items() if key not in known]
    for row in new:
        values = found[_id(row)]
        _set(row, values, asked=asked, parts=parts)
        follow(row, frozenset(values) | {NEW})
    # A flow may be giving one of them its row at this very moment.
    rows.model._default_manager.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)  # noqa: SLF001  Django documents it
    return Merged(new, changed, frozenset(left))


def unlike(pairs: Iterable[tuple[Row, Values]]) -> list[tuple[Row, frozenset[str]]]:
    """Those rows that differ from their values, given them, with the names of what differed."""
    changed = []
    for row, values in pairs:
        if names := _differences(row, values):
            for name in names:
                setattr(row, name, values.get(name))
            changed.append((row, names))
    return changed


def _differences(row: models.Model, values: Values) -> frozenset[str]:
    names = {name for name, value in values.items() if getattr(row, name) != value}
    if getattr(row, "gone_at", None) is not None and "gone_at" not in values:
        names.add("gone_at")
    return frozenset(names)


def _set(
    row: models.Model, values: Values, *, asked: datetime, parts: Collection[str] = ()
) -> None:
    for name in values.keys() - set(parts):
        setattr(row, name, values[name])
    for name, value in (("read_at", asked), ("gone_at", None)):
        setattr(row, name, value)


def _update(
    rows: QuerySet[Row],
    changed: Sequence[tuple[Row, frozenset[str]]],
    *,
    parts: Collection[str],
) -> None:
    """One statement for all rows that changed, naming only what differs in any of them."""
    if not changed:
        return
    names = frozenset({"read_at"}).union(*(names for _row, names in changed)) - set(parts)
    manager = rows.model._default_manager  # noqa: SLF001  Django documents it
    manager.bulk_update([row for row, _names in changed], sorted(names), batch_size=BATCH)


def _id(row: models.Model) -> str:
    return str(getattr(row, "remote_id"))  # noqa: B009  not every model has one


def key_of(remote: Any) -> str:
    """Bokio's id as our rows keep it."""
    found: UUID = remote.id
    return str(found)
