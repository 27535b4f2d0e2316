"""What a worker writes of a step, as statements: all of it together, and only under its guard.

On PostgreSQL a bundle is one prepared statement and one round trip; on SQLite, which has no round
trips and no writes within a query, it is a few plain ones. The text of a statement depends on
what is written, not on the values, and is made once for each kind of bundle: a step is then
little more than a list of its values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from bokio_app.connections.models import Connection, State

from .models import Flow, FlowState, Step
from .operations import Change
from .rows import (
    DURABLY,
    Fields,
    column_of,
    execute,
    execute_plainly,
    make_durable,
    parameter,
    table,
)

Shape = tuple[tuple[str, str], ...]  # columns, each with a placeholder or a constant

VALUE = "%s"
EMPTY: dict[type, str] = {str: "''", list: "'[]'", dict: "'{}'"}
CONSTANTS = {None: "NULL", True: "TRUE", False: "FALSE"}
NEVER_CONSTANT = frozenset({int, datetime, date, UUID, Decimal})


@dataclass(frozen=True)
class Guard:
    """What must hold for a write: the flow runs, and under this fence.

    With a `generation`, a step is about to be sent: nobody has asked for the flow to stop, the
    connection works, and it has no newer pair of tokens.
    """

    flow_id: int
    fence: int
    generation: int | None = None


@dataclass(frozen=True)
class New:
    """A row to insert: the values of all its columns but the key, which the database counts."""

    model: type[models.Model]
    fields: Fields


@dataclass
class Bundle:
    """What is written together: the flow, some of its steps, new rows of other tables, and
    changes of rows that the folders above keep.
    """

    flow: Fields
    steps: list[tuple[Step, Fields]] = field(default_factory=list)
    new: list[New] = field(default_factory=list)
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


def _statement(guard: Guard, bundle: Bundle) -> tuple[str, list[Any]]:
    """The whole bundle as one statement, in which everything hangs on the guarded update."""
    params: list[Any] = []
    flow = _shape(Flow, bundle.flow or {"fence": guard.fence}, params)
    params += _guarding(guard)
    steps = []
    for step, fields in bundle.steps:
        steps.append(_shape(Step, fields, params))
        params.append(parameter(step.pk))
    new = tuple((row.model, _shape(row.model, row.fields, params)) for row in bundle.new)
    changes = tuple(_change_shape(change, params) for change in bundle.changes)
    return _text(guard.generation is not None, flow, tuple(steps), new, changes), params


def _shape(model: type[models.Model], fields: Fields, params: list[Any]) -> Shape:
    """What is written, with the values of a placeholder added to `params`. What is the same at
    nearly every write stands in the text.
    """
    encoders = _encoders(model)
    shape = []
    for name, value in fields.items():
        if (text := _constant(value)) is None:
            encode = encoders.get(name)
            params.append(encode(value) if encode else parameter(value))
        shape.append((name, text or VALUE))
    return tuple(shape)


def _constant(value: Any) -> str | None:
    """A value as the text of a statement, or None for one that is a parameter."""
    kind = type(value)
    if kind in NEVER_CONSTANT:
        return None
    if kind in EMPTY:
        return None if value else EMPTY[kind]
    if value is None or kind is bool:
        return CONSTANTS[value]
    return f"'{value.value}'" if isinstance(value, models.TextChoices) else None


@cache
def _encoders(model: type[models.Model]) -> dict[str, Callable[[Any], str]]:
    """What makes the text of a JSON column, by the column's name."""
    return {
        each.attname: json.JSONEncoder().encode if each.encoder is None else each.encoder().encode
        for each in model._meta.concrete_fields  # noqa: SLF001  Django documents `_meta`
        if isinstance(each, models.JSONField)
    }


@dataclass(frozen=True)
class _ChangeShape:
    model: type[models.Model]
    held: type[models.Model] | None
    copy: tuple[str, ...]
    fields: Shape


def _change_shape(change: Change, params: list[Any]) -> _ChangeShape:
    held = None
    if change.held:
        held, pk = change.held
        params += _keys(held, {"pk": pk})
    key = _keys(change.model, {"pk": change.pk})
    if change.copy:
        params += [*_keys(change.model, change.copy), *key]
    fields = _shape(change.model, change.fields, params)
    params += key
    return _ChangeShape(change.model, held, tuple(change.copy or ()), fields)


@lru_cache(maxsize=1000)
def _text(
    sending: bool,
    flow: Shape,
    steps: tuple[Shape, ...],
    new: tuple[tuple[type[models.Model], Shape], ...],
    changes: tuple[_ChangeShape, ...],
) -> str:
    where = _guarded(sending=sending)
    own = f"UPDATE {table(Flow)} SET {_sets(Flow, flow)} WHERE {where}"  # noqa: S608  names
    parts = [f"own AS ({own} RETURNING cancel_requested, {DURABLY})"]
    for number, shape in enumerate(steps):
        where = "id = %s AND EXISTS (SELECT 1 FROM own)"
        update = f"UPDATE {table(Step)} SET {_sets(Step, shape)} WHERE {where}"  # noqa: S608  names
        parts.append(f"step_{number} AS ({update})")
    for number, (model, shape) in enumerate(new):
        into, values = _into(model, shape)
        parts.append(f"new_{number} AS (INSERT INTO {into} SELECT {values} FROM own)")  # noqa: S608  names
    for number, change in enumerate(changes):
        parts += _changed(change, number)
    return f"WITH {', '.join(parts)} SELECT cancel_requested FROM own"  # noqa: S608  names


