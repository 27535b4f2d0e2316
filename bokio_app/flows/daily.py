"""Work of once a day. Each worker's sweep looks now and then whether it is due: no schedule that
could be missed, and nothing but rows to say what was done.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings

from .inventory import reading
from .trimming import trim_answers

log = logging.getLogger(__name__)

LOOK_EVERY = 900.0  # seconds between two looks of one process

_next_look = 0.0


def look() -> None:
    """Start what is due today, unless this process has looked a short while ago."""
    global _next_look  # noqa: PLW0603  one clock for the process
    if time.monotonic() < _next_look:
        return
    _next_look = time.monotonic() + LOOK_EVERY * settings.TIME_FACTOR
    for job in JOBS:
        try:
            job()
        except Exception:
            log.exception("daily_failed job=%s", job.__name__)


JOBS = (reading.start_due, trim_answers)
