"""The statements that run at every step: written by hand, prepared, one round trip each.

On SQLite, and for whatever is rare, the ORM does the same. Whoever counts or watches Django's
queries sees these as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

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
EMPTY: dict[Any, type[list[Any] | dict[str, Any]]] = {"[]": list, "{}": dict}


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
        return cursor.execute(sql, params, prepare=True).fetchall()


def _watched(
    database: BaseDatabaseWrapper, raw: Any, sql: str, params: Any
) -> list[tuple[Any, ...]]:
    raw.prepare_threshold = 0  # Django's own cursors never prepare, whatever this says
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
    with connection.cursor() as cursor:
        cursor.execute(sql, [*key, *more])
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
    names, of_json = _layout(model)
    read = list(values)
    for place in of_json:
        # Django has psycopg leave JSON as text, for the field's own decoder.
        text = read[place]
        read[place] = EMPTY[text]() if text in EMPTY else text and json.loads(text)
    return model.from_db(DEFAULT_DB_ALIAS, names, read)


def parameter(value: Any) -> Any:
    """A value as PostgreSQL takes it. All whole numbers have one type, so that one statement is
    not prepared anew for numbers of another size.
    """
    return Int8(value) if isinstance(value, int) and not isinstance(value, bool) else value


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
    if isinstance(column, models.JSONField):
        return "%s", [column.get_db_prep_save(value, connection)]
    return "%s", [parameter(value)]


def write_in_turn(guard: Guard, bundle: Bundle) -> bool | None:
    """The same, statement by statement."""
    with transaction.atomic():
        mine = Flow.objects.filter(pk=guard.flow_id, fence=guard.fence, state=FlowState.RUNNING)
        if guard.generation is not None:
            mine = mine.filter(
                cancel_requested=False,
                connection__state=State.ACTIVE,
                connection__generation__lte=guard.generation,
            )
        if not mine.update(**(bundle.flow or {"fence": guard.fence})):
            return None
        for step, fields in bundle.steps:
            Step.objects.filter(pk=step.pk).update(**fields)
        for row in bundle.new:
            row.save(force_insert=True)
        for change in bundle.changes:
            _change(change)
        return Flow.objects.values_list("cancel_requested", flat=True).get(pk=guard.flow_id)


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
def _layout(model: type[models.Model]) -> tuple[list[str], list[int]]:
    """The names of all columns' attributes, and the places of those that hold JSON."""
    found = enumerate(_fields(model))
    of_json = [place for place, each in found if isinstance(each, models.JSONField)]
    return [each.attname for each in _fields(model)], of_json


@cache
def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    if name == "pk":
        return model._meta.pk  # noqa: SLF001  as above
    return next(each for each in _fields(model) if name in {each.name, each.attname})


def table(model: type[models.Model]) -> str:
    """The name of a table, as statements take it."""
    return f'"{model._meta.db_table}"'  # noqa: SLF001  Django documents `_meta`
