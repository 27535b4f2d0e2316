"""Running statements that are written by hand, and making rows of what they return.

On PostgreSQL they are prepared. Whoever counts or watches Django's queries sees them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.numeric import Int8

Model = TypeVar("Model", bound=models.Model)
Fields = Mapping[str, Any]

# At the end of the transaction that it is part of, the commit waits for the disk.
DURABLY = "set_config('synchronous_commit', 'on', true)"
EMPTY: dict[str, type[list[Any] | dict[str, Any]]] = {"[]": list, "{}": dict}


def make_durable() -> None:
    """Let the present transaction's commit wait for the disk, whatever the server says.

    SQLite waits at every commit (`synchronous=FULL`, see the settings).
    """
    if connection.vendor == "postgresql":
        execute(f"SELECT {DURABLY}", [])


def execute(sql: str, params: Sequence[Any] | Fields) -> list[tuple[Any, ...]]:
    """Run one prepared statement on PostgreSQL and return its rows.

    Django's cursors, which cost more than the statement itself, are used only where somebody
    counts or watches queries; what else they do is done here.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is None:
        database.ensure_connection()
    raw: Any = database.connection
    if database.execute_wrappers or database.queries_logged:
        return _watched(database, raw, sql, params)
    database.validate_no_broken_transaction()
    with database.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        return cursor.execute(sql, params).fetchall()


def _watched(
    database: BaseDatabaseWrapper, raw: Any, sql: str, params: Any
) -> list[tuple[Any, ...]]:
    inner: Any = psycopg.Cursor(raw)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    with closing(wrap(inner)) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def run(
    sql: str, *, of: type[models.Model], pk: Any, more: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Rows of a fixed statement whose first parameter is the key of a row of `of`.

    For what every flow asks: the ORM builds such a text anew each time.
    """
    key = column_of(of, "pk").get_db_prep_value(pk, connection)
    if connection.vendor == "postgresql":
        return execute(sql, [parameter(each) for each in (key, *more)])
    return execute_plainly(sql, [key, *more])


def execute_plainly(sql: str, params: Sequence[Any] | Fields = ()) -> list[tuple[Any, ...]]:
    """Run one statement on SQLite and return its rows. Moments and ids are given as it keeps them.

    A write that returns rows ends with the last of them, so it belongs into a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def columns(model: type[models.Model], *, of: str = "") -> str:
    """All columns of the table, for a SELECT whose rows go to `instance`."""
    prefix = f"{of}." if of else ""
    return ", ".join(f'{prefix}"{each.column}"' for each in _fields(model))


def width(model: type[models.Model]) -> int:
    """How many values `columns` stands for."""
    return len(_fields(model))


def instance(model: type[Model], values: Sequence[Any]) -> Model:
    """A row that was selected by `columns`, as the ORM would give it."""
    read = [
        value if value is None or decode is None else decode(value)
        for decode, value in zip(_decoders(model, connection.vendor), values, strict=True)
    ]
    return model.from_db(connection.alias, [each.attname for each in _fields(model)], read)


def parameter(value: Any) -> Any:
    """A value as PostgreSQL takes it. All whole numbers have one type, so that one statement is
    not prepared anew for numbers of another size.
    """
    is_number = type(value) is int or (isinstance(value, int) and not isinstance(value, bool))
    return Int8(value) if is_number else value


def plain_parameter(value: Any) -> Any:
    """A moment or an id as SQLite keeps it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, UUID) else value


@cache
def _decoders(model: type[models.Model], vendor: str) -> list[Callable[[Any], Any] | None]:
    """What makes a field's value of the database's, field by field; never of NULL."""
    if vendor == "postgresql":
        # Django has psycopg leave JSON as text, for the field's own decoder.
        return [
            _from_json if isinstance(each, models.JSONField) else None for each in _fields(model)
        ]
    return [_decoder(each) for each in _fields(model)]


def _from_json(text: str) -> Any:
    return EMPTY[text]() if text in EMPTY else json.loads(text)


def _decoder(column: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """As the ORM reads it: the backend's converters, then the field's own."""
    expression = column.get_col(column.model._meta.db_table)  # noqa: SLF001  Django documents `_meta`
    steps = [
        *connection.ops.get_db_converters(expression),
        *expression.get_db_converters(connection),
    ]
    if not steps:
        return None

    def decode(value: Any) -> Any:
        for step in steps:
            value = step(value, expression, connection)
        return value

    return decode


@cache
def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return list(model._meta.concrete_fields)  # noqa: SLF001  Django documents `_meta`


@cache
def column_of(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    """A field by its name or by that of its attribute; `pk` is the key."""
    if name == "pk":
        return model._meta.pk  # noqa: SLF001  as above
    return next(each for each in _fields(model) if name in {each.name, each.attname})


def table(model: type[models.Model]) -> str:
    """The name of a table, as statements take it."""
    return f'"{model._meta.db_table}"'  # noqa: SLF001  Django documents `_meta`
