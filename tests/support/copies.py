"""A copy of the tests' database as operators make one, and the way back to it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier, Literal


class DatabaseCopy:
    """The whole database as it was when `with` began; `restore` puts it back in its place.

    Everything of the database is in it: tokens, limiter, audit trail. Nobody else may be at work.
    """

    def __enter__(self) -> Self:
        self._name = str(connection.settings_dict["NAME"])
        _disconnect()
        if connection.vendor == "sqlite":
            shutil.copy(self._name, self._copy)
        else:
            self._run(SQL("DROP DATABASE IF EXISTS {copy}"))
            self._end_sessions()  # connections that threads of earlier tests left idle
            self._run(SQL("CREATE DATABASE {copy} TEMPLATE {name}"))
        return self

    def restore(self) -> None:
        """Forget everything that was committed since."""
        _disconnect()
        if connection.vendor == "sqlite":
            for rest in ("-wal", "-shm"):
                Path(self._name + rest).unlink(missing_ok=True)
            shutil.copy(self._copy, self._name)
            return
        self._run(SQL("DROP DATABASE {name} WITH (FORCE)"))
        self._run(SQL("CREATE DATABASE {name} TEMPLATE {copy}"))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if connection.vendor == "sqlite":
            Path(self._copy).unlink(missing_ok=True)
        else:
            self._run(SQL("DROP DATABASE IF EXISTS {copy}"))

    @property
    def _copy(self) -> str:
        return f"{self._name}_copy"

    def _end_sessions(self) -> None:
        """Close what others hold open, and wait until it is."""
        self._run(
            SQL(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = {literal} AND pid <> pg_backend_pid()"
            )
        )

    def _run(self, statement: SQL) -> None:
        options = connection.settings_dict
        with psycopg.connect(
            host=options["HOST"],
            port=options["PORT"],
            user=options["USER"],
            password=options["PASSWORD"],
            dbname="postgres",
            autocommit=True,
        ) as server:
            names = {"copy": Identifier(self._copy), "name": Identifier(self._name)}
            server.execute(statement.format(**names, literal=Literal(self._name)))


def _disconnect() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
