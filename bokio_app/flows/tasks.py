"""The row is the truth, the message only a bell: a task carries a connection's id, no more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from django.conf import settings
from django.db import close_old_connections, transaction
from django.db import connection as database
from django.db.models import Q

from bokio_app.connections import usage
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock

from . import daily, errands
from .claim import DUE, HELD, due_flows, held_elsewhere
from .crew import Crew
from .models import Flow, FlowState, Lane, WaitReason
from .rows import table
from .signals import swept

log = logging.getLogger(__name__)

SWEEP_LOCK = 7_267_001  # of PostgreSQL's advisory locks; the number means nothing
TICK = 1.0  # seconds between two looks of a worker that hears no bells


class Ears:
    """What this process hears: without a crew, it is no worker."""

    crew: Crew | None = None
    heard_at = 0.0


def ring(connection_id: UUID, *, lane: Lane) -> None:
    """Ask a worker to look for work of a connection. A bell that fails is rung by the sweep.

    Without a broker only a worker rings, for itself: nobody would ever empty another's queue.
    """
    if not settings.REDIS_URL:
        _wake(connection_id, lane=lane)
        return
    urgent = lane <= Lane.REPAIR
    queue = "click" if urgent else "work"
    try:
        work.apply_async([str(connection_id), urgent], queue=queue, retry=False, expires=60)
    except Exception as error:  # noqa: BLE001  no broker failure may reach the person who clicked
        log.warning("bell_failed connection=%s error=%s", connection_id, type(error).__name__)


def be_ready_to_ring() -> None:
    """Load now what a process would load at its first bell, while somebody waits for that.

    No connection is made. Finding out that results are kept nowhere takes Celery longest.
    """
    if settings.REDIS_URL:
        app = work.app
        app.finalize()
        with app.connection_for_write() as broker:
            _ready = app.backend, app.amqp.send_task_message, broker.transport


@shared_task
def work(connection_id: str, urgent: bool = False) -> None:
    """Have this process's crew run due flows of the connection until none is due.

    With `urgent`, only what somebody waits for. Delivered twice, the second finds nothing to
    claim; lost, `sweep` rings again within seconds.
    """
    Ears.heard_at = time.monotonic()
    _wake(UUID(connection_id), lane=Lane.CLICK if urgent else Lane.BATCH)


@shared_task
def sweep() -> None:
    """Ring for everything that is due, left behind or no longer hindered. Safe to run twice."""
    Ears.heard_at = time.monotonic()
    _sweep(ring)


def _sweep(tell: Callable[..., None]) -> None:
    for connection_id, lane in look():
        tell(connection_id, lane=lane)
    usage.write()
    daily.look()
    swept.send(Flow)
    if Ears.crew:  # only a worker calls Bokio
        errands.look()


def look() -> list[tuple[UUID, Lane]]:
    """Set in motion what has been waiting; return whom to ring for, in the order of their turns.

    Of several who look at the same time one does it, and the others find nothing.
    """
    if not _ask(_DUE):
        return []
    with transaction.atomic():
        if not _leads():
            return []
        if _ask(_HINDERED):
            _park_and_release()
            busy = WaitReason.INVOICE_BUSY
            due_flows().filter(held_elsewhere()).exclude(wait_reason=busy).update(wait_reason=busy)
    return _ringing()


def due_connections() -> list[UUID]:
    """Connections with work that can go on now, the longest unserved first."""
    return [pk for pk, _lane in _ringing()]


def _wake(connection_id: UUID, *, lane: Lane) -> None:
    """Ring in this process, if it works."""
    if Ears.crew:
        Ears.crew.wake(connection_id, urgent=lane <= Lane.REPAIR)


def _leads() -> bool:
    """Whether nobody else is looking; on SQLite one process works, and transactions queue."""
    if database.vendor != "postgresql":
        return True
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
        return bool(cursor.fetchone()[0])


# Looks are many, and by far the most of them find nothing: they ask by statements of fixed text.
_DUE = f"""
SELECT 1 FROM {table(Flow)} AS flow
WHERE {DUE} OR flow.state = '{FlowState.PARKED}'
LIMIT 1
"""  # noqa: S608  only our own names stand in it
_HINDERED = f"""
SELECT 1 FROM {table(Flow)} AS flow
JOIN {table(Connection)} AS owner ON owner.id = flow.connection_id
WHERE (owner.state = '{State.ACTIVE}') = (flow.state = '{FlowState.PARKED}') AND (
    flow.state IN ('{FlowState.READY}', '{FlowState.PARKED}')
    OR flow.state = '{FlowState.RUNNING}' AND flow.lease_until < %(now)s)
  OR {DUE} AND flow.wait_reason <> '{WaitReason.INVOICE_BUSY}' AND {HELD}
