"""Who is due: one question over an index at each sweep, a few companies at a time."""

from __future__ import annotations

import logging
import math
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver

from bokio_app.connections.models import Connection, State
from bokio_app.connections.signals import reading_wanted
from bokio_app.core import clock
from bokio_app.flows.models import Lane
from bokio_app.flows.signals import swept
from bokio_app.invoicing.sync.invoices import ListOpenInvoices
from bokio_app.ledger.sync import BOOKS
from bokio_app.tenants.models import User

from . import budget, rounds, times
from .models import Mirror

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds between two looks of one process
FEWEST = 5  # companies begun with in one look
CATCH_UP = 2  # after a standstill, so many times the usual number
UNDER_WAY = timedelta(minutes=1)  # until a look after a reading that has not ended
ASK_AGAIN = timedelta(minutes=1)  # between two readings that a person asks for

_next_look = 0.0


@receiver(swept, dispatch_uid="mirror_look")
def look_now_and_then(**_kwargs: Any) -> None:
    """Look after a sweep, unless this process has looked a moment ago."""
    global _next_look  # noqa: PLW0603  one clock for the process
    if time.monotonic() < _next_look:
        return
    _next_look = time.monotonic() + LOOK_EVERY
    try:
        look()
    except Exception:
        log.exception("mirror_look_failed")


def look() -> int:
    """Begin what is due, the longest overdue first; returns how many companies were looked at.

    Of several who look at the same time each takes other companies. After a standstill all are
    overdue: a few at each look, so that they do not all call in the same second.
    """
    found = due(clock.now(), most=most_at_once())
    for connection_id in found:
        with transaction.atomic():
            _plan(connection_id)
    return len(found)


def due(now: datetime, *, most: int) -> list[UUID]:
    """Companies that have a reading due and may be called for, the longest overdue first."""
    free = Q(connection__blocked_until=None) | Q(connection__blocked_until__lte=now)
    mirrors = Mirror.objects.filter(free, next_at__lte=now, connection__state=State.ACTIVE)
    return list(mirrors.order_by("next_at").values_list("pk", flat=True)[:most])


def most_at_once() -> int:
    """Companies to begin with in one look, so that all have their turn in half of their time."""
    looks = settings.MIRROR_OPEN_WITHIN / LOOK_EVERY
    return max(FEWEST, math.ceil(Mirror.objects.count() * CATCH_UP / looks))


def _plan(connection_id: UUID) -> None:
    now = clock.now()
    skips = database.features.has_select_for_update_skip_locked
    mirror = (
        Mirror.objects.select_for_update(skip_locked=skips, of=("self",) if skips else ())
        .select_related("connection")
        .filter(pk=connection_id, next_at__lte=now)
        .first()
    )
    if mirror is None:
        return
    if mirror.all_at <= now:
        began = rounds.start_all(mirror)
    else:
        began = rounds.start_open(mirror)
        rounds.start_details(mirror)
    if began:
        _set_times(mirror, now)
    else:
        rounds.hasten(mirror.connection)
        mirror.next_at = now + UNDER_WAY
        mirror.save(update_fields=["next_at"])


def _set_times(mirror: Mirror, now: datetime) -> None:
    left = budget.allowance_of(mirror.connection)
    if mirror.all_at <= now:
        calls = len(BOOKS) + rounds.calls_of(mirror.connection, rounds.LISTS)
        mirror.all_at = now + times.until_all(calls, left)
    calls = rounds.calls_of(mirror.connection, (ListOpenInvoices.name,))
    mirror.open_at = now + times.until_open(calls, left)
    mirror.next_at = min(mirror.all_at, mirror.open_at)
    mirror.save(update_fields=["all_at", "open_at", "next_at"])


@receiver(reading_wanted, dispatch_uid="mirror_reads_lists")
def read_all(connection: Connection, by: User | None, **_kwargs: Any) -> None:
    """Read all lists now: the company was connected, or a person asks for it.

    The folder that keeps the books reads them by itself then.
    """
    now = clock.now()
    Mirror.objects.get_or_create(
        connection=connection, defaults={"next_at": now, "all_at": now, "open_at": now}
    )
    # What the caller holds of the connection may be older than the consent.
    mirror = Mirror.objects.select_for_update().get(pk=connection.pk)
    asked_lately = mirror.asked_at and mirror.asked_at > now - ASK_AGAIN
    if asked_lately and not rounds.unread(mirror.connection):
        return
    mirror.asked_at = mirror.all_at = now
    mirror.save(update_fields=["asked_at", "all_at"])
    if not rounds.start_all(mirror, by=by, lane=Lane.BATCH, books=False):
        rounds.hasten(mirror.connection)
    _set_times(mirror, now)
