"""Emptying the database after a test that commits, within milliseconds.

Django's own way empties every table, for which PostgreSQL makes new files, and then creates all
permissions and content types anew. Here only tables that hold something are emptied, and these
two stay as the migrations have left them.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.test import TransactionTestCase

KEPT = {"auth_permission", "django_content_type", "django_migrations"}


def install() -> None:
    """Have Django's transactional tests leave the database empty in this way."""
    TransactionTestCase._fixture_teardown = _leave_empty  # type: ignore[attr-defined]


def _leave_empty(test: Any) -> None:
    for alias in test._databases_names(include_mirrors=False):
        empty(alias)


def empty(alias: str) -> None:
    """Delete all rows but those of `KEPT`, in one transaction, at whose end keys are compared."""
    connection = connections[alias]
    tables = sorted(set(connection.introspection.table_names()) - KEPT)
    names = {table: connection.ops.quote_name(table) for table in tables}
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {name})"  # noqa: S608  our own names
        for table, name in names.items()
    )
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(filled)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {names[table]}")  # noqa: S608  our own names
