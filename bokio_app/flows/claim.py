"""Taking a flow to work on: one worker at a time, in a fair order, fenced by a rising number."""

from __future__ import annotations

import os
import socket
import threading
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bokio_app.connections.models import Connection, State
from bokio_app.core import clock

from . import times
from .models import Flow, FlowState


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


def claim(connection_id: UUID) -> Flow | None:
    """Take one due flow of the connection, or None when there is nothing to do.

    The connection's row is locked meanwhile, so the cap on flows in flight holds however many
    workers claim at once. A claim that meets a lock leaves the work to whoever holds it.
    """
    try:
        with transaction.atomic():
            return _claim(connection_id)
    except IntegrityError:
        return None  # another flow took the same invoice in the same instant


def _claim(connection_id: UUID) -> Flow | None:
    now = clock.now()
    connection = (
        Connection.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(Q(blocked_until__isnull=True) | Q(blocked_until__lte=now), pk=connection_id)
        .filter(state=State.ACTIVE)
        .first()
    )
    if connection is None:
        return None
    running = Flow.objects.filter(
        connection=connection, state=FlowState.RUNNING, lease_until__gte=now
    )
    if running.count() >= settings.FLOWS_PER_CONNECTION:
        return None
    flow = (
        due_flows()
        .filter(connection=connection)
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


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]
