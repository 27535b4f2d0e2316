"""How much a connection may call: the monthly allowance of private ones, and failed calls a day.

Counts live in memory and are written to `Usage` within a second, so that they survive a restart
without costing the calls themselves a write. Days and months are those of Stockholm [assumed].
"""

import datetime as dt
import threading
from collections import Counter
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from django.db import connections
from django.db.models import F, Sum

from bokio_app.sandbox import clock, store, switches
from bokio_app.sandbox.models import Connection, Usage
from bokio_app.sandbox.refusals import Refusal

WRITE_SECONDS = 1.0


@dataclass(frozen=True)
class _Day:
    connection_id: int
    day: dt.date


def is_private(connection: Connection) -> bool:
    return connection.application.private_to_id is not None


class Meter:
    """Counts calls and failures per connection and day; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new_calls: Counter[_Day] = Counter()
        self._new_failures: Counter[_Day] = Counter()
        self._failures_of_day: dict[_Day, int] = {}
        self._calls_of_month: dict[tuple[int, dt.date], int] = {}
        self._writer: threading.Thread | None = None

    def check(self, connection: Connection) -> None:
        """Raises a 403 `Refusal` with `Retry-After` once an allowance is used up."""
        values, today = switches.current(), clock.today()
        allowed = values.private_monthly_calls
        if is_private(connection) and self._month(connection.company_id, today) >= allowed:
            first = today.replace(day=1)
            raise _used_up("monthly calls", (first + dt.timedelta(days=32)).replace(day=1))
        allowed = values.failed_calls_per_day
        if allowed and self._failures(connection.pk, today) >= allowed:
            raise _used_up("failed calls of a day", today + dt.timedelta(days=1))

    def count(self, connection: Connection, *, failed: bool) -> None:
        """Count a call that passed `check`. Any answer from 400 up is a failure [assumed]."""
        today = clock.today()
        key = _Day(connection.pk, today)
        with self._lock:
            self._new_calls[key] += 1
            if failed:
                self._new_failures[key] += 1
                if key in self._failures_of_day:
                    self._failures_of_day[key] += 1
            if is_private(connection):
                month = (connection.company_id, today.replace(day=1))
                if month in self._calls_of_month:
                    self._calls_of_month[month] += 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_later, daemon=True)
                self._writer.start()

    def forget(self) -> None:
        """Drop what is not written yet, and what was read: the books are about to change."""
        with self._lock:
            self._new_calls.clear()
            self._new_failures.clear()
            self._failures_of_day.clear()
            self._calls_of_month.clear()

    def write(self) -> None:
        """Bring the table up to date."""
        with self._lock:
            calls, self._new_calls = self._new_calls, Counter()
            failures, self._new_failures = self._new_failures, Counter()
        if not calls:
            return
        with store.write(changes_access=False):
            ids = {key.connection_id for key in calls}
            alive = set(Connection.objects.filter(pk__in=ids).values_list("pk", flat=True))
            for key, count in calls.items():
                if key.connection_id in alive:
                    _add(key, count, failures[key])

    def _write_later(self) -> None:
        try:
            threading.Event().wait(WRITE_SECONDS)
            with self._lock:
                self._writer = None
            self.write()
        finally:
            connections.close_all()

    def _month(self, company_id: int, today: dt.date) -> int:
        """The calls of all private integrations of the company in this month."""
        key = (company_id, today.replace(day=1))
        if key not in self._calls_of_month:
            self.write()
            rows = Usage.objects.filter(
                connection__company=company_id,
                connection__application__private_to__isnull=False,
                day__year=today.year,
                day__month=today.month,
            )
            self._calls_of_month[key] = rows.aggregate(sum=Sum("calls"))["sum"] or 0
        return self._calls_of_month[key]

    def _failures(self, connection_id: int, today: dt.date) -> int:
        key = _Day(connection_id, today)
        if key not in self._failures_of_day:
            self.write()
            row = Usage.objects.filter(connection=connection_id, day=today).first()
            self._failures_of_day[key] = row.failed if row else 0
        return self._failures_of_day[key]


def _add(key: _Day, calls: int, failed: int) -> None:
    row: Any
    row, made = Usage.objects.get_or_create(
        connection_id=key.connection_id,
        day=key.day,
        defaults={"calls": calls, "failed": failed},
    )
    if not made:
        Usage.objects.filter(pk=row.pk).update(
            calls=F("calls") + calls, failed=F("failed") + failed
        )


def _used_up(what: str, until: dt.date) -> Refusal:
    moment = dt.datetime.combine(until, dt.time(), clock.STOCKHOLM).astimezone(dt.UTC)
    if switches.current().retry_after_form == "date":
        text = format_datetime(moment.replace(microsecond=0), usegmt=True)
    else:
        text = str(max(int((moment - clock.now()).total_seconds()), 1))
    return Refusal(
        403, "quota-exceeded", f"The allowance of {what} is used up", headers={"Retry-After": text}
    )


meter = Meter()