def _changed(change: _ChangeShape, number: int) -> Iterable[str]:
    """The parts of a statement that make a change, each hanging on the one before."""
    after = "own"
    if change.held:
        where = f"{_equal(change.held, ['pk'])} AND EXISTS (SELECT 1 FROM {after})"  # noqa: S608  names
        locked = f"SELECT 1 FROM {table(change.held)} WHERE {where} FOR NO KEY UPDATE"  # noqa: S608  names
        after = f"held_{number}"
        yield f"{after} AS MATERIALIZED ({locked})"
    mine = _equal(change.model, ["pk"])
    condition = f"EXISTS (SELECT 1 FROM {after})"  # noqa: S608  names
    if change.copy:
        where = f"{_equal(change.model, change.copy)} AND NOT {mine} AND {condition}"
        yield f"gone_{number} AS (DELETE FROM {table(change.model)} WHERE {where} RETURNING 1)"  # noqa: S608  names
        # Counting them has them gone first: our row may take their place among unique values.
        condition += f" AND (SELECT count(*) FROM gone_{number}) >= 0"  # noqa: S608  names
    sets = _sets(change.model, change.fields)
    update = f"UPDATE {table(change.model)} SET {sets} WHERE {mine} AND {condition}"  # noqa: S608  names
    yield f"change_{number} AS ({update})"


def _guarded(*, sending: bool) -> str:
    """The condition of the guarded update, whose values `_guarding` gives."""
    where = f"id = {VALUE} AND fence = {VALUE} AND state = '{FlowState.RUNNING}'"
    if not sending:
        return where
    used = f"{table(Connection)} AS used WHERE used.id = connection_id"
    usable = f"used.generation <= {VALUE} AND used.state = '{State.ACTIVE}'"
    return f"{where} AND NOT cancel_requested AND EXISTS (SELECT 1 FROM {used} AND {usable})"  # noqa: S608  names


def _guarding(guard: Guard) -> list[Any]:
    values = (guard.flow_id, guard.fence, guard.generation)
    return [parameter(each) for each in values if each is not None]


def _sets(model: type[models.Model], shape: Shape) -> str:
    return ", ".join(f'"{column_of(model, name).column}" = {text}' for name, text in shape)


def _into(model: type[models.Model], shape: Shape) -> tuple[str, str]:
    """The table with its columns, and what is inserted."""
    names = ", ".join(f'"{column_of(model, name).column}"' for name, _text in shape)
    return f"{table(model)} ({names})", ", ".join(text for _name, text in shape)


def _equal(model: type[models.Model], names: Iterable[str]) -> str:
    return " AND ".join(f'"{column_of(model, name).column}" = {VALUE}' for name in names)


def _keys(model: type[models.Model], values: Fields) -> list[Any]:
    return [
        column_of(model, name).get_db_prep_value(value, connection)
        for name, value in values.items()
    ]


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
            sets = _sets(Step, _placed(fields))
            _run(f"UPDATE {table(Step)} SET {sets} WHERE id = %s", [*_plain(Step, fields), step.pk])  # noqa: S608  names
        for row in bundle.new:
            into, values = _into(row.model, _placed(row.fields))
            _run(f"INSERT INTO {into} VALUES ({values})", _plain(row.model, row.fields))  # noqa: S608  names
        for change in bundle.changes:
            _change(change)
        return told


def _update_flow(guard: Guard, bundle: Bundle) -> bool | None:
    fields = bundle.flow or {"fence": guard.fence}
    sets, where = _sets(Flow, _placed(fields)), _guarded(sending=guard.generation is not None)
    params = [*_plain(Flow, fields), *_guarding(guard)]
    if not _run(f"UPDATE {table(Flow)} SET {sets} WHERE {where}", params):  # noqa: S608  names
        return None
    if guard.generation is not None:
        return False  # the guard has seen that nobody wants it
    [[asked]] = execute_plainly(_ASKED, [guard.flow_id])
    return bool(asked)


_ASKED = f"SELECT cancel_requested FROM {table(Flow)} WHERE id = %s"  # noqa: S608  names


def _placed(fields: Fields) -> Shape:
    """All of it as parameters."""
    return tuple((name, VALUE) for name in fields)


def _plain(model: type[models.Model], fields: Fields) -> list[Any]:
    """The values as Django gives them to the database."""
    return [
        column_of(model, name).get_db_prep_save(value, connection) for name, value in fields.items()
    ]


def _run(sql: str, params: Sequence[Any]) -> int:
    """Write on SQLite; return how many rows were changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _change(change: Change) -> None:
    rows = change.model._default_manager  # noqa: SLF001  Django documents it
    if change.held:
        model, pk = change.held
        model._default_manager.select_for_update().get(pk=pk)  # noqa: SLF001  as above
    if change.copy:
        rows.filter(**change.copy).exclude(pk=change.pk).delete()
    rows.filter(pk=change.pk).update(**change.fields)
