"""The heads of the table, each a link that orders the list by its column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .asked import Asked
from .columns import Column
from .order import SORTS


@dataclass(frozen=True)
class Head:
    """`url` is empty where the column gives no order; `direction` as `aria-sort` says it."""

    label: str
    css: str
    url: str
    direction: str


def heads_of(asked: Asked, columns: Iterable[Column]) -> list[Head]:
    """One for each column."""
    return [_head(asked, column) for column in columns]


def _head(asked: Asked, column: Column) -> Head:
    if not column.sort:
        return Head(str(column.label), column.head_css, "", "")
    current = asked.sort.removeprefix("-") == column.sort
    descends = asked.sort.startswith("-") if current else not SORTS[column.sort].descends
    # The next click turns the order where it is by this column already.
    wanted = column.sort if descends else f"-{column.sort}"
    return Head(
        label=str(column.label),
        css=column.head_css,
        url=replace(asked, sort=wanted, after="").url(),
        direction=("descending" if descends else "ascending") if current else "",
    )
