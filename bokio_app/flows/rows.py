"""The statements that run at every step, written by hand.

On PostgreSQL a bundle is one prepared statement and one round trip; on SQLite, which has no round
trips and no writes within a query, it is a few plain ones. Whoever counts or watches Django's
queries sees them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.numeric import Int8

from bokio_app.connections.models import Connection, State

from .models import Flow, FlowState, Step
from .operations import Change

Model = TypeVar("Model", bound=models.Model)
Fields = Mapping[str, Any]

# At the end of the transaction that it is part of, the commit waits for the disk.
DURABLY = "set_config('synchronous_commit', 'on', true)"
CONSTANTS = {None: "NULL", True: "TRUE", False: "FALSE"}
EMPTY: dict[str, type[list[Any] | dict[str, Any]]] = {"[]": list, "{}": dict}


@dataclass(frozen=True)
class Guard:
    """What must hold for a write: the flow runs, and under this fence.

    With a `generation`, a step is about to be sent: nobody has asked for the flow to stop, the
    connection works, and it has no newer pair of tokens.
    """

    flow_id: int
    fence: int
    generation: int | None = None


@dataclass
class Bundle:
    """What is written together: the flow, some of its steps, new rows of other tables, and
    changes of rows that the folders above keep.
    """

    flow: Fields
    steps: list[tuple[Step, Fields]] = field(default_factory=list)
    new: list[models.Model] = field(default_factory=list)
    changes: Sequence[Change] = ()


def write(guard: Guard, bundle: Bundle) -> bool | None:
    """Write all of it if the guard holds, and tell whether somebody wants the flow to stop.

    None when the guard does not hold, and then nothing is written. Outside a transaction this
    is one by itself. Raises `IntegrityError`, also when a copy of what a change is about was made
    while its statement waited for the held row: `write_in_turn` sees such a copy.
    """
    if connection.vendor != "postgresql":
        return write_in_turn(guard, bundle)
    sql, params = _statement(guard, bundle)
    answer = execute(sql, params)
    return bool(answer[0][0]) if answer else None


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


def select(
    sql: str, *, of: type[models.Model], pk: Any, more: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Rows of a fixed SELECT whose first parameter is the key of a row of `of`.

    For what every flow asks: the ORM builds such a text anew each time.
    """
    _text, key = _equal(of, {"pk": pk})
    if connection.vendor == "postgresql":
        return execute(sql, [*key, *map(parameter, more)])
    return execute_plainly(sql, [*key, *more])


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
    return Int8(value) if isinstance(value, int) and not isinstance(value, bool) else value


