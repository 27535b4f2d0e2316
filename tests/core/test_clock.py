"""Accounting days are days in Stockholm, late at night and over clock changes too."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine

from bokio_app.core import clock


@pytest.mark.parametrize(
    "moment, day",
    [
        ("2026-01-31T22:30:00+00:00", date(2026, 1, 31)),  # 23:30 in winter
        ("2026-01-31T23:30:00+00:00", date(2026, 2, 1)),  # 00:30 in winter
        ("2026-06-30T21:30:00+00:00", date(2026, 6, 30)),  # 23:30 in summer
        ("2026-06-30T22:30:00+00:00", date(2026, 7, 1)),  # 00:30 in summer
        ("2026-03-28T22:59:59+00:00", date(2026, 3, 28)),  # the night summer time begins
        ("2026-03-28T23:00:00+00:00", date(2026, 3, 29)),
        ("2026-03-29T21:59:59+00:00", date(2026, 3, 29)),  # the evening after it
        ("2026-03-29T22:00:00+00:00", date(2026, 3, 30)),
        ("2026-10-24T21:59:59+00:00", date(2026, 10, 24)),  # the night it ends
        ("2026-10-24T22:00:00+00:00", date(2026, 10, 25)),
        ("2026-10-25T22:59:59+00:00", date(2026, 10, 25)),
        ("2026-10-25T23:00:00+00:00", date(2026, 10, 26)),
    ],
)
def test_today_is_the_day_in_stockholm(moment: str, day: date) -> None:
    with time_machine.travel(moment, tick=False):
        assert clock.today() == day
        assert clock.now().utcoffset() is not None
