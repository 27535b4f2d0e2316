"""SQLite databases that are migrated once in a test run, and copied from then on."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path


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