LIMIT 1
"""  # noqa: S608  only our own names stand in it
# Whether a company has due flows and a place for one: of clicks and repairs, of all others.
_BUSY = f"""(
  SELECT count(*) FROM {table(Flow)} AS busy
  WHERE busy.connection_id = owner.id AND busy.state = '{FlowState.RUNNING}'
    AND busy.lease_until >= %(now)s AND busy.lane"""  # noqa: S608  only our own names stand in it
_MINE = f"""
  SELECT 1 FROM {table(Flow)} AS flow
  WHERE flow.connection_id = owner.id AND {DUE} AND NOT {HELD}"""  # noqa: S608  only our own names stand in it
_RINGING = f"""
SELECT id,
  {_BUSY} <= {Lane.REPAIR}) < %(cap)s AND EXISTS ({_MINE} AND flow.lane <= {Lane.REPAIR}),
  {_BUSY} > {Lane.REPAIR}) < %(cap)s AND EXISTS ({_MINE} AND flow.lane > {Lane.REPAIR})
FROM {table(Connection)} AS owner
WHERE state = '{State.ACTIVE}' AND (blocked_until IS NULL OR blocked_until <= %(now)s)
  AND EXISTS ({_MINE})
ORDER BY row_number() OVER (PARTITION BY tenant_id ORDER BY served_at NULLS FIRST),
  served_at NULLS FIRST
"""  # noqa: S608  only our own names stand in it


def _ask(sql: str) -> list[tuple[Any, ...]]:
    now = database.ops.adapt_datetimefield_value(clock.now())
    with database.cursor() as cursor:
        cursor.execute(sql, {"now": now, "cap": settings.FLOWS_PER_CONNECTION})
        return list(cursor.fetchall())


def _park_and_release() -> None:
    """Park what no consent carries, what a dead worker left behind included; release the rest."""
    left_behind = Q(state=FlowState.RUNNING, lease_until__lt=clock.now())
    Flow.objects.exclude(connection__state=State.ACTIVE).filter(
        left_behind | Q(state=FlowState.READY)
    ).update(
        state=FlowState.PARKED,
        wait_reason=WaitReason.CONSENT,
        lease_until=None,
        lease_owner="",
    )
    Flow.objects.filter(connection__state=State.ACTIVE, state=FlowState.PARKED).update(
        state=FlowState.READY, wait_reason="", not_before=clock.now()
    )


def _ringing() -> list[tuple[UUID, Lane]]:
    """Connections with due work and a place for it: first those with clicks, then the others.

    The longest unserved comes first, but of each tenant one before the second of any.
    """
    found = [
        (key if isinstance(key, UUID) else UUID(key), clicks, others)
        for key, clicks, others in _ask(_RINGING)
    ]
    clicked = [(pk, Lane.CLICK) for pk, clicks, _ in found if clicks]
    return clicked + [(pk, Lane.BATCH) for pk, _, others in found if others]


@worker_ready.connect
def begin_work(sender: Any, **_kwargs: Any) -> None:
    """Give this process its crew, and have it look by itself whenever it hears no bells."""
    Ears.crew = Crew(threads=sender.controller.concurrency)
    Ears.heard_at = time.monotonic()
    threading.Thread(target=_look_while_deaf, name="flow-look", daemon=True).start()


@worker_shutdown.connect
def end_work(**_kwargs: Any) -> None:
    """Finish the calls under way, give the flows back and leave no call uncounted."""
    if Ears.crew:
        Ears.crew.stop(patience=settings.FLOW_SEND_GUARD + settings.FLOW_DEADLINE)
    usage.write()


def _look_while_deaf() -> None:
    """Without broker, scheduler or messages: look at the rows instead of listening."""
    pause = threading.Event()
    while not pause.wait(min(TICK, settings.FLOW_SWEEP_EVERY)):
        silent = time.monotonic() - Ears.heard_at
        if settings.REDIS_URL and silent < 2 * settings.FLOW_SWEEP_EVERY:
            continue
        try:
            _sweep(_wake)
        except Exception:
            log.exception("poll_failed")
        finally:
            close_old_connections()
