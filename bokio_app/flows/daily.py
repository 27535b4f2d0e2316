"""Work of once a day. Each worker's sweep looks now and then whether it is due: no schedule that
could be missed, and nothing but rows to say what was done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date

from django.conf import settings

from bokio_app.connections import closing
from bokio_app.core import clock
from bokio_app.tenants import accounts

from .inventory import reading
from .trimming import trim_answers

log = logging.getLogger(__name__)

LOOK_EVERY = 900.0  # seconds between two looks of one process

_next_look = 0.0
_done_on: dict[Callable[[], object], date] = {}


def look() -> None:
    """Start what is due today, unless this process has looked a short while ago."""
    global _next_look  # noqa: PLW0603  one clock for the process
    if time.monotonic() < _next_look:
        return
    _next_look = time.monotonic() + LOOK_EVERY * settings.TIME_FACTOR
    today = clock.today()
    for job in (*JOBS, *(each for each in ONCE_A_DAY if _done_on.get(each) != today)):
        try:
            job()
        except Exception:
            log.exception("daily_failed job=%s", job.__name__)
        else:
            _done_on[job] = today


# Folders above add theirs. Of the first, rows say what is due; the second look through all rows,
# so a process that has done that today leaves it at that.
JOBS: list[Callable[[], object]] = [reading.start_due]
ONCE_A_DAY: list[Callable[[], object]] = [
    trim_answers,
    accounts.erase_unproven,
    closing.erase_due,
]
