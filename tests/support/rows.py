"""All rows of the database, so that a test can say that nothing of somebody's has changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, models

Key = tuple[str, Any]  # a table and a row's primary key
Rows = Mapping[Key, Mapping[str, Any]]

NOBODYS = (ContentType, Permission, Session)  # a browser's session is its own
SIGNING_IN = {"last_login"}  # which a test does for whoever asks


def all_rows() -> dict[Key, dict[str, Any]]:
    """Every row with all of its values, as the database gives them."""
    rows = {}
    with connection.cursor() as cursor:
        for table, (key, columns, sql) in _tables().items():
            cursor.execute(sql)
            for found in cursor.fetchall():
                values = dict(zip(columns, map(_plain, found), strict=True))
                rows[table, values[key]] = values
    return rows


def changed(before: Rows, after: Rows) -> list[Key]:
    """Rows of `before` that are gone or have another value."""
    return [key for key, values in before.items() if after.get(key) != values]


def pointing_at(rows: Rows, owned: Rows, *, known: Rows) -> list[Key]:
    """Rows that are not `known` and whose foreign keys lead to one of those `owned`."""
    return [
        key
        for key, values in rows.items()
        if key not in known
        and any((table, values[column]) in owned for column, table in _foreign_keys()[key[0]])
    ]


@cache
def _tables() -> dict[str, tuple[str, list[str], str]]:
    """By table: the column of its key, its columns, and the statement that reads them all."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if model in NOBODYS or meta.pk is None:
            continue
        columns = [each.column for each in meta.concrete_fields if each.name not in SIGNING_IN]
        names = ", ".join(map(connection.ops.quote_name, columns))
        sql = f"SELECT {names} FROM {connection.ops.quote_name(meta.db_table)}"  # noqa: S608  our own names
        found[meta.db_table] = meta.pk.column, columns, sql
    return found


@cache
def _foreign_keys() -> dict[str, list[tuple[str, str]]]:
    """By table: the columns that lead to another, and which."""
    return {
        model._meta.db_table: [
            (field.column, field.remote_field.model._meta.db_table)
            for field in model._meta.concrete_fields
            if isinstance(field, models.ForeignKey)
        ]
        for model in apps.get_models(include_auto_created=True)
    }


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
