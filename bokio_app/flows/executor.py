"""Which processes execute flows: on SQLite exactly one, on PostgreSQL all with the right time."""

import fcntl
import logging
import os
import threading
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import connection as database

from bokio_app.core import clock

log = logging.getLogger(__name__)

# An owner whose clock is fast takes absence for settled too early, and one whose clock is slow
# writes intents that look settled to others. Machines that keep their time differ by far less.
FURTHEST = timedelta(seconds=5)

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _lock_file() -> int:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    return os.open(settings.VAR_DIR / "executor.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def may_execute() -> bool:
    """Whether this process may work on flows now.

    Not while its machine's clock differs from the database's; and on SQLite only for the process
    that holds the lock, which dies with it.
    """
    if not has_the_time():
        return False
    if not settings.EMBEDDED:
        return True
    with _lock:
        try:
            fcntl.flock(_lock_file(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def has_the_time() -> bool:
    """Whether this machine's clock is the database's, give or take what the question takes."""
    before = clock.now()
    theirs = database_time()
    after = clock.now()
    right = before - FURTHEST <= theirs <= after + FURTHEST
    if not right:
        log.error("clock_wrong seconds=%.1f", (before - theirs).total_seconds())
    return right


def database_time() -> datetime:
    """The one clock that all machines share; with SQLite there is one machine."""
    if database.vendor != "postgresql":
        return clock.now()
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
