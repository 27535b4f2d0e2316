"""Query sets compiled to SQL once. Compiling costs many times what reading one row does."""

import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)


class Prepared(Generic[Row]):
    """Reads rows by one statement, as the query set would, with other values each time.

    `build` makes the query set with placeholder values, first used when the first row is read. It
    may select related rows; it may not prefetch, annotate or slice.
    """

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build
        self._statement: _Statement[Row] | None = None

    def first(self, *values: str | int | uuid.UUID) -> Row | None:
        """The first row for the values, in the order of the query set's conditions; or None."""
        statement = self._statement
        if statement is None:
            statement = self._statement = _Statement(self._build())
        return statement.first(values)


class _Statement(Generic[Row]):
    def __init__(self, rows: QuerySet[Row]) -> None:
        self._database = rows.db
        compiler: Any = rows.query.get_compiler(using=rows.db)
        self._compiler = compiler
        self._sql, self._placeholders = compiler.as_sql()
        self._converters = compiler.get_converters([column[0] for column in compiler.select])
        info = compiler.klass_info
        self._model: type[Row] = info["model"]
        fields = info["select_fields"]
        self._own = slice(fields[0], fields[-1] + 1)
        self._names = [column[0].target.attname for column in compiler.select[self._own]]
        # The published types are those of a later Django, which takes one argument more.
        self._related = get_related_populators(info, compiler.select, rows.db)  # type: ignore[call-arg]

    def first(self, values: tuple[str | int | uuid.UUID, ...]) -> Row | None:
        if len(values) != len(self._placeholders):
            raise TypeError(f"The statement takes {len(self._placeholders)} values")
        connection = connections[self._database]
        native = connection.features.has_native_uuid_field
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [_prepared(value, native=native) for value in values])
            found = cursor.fetchone()
        if found is None:
            return None
        (row,) = self._compiler.apply_converters([found], self._converters)
        instance = self._model.from_db(connection.alias, self._names, row[self._own])
        for related in self._related:
            related.populate(row, instance)
        return instance


def _prepared(value: str | int | uuid.UUID, *, native: bool) -> str | int | uuid.UUID:
    """The value as the database keeps it: not every one has a `native` type for UUIDs."""
    if isinstance(value, uuid.UUID) and not native:
        return value.hex
    return value
