"""Keeping both databases as they are, and putting them back within milliseconds."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from django.db import connections

KEPT = "kept_{number}"


@dataclass(frozen=True)
class Snapshot:
    """What `default` and `sandbox` held at one moment. Restored as often as wanted."""

    product: Any
    sandbox: sqlite3.Connection

    @classmethod
    def take(cls) -> Snapshot:
        product: Any
        if connections["default"].vendor == "sqlite":
            product = _copy(_raw("default"))
        else:
            product = _Schema.keep()
        return cls(product, _copy(_raw("sandbox")))

    def restore(self) -> None:
        """Both databases as they were; whatever was committed since is gone."""
        self.sandbox.backup(_raw("sandbox"))
        if isinstance(self.product, _Schema):
            self.product.put_back()
        else:
            self.product.backup(_raw("default"))


def _raw(alias: str) -> Any:
    connections[alias].ensure_connection()
    return connections[alias].connection


def _copy(source: sqlite3.Connection) -> sqlite3.Connection:
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    source.backup(kept)
    return kept


@dataclass(frozen=True)
class _Schema:
    """Copies of PostgreSQL's tables in a schema beside them, put back in one statement."""

    statement: str

    @classmethod
    def keep(cls) -> _Schema:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'kept\\_%'")
            schema = KEPT.format(number=cursor.fetchone()[0])
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = sorted(name for (name,) in cursor.fetchall())
            parts = ["SET LOCAL session_replication_role = replica"]
            for table in tables:
                kept, live = f'{schema}."{table}"', f'public."{table}"'
                cursor.execute(f"CREATE TABLE {kept} AS TABLE {live}")
                cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {live})")  # noqa: S608  our own names
                parts.append(f"DELETE FROM {live}")  # noqa: S608  our own names
                if cursor.fetchone()[0]:
                    parts.append(f"INSERT INTO {live} SELECT * FROM {kept}")  # noqa: S608  our own
            cursor.execute("SELECT sequencename, last_value FROM pg_sequences")
            for name, last in cursor.fetchall():
                given = f"{last}, true" if last else "1, false"
                parts.append(f"SELECT setval('public.\"{name}\"', {given})")
        return cls("; ".join(parts))

    def put_back(self) -> None:
        # One message is one transaction; foreign keys are not looked at meanwhile.
        with connections["default"].cursor() as cursor:
            cursor.execute(self.statement)
