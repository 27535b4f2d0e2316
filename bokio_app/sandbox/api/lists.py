"""Lists: the filter language, pages, and the answer around them."""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, StrIndex
from django.utils.dateparse import parse_datetime

from bokio_app.sandbox import refusals, switches
from bokio_app.sandbox.refusals import FieldError

_CONDITION = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(==|!=|>=|<=|>|<|~)\s*(.*?)\s*\Z", re.DOTALL)
LARGEST_NUMBER = Decimal(10) ** 15
LARGEST_PARAMETER = 1_000_000
LONGEST_PARAMETER = 9
_ORDERED = {">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}

Parse = Callable[[str], Any]
Row = TypeVar("Row", bound=Model)


def _text(value: str) -> str:
    return value


def _number(value: str, decimals: int) -> Decimal:
    try:
        number = Decimal(value)
        if number.is_finite() and abs(number) < LARGEST_NUMBER:
            rounded = round(number, decimals)
            if rounded == number:
                return rounded
    except InvalidOperation:
        pass
    raise ValueError(value)


def _moment(value: str) -> dt.datetime:
    moment = parse_datetime(value.replace(" ", "+") if "T" in value else value)
    if moment is None:
        moment = dt.datetime.combine(dt.date.fromisoformat(value), dt.time())
    try:
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except OverflowError:
        raise ValueError(value) from None


@dataclass(frozen=True)
class Property:
    """A filterable property: a column (or annotation), how its values read, how they compare."""

    column: str
    parse: Parse = _text
    ordered: bool = False
    contains: bool = False


def text(column: str) -> Property:
    return Property(column, _text, contains=True)


def choice(column: str) -> Property:
    return Property(column)


def number(column: str, *, decimals: int = 2) -> Property:
    """A value finer than the column's `decimals` does not fit it, and is refused."""
    return Property(column, lambda value: _number(value, decimals), ordered=True)


def day(column: str) -> Property:
    return Property(column, dt.date.fromisoformat, ordered=True)


def moment(column: str) -> Property:
    return Property(column, _moment, ordered=True)


def identity(column: str) -> Property:
    return Property(column, uuid.UUID)


# Handles properties that are no columns, such as `metadata.<key>`; None means "not mine".
Special = Callable[[str, str, str], Q | None]


def filtered(
    rows: QuerySet[Row],
    query: str,
    properties: Mapping[str, Property],
    special: Special | None = None,
) -> QuerySet[Row]:
    """Narrow the rows by the `query` parameter. Raises a 400 `Refusal` for a bad one."""
    if not query.strip():
        return rows
    if "&&" in query and "||" in query:
        raise refusals.bad_query("&& and || cannot be mixed")
    joined_by_or = "||" in query
    conditions: list[Q] = []
    for part in query.split("||" if joined_by_or else "&&"):
        found = _CONDITION.match(part)
        if not found:
            raise refusals.bad_query(f"The condition {part.strip()!r} is not understood")
        name, operator, value = found.groups()
        condition = special(name, operator, value) if special else None
        if condition is None:
            rows, condition = _condition(rows, properties, name, operator, value)
        conditions.append(condition)
    return rows.filter(Q(*conditions, _connector=Q.OR if joined_by_or else Q.AND))


def _condition(
    rows: QuerySet[Row],
    properties: Mapping[str, Property],
    name: str,
    operator: str,
    value: str,
) -> tuple[QuerySet[Row], Q]:
    known = properties.get(name)
    if known is None:
        raise refusals.bad_query(f"The property {name} cannot be filtered")
    allowed = operator in ("==", "!=") or (known.contains if operator == "~" else known.ordered)
    if not allowed:
        raise refusals.bad_query(f"The operator {operator} does not fit the property {name}")
    if operator == "~":
        # LIKE ignores case in SQLite; the position of a substring does not.
        alias = f"position_{len(rows.query.annotations)}"
        position = contains(known.column, value)
        return rows.annotate(**{alias: position}), Q(**{f"{alias}__gt": 0})
    try:
        parsed = known.parse(value)
    except ValueError:
        raise refusals.bad_query(f"{value!r} does not fit the property {name}") from None
    if operator in _ORDERED:
        return rows, Q(**{f"{known.column}__{_ORDERED[operator]}": parsed})
    equal = Q(**{known.column: parsed})
    return rows, equal if operator == "==" else ~equal


def contains(column: str, value: str) -> Combinable:
    """The position of the text in the column, from 1; 0 where it does not occur."""
    return StrIndex(Cast(column, TextField()), Value(value))


@dataclass(frozen=True)
class Part(Generic[Row]):
    """Rows of one table, for a list that is made of several."""

    rows: QuerySet[Row]
    to_json: Callable[[Row], object]

    def slice(self, start: int, end: int) -> list[object]:
        if start >= end:
            return []
        order = "-id" if switches.current().newest_first else "id"
        # Rows are wide: which ones to show is found without reading those that come before.
        chosen = self.rows.order_by(order).values_list("pk", flat=True)[start:end]
        rows = self.rows.filter(pk__in=list(chosen)).order_by(order)
        return [self.to_json(row) for row in rows]


def page(
    rows: QuerySet[Row],
    query: Mapping[str, str],
    to_json: Callable[[Row], object],
    *,
    page_size: int = 25,
) -> dict[str, object]:
    """One page of the rows with its counters. `page` and `pageSize` come from the address."""
    return page_of([Part(rows, to_json)], query, page_size=page_size)


def page_of(
    parts: Sequence[Part[Any]], query: Mapping[str, str], *, page_size: int = 25
) -> dict[str, object]:
    """One page of a list that shows the rows of each part after those of the one before it."""
    errors: list[FieldError] = []
    refused = switches.current().large_pages_refused
    largest = switches.LARGEST_PAGE if refused else LARGEST_PARAMETER
    size = min(_whole(query, "pageSize", page_size, errors, largest), switches.LARGEST_PAGE)
    current = _whole(query, "page", 1, errors, LARGEST_PARAMETER)
    if errors:
        raise refusals.invalid(errors)
    counts = [part.rows.count() for part in parts]
    total = sum(counts)
    items: list[object] = []
    start, end = (current - 1) * size, current * size
    for part, count in zip(parts, counts, strict=True):
        items += part.slice(max(start, 0), min(end, count))
        start, end = start - count, end - count
    return {
        "items": items,
        "totalItems": total,
        "totalPages": -(-total // size),
        "currentPage": current if total else 0,
    }


def _whole(
    query: Mapping[str, str],
    name: str,
    default: int,
    errors: list[FieldError],
    largest: int,
) -> int:
    given = query.get(name, "")
    if not given:
        return default
    digits = given.isascii() and given.isdecimal() and len(given) <= LONGEST_PARAMETER
    if digits and 1 <= int(given) <= largest:
        return int(given)
    errors.append(FieldError(name, f"The {name} parameter must be between 1 and {largest}"))
    return default
