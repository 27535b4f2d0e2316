"""The stack's own database, read and disturbed from outside the application."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from tests.support.processes import Stack

Rows = list[tuple[Any, ...]]


def query(stack: Stack, statement: str, *values: object) -> Rows:
    """Run one statement, committed at once, with `%s` for each value."""
    if stack.embedded:
        file = sqlite3.connect(stack.var / "app.sqlite3", timeout=20)
        with contextlib.closing(file), file:
            return file.execute(statement.replace("%s", "?"), values).fetchall()
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        done = connection.execute(statement.encode(), values or None)
        return done.fetchall() if done.description else []


def texts(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every row of every table as (table, text); bytes stand in it as they are and as hex."""
    if stack.embedded:
        yield from _sqlite_texts(stack)
        return
    with psycopg.connect(stack.database_url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (name,) in names:
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
            for row in rows:
                yield name, _text(row)


def _sqlite_texts(stack: Stack) -> Iterator[tuple[str, str]]:
    for (name,) in query(stack, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in query(stack, f'SELECT * FROM "{name}"'):  # noqa: S608  # a name of our own
            yield name, _text(row)


def _text(row: tuple[Any, ...]) -> str:
    parts = [
        f"{bytes(value)!r} {bytes(value).hex()}"
        if isinstance(value, bytes | memoryview)
        else str(value)
        for value in row
    ]
    return "\n".join(parts)
