"""What a process does once a day, and again when it failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bokio_app.core import clock
from bokio_app.flows import daily

Job = Callable[[], object]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the day its work."""
    monkeypatch.setattr(daily, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(daily, "_next_look", 0.0)
    monkeypatch.setattr(daily, "_done_on", {})
    monkeypatch.setattr(daily, "JOBS", [])

    def give(*given: Job) -> None:
        monkeypatch.setattr(daily, "ONCE_A_DAY", list(given))

    return give


def test_a_job_of_once_a_day_runs_once_a_day(
    jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Any] = []
    jobs(lambda: ran.append(clock.today()))

    daily.look()
    daily.look()
    tomorrow = clock.today() + timedelta(days=1)
    monkeypatch.setattr(clock, "today", lambda: tomorrow)
    daily.look()
    daily.look()

    assert ran == [tomorrow - timedelta(days=1), tomorrow]


def test_a_job_that_failed_runs_at_the_next_look_and_keeps_no_other_from_running(
    jobs: Callable[..., None],
) -> None:
    ran: list[str] = []

    def failing() -> None:
        ran.append("failing")
        if len(ran) < 3:
            raise RuntimeError

    jobs(failing, lambda: ran.append("sound"))

    daily.look()
    daily.look()
    daily.look()

    assert ran == ["failing", "sound", "failing"]