def plain_parameter(value: Any) -> Any:
    """A moment or an id as SQLite keeps it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, UUID) else value


def _statement(guard: Guard, bundle: Bundle) -> tuple[str, list[Any]]:
    """The whole bundle as one statement, in which everything hangs on the guarded update."""
    sets, params = _sets(Flow, bundle.flow or {"fence": guard.fence})
    where, more = _guarded(guard)
    params += more
    own = f"UPDATE {table(Flow)} SET {sets} WHERE {where} RETURNING cancel_requested, {DURABLY}"  # noqa: S608  names
    parts = [f"own AS ({own})"]
    for number, (step, fields) in enumerate(bundle.steps):
        sets, more = _sets(Step, fields)
        params += [*more, parameter(step.pk)]
        where = "id = %s AND EXISTS (SELECT 1 FROM own)"
        parts.append(f"step_{number} AS (UPDATE {table(Step)} SET {sets} WHERE {where})")  # noqa: S608  names
    for number, row in enumerate(bundle.new):
        names, values, more = _insert(row)
        params += more
        into = f"{table(type(row))} ({names})"
        parts.append(f"new_{number} AS (INSERT INTO {into} SELECT {values} FROM own)")  # noqa: S608  names
    for number, change in enumerate(bundle.changes):
        texts, more = _changed(change, number)
        parts += texts
        params += more
    return f"WITH {', '.join(parts)} SELECT cancel_requested FROM own", params  # noqa: S608  names


def _changed(change: Change, number: int) -> tuple[list[str], list[Any]]:
    """The parts of a statement that make a change, each hanging on the one before."""
    parts: list[str] = []
    params: list[Any] = []
    after = "own"
    if change.held:
        model, pk = change.held
        where, params = _equal(model, {"pk": pk})
        locked = f"SELECT 1 FROM {table(model)} WHERE {where} AND EXISTS (SELECT 1 FROM {after})"  # noqa: S608  names
        after = f"held_{number}"
        parts.append(f"{after} AS MATERIALIZED ({locked} FOR NO KEY UPDATE)")
    mine, key = _equal(change.model, {"pk": change.pk})
    condition = f"EXISTS (SELECT 1 FROM {after})"  # noqa: S608  names
    if change.copy:
        where, more = _equal(change.model, change.copy)
        gone = f"DELETE FROM {table(change.model)} WHERE {where} AND NOT {mine} AND {condition}"  # noqa: S608  names
        parts.append(f"gone_{number} AS ({gone} RETURNING 1)")
        params += [*more, *key]
        # Counting them has them gone first: our row may take their place among unique values.
        condition += f" AND (SELECT count(*) FROM gone_{number}) >= 0"  # noqa: S608  names
    sets, more = _sets(change.model, change.fields)
    params += [*more, *key]
    update = f"UPDATE {table(change.model)} SET {sets} WHERE {mine} AND {condition}"  # noqa: S608  names
    return [*parts, f"change_{number} AS ({update})"], params


def _equal(model: type[models.Model], values: Fields) -> tuple[str, list[Any]]:
    columns = [_field(model, name) for name in values]
    text = " AND ".join(f'"{each.column}" = %s' for each in columns)
    found = zip(columns, values.values(), strict=True)
    return text, [each.get_db_prep_value(value, connection) for each, value in found]


def _guarded(guard: Guard) -> tuple[str, list[Any]]:
    where = f"id = %s AND fence = %s AND state = '{FlowState.RUNNING}'"
    params = [parameter(guard.flow_id), parameter(guard.fence)]
    if guard.generation is None:
        return where, params
    used = f"{table(Connection)} AS used WHERE used.id = connection_id AND used.generation <= %s"
    usable = f"EXISTS (SELECT 1 FROM {used} AND used.state = '{State.ACTIVE}')"  # noqa: S608  names
    return f"{where} AND NOT cancel_requested AND {usable}", [*params, parameter(guard.generation)]


def _sets(model: type[models.Model], fields: Fields) -> tuple[str, list[Any]]:
    texts, params = [], []
    for name, value in fields.items():
        column = _field(model, name)
        text, more = _value(column, value)
        texts.append(f'"{column.column}" = {text}')
        params += more
    return ", ".join(texts), params


def _insert(row: models.Model) -> tuple[str, str, list[Any]]:
    names, texts, params = [], [], []
    for each in _fields(type(row)):
        if each.primary_key and row.pk is None:
            continue  # the database counts
        text, more = _value(each, each.pre_save(row, add=True))
        names.append(f'"{each.column}"')
        texts.append(text)
        params += more
    return ", ".join(names), ", ".join(texts), params


def _value(column: models.Field[Any, Any], value: Any) -> tuple[str, list[Any]]:
    """What is the same at nearly every write stands in the text, the rest is a parameter."""
    if value is None or value is True or value is False:
        return CONSTANTS[value], []
    if isinstance(value, models.TextChoices):
        return f"'{value.value}'", []
    if value in ("", [], {}):
        return f"'{value}'", []
    if isinstance(column, models.JSONField) or connection.vendor != "postgresql":
        return "%s", [column.get_db_prep_save(value, connection)]
    return "%s", [parameter(value)]


def write_in_turn(guard: Guard, bundle: Bundle) -> bool | None:
    """The same, one statement after the other, the guarded update first: on SQLite always."""
    if not (bundle.steps or bundle.new or bundle.changes):
        return _update_flow(guard, bundle)
    with transaction.atomic(savepoint=False):
        make_durable()
        told = _update_flow(guard, bundle)
        if told is None:
            return None
        for step, fields in bundle.steps:
            sets, params = _sets(Step, fields)
            _run(f"UPDATE {table(Step)} SET {sets} WHERE id = %s", [*params, step.pk])  # noqa: S608  names
        for row in bundle.new:
            names, values, params = _insert(row)
            _run(f"INSERT INTO {table(type(row))} ({names}) VALUES ({values})", params)  # noqa: S608  names
        for change in bundle.changes:
            _change(change)
        return told


def _update_flow(guard: Guard, bundle: Bundle) -> bool | None:
    sets, params = _sets(Flow, bundle.flow or {"fence": guard.fence})
    where, more = _guarded(guard)
    if not _run(f"UPDATE {table(Flow)} SET {sets} WHERE {where}", params + more):  # noqa: S608  names
        return None
    if guard.generation is not None:
        return False  # the guard has seen that nobody wants it
    [[asked]] = execute_plainly(_ASKED, [guard.flow_id])
    return bool(asked)


_ASKED = f'SELECT cancel_requested FROM "{Flow._meta.db_table}" WHERE id = %s'  # noqa: S608, SLF001  Django documents `_meta`


def _run(sql: str, params: list[Any]) -> int:
    """Write on SQLite; return how many rows were changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


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


def _change(change: Change) -> None:
    rows = change.model._default_manager  # noqa: SLF001  Django documents it
    if change.held:
        model, pk = change.held
        model._default_manager.select_for_update().get(pk=pk)  # noqa: SLF001  as above
    if change.copy:
        rows.filter(**change.copy).exclude(pk=change.pk).delete()
    rows.filter(pk=change.pk).update(**change.fields)


@cache
def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return list(model._meta.concrete_fields)  # noqa: SLF001  Django documents `_meta`


@cache
def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    if name == "pk":
        return model._meta.pk  # noqa: SLF001  as above
    return next(each for each in _fields(model) if name in {each.name, each.attname})


def table(model: type[models.Model]) -> str:
    """The name of a table, as statements take it."""
    return f'"{model._meta.db_table}"'  # noqa: SLF001  Django documents `_meta`
