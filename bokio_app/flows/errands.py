"""What workers do for connections beside flows, on a thread of its own: a sweep never waits for
Bokio. The rows say what is due and hold a lease, so a process may end at any moment.
"""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import close_old_connections

from bokio_app.connections import closing, disconnecting, notices, roll_call

from . import leaving

log = logging.getLogger(__name__)

LOOK_EVERY = 300.0  # seconds between two looks of one process for what is not urgent

URGENT = (closing.to_disconnect, disconnecting.due, notices.due)

_running = threading.Lock()
_next_look = 0.0


def look() -> None:
    """Begin what is due, unless this process is at it already."""
    rare = time.monotonic() >= _next_look
    urgent = any(each().exists() for each in URGENT)
    if not (rare or urgent) or not _running.acquire(blocking=False):
        return
    try:
        threading.Thread(target=_run, args=[rare], name="errands", daemon=True).start()
    except BaseException:
        _running.release()
        raise


def run_due() -> None:
    """Take companies that leave one step on; one that fails does not keep the others."""
    closing.disconnect_all()
    for leaving_id in list(disconnecting.due().values_list("pk", flat=True)):
        try:
            disconnecting.go_on(leaving_id)
        except Exception:
            log.exception("errand_failed leaving=%s", leaving_id)
    try:
        notices.send_due()
    except Exception:
        log.exception("errand_failed job=notices")


def run_rare() -> None:
    """Do what is done now and then; one job that fails does not keep the others."""
    jobs = (leaving.end_left_over, roll_call.take, roll_call.renew_idle, notices.tell_lasting)
    for job in jobs:
        try:
            job()
        except Exception:
            log.exception("errand_failed job=%s", job.__name__)


def _run(rare: bool) -> None:
    global _next_look  # noqa: PLW0603  one clock for the process
    try:
        run_due()
        if rare:
            _next_look = time.monotonic() + LOOK_EVERY * settings.TIME_FACTOR
            run_rare()
    finally:
        close_old_connections()
        _running.release()
