"""Taking a flow to work on: one worker at a time, in a fair order, fenced by a rising number."""

from __future__ import annotations

import os
import socket
import threading
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bokio_app.connections.models import Connection, State
from bokio_app.core import clock

from . import times
from .models import Flow, FlowState, Lane

URGENT = Q(lane__lte=Lane.REPAIR)


def due_flows() -> QuerySet[Flow]:
    """Flows that a worker could go on with: ready and due, or left behind by a dead worker."""
    now = clock.now()
    return Flow.objects.filter(
        Q(state=FlowState.READY, not_before__lte=now)
        | Q(state=FlowState.RUNNING, lease_until__lt=now)
    )


def held_elsewhere() -> Exists:
    """True for a flow whose invoice another flow has begun to work on and not yet finished."""
    others = Flow.objects.filter(
        connection=OuterRef("connection"),
        resource_key=OuterRef("resource_key"),
        holds_resource=True,
    ).exclude(pk=OuterRef("pk"))
    return Exists(others.exclude(resource_key=""))


def claim(connection_id: UUID, *, urgent: bool = False) -> Flow | None:
    """Take one due flow of the connection, or None when there is nothing to do.

    With `urgent`, only what somebody waits for: clicks and repairs. Those have places of their
    own beside the batches', so that a click does not wait until a batch's flow has ended.

    The connection's row is locked meanwhile, so the cap on flows in flight holds however many
    workers claim at once. A claim that meets a lock leaves the work to whoever holds it.
    """
    try:
        with transaction.atomic():
            return _claim(connection_id, urgent=urgent)
    except IntegrityError:
        return None  # another flow took the same invoice in the same instant


def _claim(connection_id: UUID, *, urgent: bool) -> Flow | None:
    now = clock.now()
    connection = (
        Connection.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(Q(blocked_until__isnull=True) | Q(blocked_until__lte=now), pk=connection_id)
        .filter(state=State.ACTIVE)
        .first()
    )
    if connection is None:
        return None
    places = _places(connection, now, urgent=urgent)
    if places is None:
        return None
    flow = (
        due_flows()
        .filter(places, connection=connection)
        .exclude(held_elsewhere())
        .order_by("lane", "not_before", "pk")
        .first()
    )
    if flow is None:
        return None
    # It may have ended, or been put back, between the two statements.
    taken = due_flows().filter(pk=flow.pk)
    won = taken.update(
        state=FlowState.RUNNING,
        wait_reason="",
        fence=F("fence") + 1,
        lease_owner=_worker(),
        lease_until=times.lease(now),
        holds_resource=bool(flow.resource_key),
    )
    if not won:
        return None
    Connection.objects.filter(pk=connection.pk).update(served_at=now)
    flow.refresh_from_db()
    flow.connection = connection
    return flow


def _places(connection: Connection, now: datetime, *, urgent: bool) -> Q | None:
    """Which flows may be taken in addition to those that run; None when none may."""
    running = Flow.objects.filter(
        connection=connection, state=FlowState.RUNNING, lease_until__gte=now
    )
    lanes = list(running.values_list("lane", flat=True))
    clicks = sum(lane <= Lane.REPAIR for lane in lanes)
    for_clicks = clicks < settings.FLOWS_PER_CONNECTION
    for_others = not urgent and len(lanes) - clicks < settings.FLOWS_PER_CONNECTION
    if for_clicks and for_others:
        return Q()
    if for_clicks:
        return URGENT
    return ~URGENT if for_others else None


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]
