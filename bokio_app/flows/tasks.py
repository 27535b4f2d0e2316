"""The row is the truth, the message only a bell: a task carries a connection's id, no more."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from django.conf import settings
from django.db import close_old_connections
from django.db.models import Exists, OuterRef, Q

from bokio_app.connections import usage
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock

from . import daily, engine
from .claim import URGENT, claim, due_flows, held_elsewhere
from .executor import may_execute
from .models import Flow, FlowState, Lane, WaitReason

log = logging.getLogger(__name__)

MOST_THREADS = 1024

_hears_itself = threading.Event()
_for_batches = threading.BoundedSemaphore(MOST_THREADS)


def ring(connection_id: UUID, *, lane: Lane) -> None:
    """Ask a worker to look for work of a connection. A bell that fails is rung by the sweep.

    Without a broker only a worker rings, for itself: nobody would ever empty another's queue.
    """
    if not (settings.REDIS_URL or _hears_itself.is_set()):
        return
    urgent = lane <= Lane.REPAIR
    queue = "click" if urgent else "work"
    try:
        work.apply_async([str(connection_id), urgent], queue=queue, retry=False, expires=60)
    except Exception as error:  # noqa: BLE001  no broker failure may reach the person who clicked
        log.warning("bell_failed connection=%s error=%s", connection_id, type(error).__name__)


@shared_task
def work(connection_id: str, urgent: bool = False) -> None:
    """Run due flows of the connection, one after the other, until none is due or time is up.

    With `urgent`, only what somebody waits for. Delivered twice, the second finds nothing to
    claim; lost, `sweep` rings again within seconds.
    """
    if not may_execute():
        return
    if urgent:
        _run_due(UUID(connection_id), urgent=True)
        return
    places = _for_batches
    if places.acquire(blocking=False):
        try:
            _run_due(UUID(connection_id))
        finally:
            places.release()


def _run_due(connection_id: UUID, *, urgent: bool = False) -> None:
    until = clock.now() + timedelta(seconds=settings.FLOW_TURN)
    while clock.now() < until and (flow := claim(connection_id, urgent=urgent)):
        engine.run(flow, until=until)


@shared_task
def sweep() -> None:
    """Ring for everything that is due, left behind or no longer hindered. Safe to run twice."""
    now = clock.now()
    broken = ~Q(connection__state=State.ACTIVE)
    Flow.objects.filter(broken, state=FlowState.READY).update(
        state=FlowState.PARKED, wait_reason=WaitReason.CONSENT
    )
    Flow.objects.filter(connection__state=State.ACTIVE, state=FlowState.PARKED).update(
        state=FlowState.READY, wait_reason="", not_before=now
    )
    due = due_flows()
    due.filter(held_elsewhere()).update(wait_reason=WaitReason.INVOICE_BUSY)
    for connection_id, lane in _ringing(due.exclude(held_elsewhere())):
        ring(connection_id, lane=lane)
    usage.write()
    daily.look()


def due_connections() -> list[UUID]:
    """Connections with work that can go on now, the longest unserved first."""
    return [pk for pk, _lane in _ringing(due_flows().exclude(held_elsewhere()))]


def _ringing(due: Any) -> list[tuple[UUID, Lane]]:
    """Connections with due work, the longest unserved first: once for clicks, once for others."""
    mine = due.filter(connection=OuterRef("pk"))
    now = clock.now()
    ready = (
        Connection.objects.filter(Exists(mine), state=State.ACTIVE)
        .filter(Q(blocked_until__isnull=True) | Q(blocked_until__lte=now))
        .annotate(clicks=Exists(mine.filter(URGENT)), others=Exists(mine.exclude(URGENT)))
        .order_by("served_at")
        .values_list("pk", "clicks", "others")
    )
    rows = list(ready)
    clicked = [(pk, Lane.CLICK) for pk, clicks, _others in rows if clicks]
    return clicked + [(pk, Lane.BATCH) for pk, _clicks, others in rows if others]


@worker_ready.connect
def reserve_an_executor(sender: Any, **_kwargs: Any) -> None:
    """Keep one thread of this process free for clicks, whatever batches there are."""
    global _for_batches  # noqa: PLW0603  set once, before the first message is taken
    _for_batches = threading.BoundedSemaphore(max(sender.controller.concurrency - 1, 1))


@worker_ready.connect
def poll_without_broker(**_kwargs: Any) -> None:
    """Without Redis no message reaches this process: look at the rows instead of listening."""
    if not settings.REDIS_URL:
        _hears_itself.set()
        threading.Thread(target=_poll, name="flow-poll", daemon=True).start()


@worker_shutdown.connect
def write_usage(**_kwargs: Any) -> None:
    """Leave no call uncounted when a worker ends in good order."""
    usage.write()


def _poll() -> None:
    pause = threading.Event()
    while not pause.wait(min(1.0, settings.FLOW_SWEEP_EVERY)):
        try:
            sweep()
        except Exception:
            log.exception("poll_failed")
        finally:
            close_old_connections()
