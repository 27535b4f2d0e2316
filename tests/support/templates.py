"""Databases that are migrated once in a test run, and copied from then on: the migrations take
ten seconds of processor time.
"""

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tools import programs


def copy(name: str, target: Path, *, migrate: Callable[[Path], None]) -> None:
    """Put a migrated database at `target`; `migrate` makes one of that file name in a folder."""
    folder = Path(os.environ["VAR_DIR"]) / f"{name}-template"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:  # workers of pytest share the folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            migrate(folder)
            (folder / "ready").touch()
    with (
        contextlib.closing(sqlite3.connect(folder / target.name)) as source,
        contextlib.closing(sqlite3.connect(target)) as made,
    ):
        source.backup(made)


def on_sqlite(target: Path) -> None:
    """Put the product's migrated database at `target`, which is called `app.sqlite3`."""
    copy("product", target, migrate=_migrate_sqlite)


def on_postgres(server: str) -> str:
    """Return the name of the product's migrated database on a server of the test run."""
    template = _template_name()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")  # workers of pytest share the server
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if known.fetchone() is None:
            draft = f"{template}_draft"
            connection.execute(statement("DROP DATABASE IF EXISTS {}", draft))
            connection.execute(statement("CREATE DATABASE {}", draft))
            _migrate(environment() | {"DATABASE_URL": on_server(server, draft)})
            connection.execute(statement("ALTER DATABASE {} RENAME TO {}", draft, template))
    return template


def statement(text: LiteralString, *names: str) -> sql.Composed:
    """A statement with names of databases in it."""
    return sql.SQL(text).format(*(sql.Identifier(name) for name in names))


def on_server(server: str, database: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(server)._replace(path=f"/{database}").geturl()


def environment() -> dict[str, str]:
    """The test run's environment without what is meant for the test process alone."""
    alone = {"DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {name: value for name, value in os.environ.items() if name not in alone}


def _template_name() -> str:
    """A name that changes with the migrations, should the server outlive this run."""
    digest = hashlib.sha256((programs.ROOT / "requirements.txt").read_bytes())
    for path in sorted((programs.ROOT / "bokio_app").glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return f"bokio_app_template_{digest.hexdigest()[:12]}"


def _migrate(env: Mapping[str, str]) -> None:
    command = programs.manage("migrate", "--verbosity", "0")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"migrate: {done.stdout}{done.stderr}"


def _migrate_sqlite(folder: Path) -> None:
    _migrate(environment() | {"DATABASE_URL": "", "VAR_DIR": str(folder)})
