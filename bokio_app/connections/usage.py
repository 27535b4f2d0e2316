"""Calls and refusals by company: counted in memory, written seldom, and the breaker they open.

Refused requests are a budget of Bokio's. Five equal ones, with no success of their operation in
between, mean that a sixth would fare no better: the company rests until somebody has had time to
look. What other operations achieve meanwhile says nothing: most flows have good calls before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from bokio_app.audit.services import record
from bokio_app.bokio.http import Call
from bokio_app.core import clock

from . import grants
from .causes import Cause
from .models import Connection, Usage

log = logging.getLogger(__name__)

MOST_CALLS = 50  # unwritten calls of one company
LONGEST = 10.0  # seconds that they stay unwritten while there are more
BREAKER = "breaker"  # how `blocked_by` begins when we have paused a company ourselves
# A worn token, a clash of writes and the rate are no refusals of what was asked for.
NOT_REFUSED = frozenset({401, 409, 429})


@dataclass
class Tally:
    """What this process has not written yet of one company."""

    calls: int = 0
    failures: int = 0
    succeeded: dict[str, datetime] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    @property
    def is_due(self) -> bool:
        return self.calls >= MOST_CALLS or time.monotonic() - self.since >= LONGEST


_tallies: dict[UUID, Tally] = {}
_lock = threading.Lock()


def heard(connection_id: UUID, call: Call) -> None:
    """Count a finished call. Never raises: what it is called from must hear of the call's own
    outcome.
    """
    if not call.sent:
        return
    refused = 400 <= call.status < 500
    with _lock:
        tally = _tallies.setdefault(connection_id, Tally())
        tally.calls += 1
        tally.failures += refused
        if 200 <= call.status < 300:
            tally.succeeded[call.operation] = clock.now()
        if not (refused or tally.is_due):
            return
    try:
        write(connection_id)
        if refused and call.status not in NOT_REFUSED:
            _refused(connection_id, f"{call.status} {call.operation}")
    except Exception:
        log.exception("usage_unwritten connection=%s", connection_id)


def write(*connection_ids: UUID) -> None:
    """Write what was counted of these companies, of all by default."""
    wanted: Iterable[UUID] = connection_ids or list(_tallies)
    for connection_id in wanted:
        with _lock:
            tally = _tallies.pop(connection_id, None)
        if tally:
            _add(connection_id, tally)


# One statement on either database: each worker writes at each sweep.
_ADD = """
INSERT INTO connections_usage AS kept
    (connection_id, month, calls, day, calls_of_day, failures, refused_as, refusals)
SELECT id, %s, %s, %s, %s, %s, '', 0 FROM connections_connection WHERE id = %s
ON CONFLICT (connection_id) DO UPDATE SET
    month = excluded.month,
    calls = excluded.calls + CASE WHEN kept.month = excluded.month THEN kept.calls ELSE 0 END,
    day = excluded.day,
    calls_of_day = excluded.calls_of_day
        + CASE WHEN kept.day = excluded.day THEN kept.calls_of_day ELSE 0 END,
    failures = excluded.failures + CASE WHEN kept.day = excluded.day THEN kept.failures ELSE 0 END
RETURNING refusals, refused_as
"""


def _add(connection_id: UUID, tally: Tally) -> None:
    """Write a tally; of a connection that is gone, nobody asks any more what it used."""
    today = clock.today()
    day = database.ops.adapt_datefield_value
    key = connection_id if database.features.has_native_uuid_field else connection_id.hex
    month = day(today.replace(day=1))
    counted = [month, tally.calls, day(today), tally.calls, tally.failures, key]
    with database.cursor() as cursor:
        cursor.execute(_ADD, counted)
        row = cursor.fetchone()
    refusals, refused_as = row or (0, "")
    if refusals and (succeeded := tally.succeeded.get(refused_as.partition(" ")[2])):
        mine = Usage.objects.filter(pk=connection_id, refused_as=refused_as)
        mine.filter(refused_at__lt=succeeded).update(refusals=0)


def _refused(connection_id: UUID, refusal: str) -> None:
    """Note a refusal, as status and operation; the last of so many opens the breaker."""
    now = clock.now()
    with transaction.atomic():
        Usage.objects.filter(pk=connection_id).update(
            refusals=Case(When(refused_as=refusal, then=F("refusals") + 1), default=Value(1)),
            refused_as=refusal,
            refused_at=now,
        )
        equal = Usage.objects.values_list("refusals", flat=True).get(pk=connection_id)
        if equal >= settings.FLOW_BREAKER_REFUSALS:
            until = now + timedelta(seconds=settings.FLOW_BREAKER_REST)
            _open_breaker(connection_id, refusal, until=until)


def _open_breaker(connection_id: UUID, refusal: str, *, until: datetime) -> None:
    connection = Connection.objects.get(pk=connection_id)
    code = f"{BREAKER} {refusal}"[:60]
    is_open = Q(blocked_by=code, blocked_until__gt=clock.now())
    if Connection.objects.filter(is_open, pk=connection_id).exists():
        return  # calls that were under way when it opened
    grants.block(connection, until=until, code=code, cause=Cause.PAUSED)
    log.warning("breaker_open connection=%s refusal=%s", connection_id, refusal)
    record(
        "connection.paused",
        tenant=connection.tenant_id,
        subject="connection",
        subject_id=connection.pk,
        refusal=refusal,
        until=until.isoformat(),
    )
