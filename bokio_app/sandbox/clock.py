"""The sandbox's calendar, which tests may move. Rate windows and holds run on real time instead."""

import datetime as dt
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")
FURTHEST = dt.timedelta(days=100 * 365)


class _Offset:
    by = dt.timedelta(0)


def now() -> dt.datetime:
    """The moment it is in the sandbox, aware and in UTC."""
    return dt.datetime.now(dt.UTC) + _Offset.by


def today() -> dt.date:
    """The accounting day: the calendar day in Stockholm."""
    return now().astimezone(STOCKHOLM).date()


def offset() -> dt.timedelta:
    return _Offset.by


def set_offset(offset: dt.timedelta) -> None:
    """Let the sandbox live this much ahead of the real time (negative: behind).

    Raises `ValueError` beyond `FURTHEST`: no later start could undo a day that does not exist.
    """
    if abs(offset) > FURTHEST:
        raise ValueError("The clock goes no further than 100 years")
    _Offset.by = offset
