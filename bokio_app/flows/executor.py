"""On SQLite exactly one process executes flows; others stand by until it is gone."""

import fcntl
import os
import threading
from functools import lru_cache

from django.conf import settings

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _lock_file() -> int:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    return os.open(settings.VAR_DIR / "executor.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def may_execute() -> bool:
    """True on PostgreSQL; on SQLite for the process that holds the lock, which dies with it."""
    if not settings.EMBEDDED:
        return True
    with _lock:
        try:
            fcntl.flock(_lock_file(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
