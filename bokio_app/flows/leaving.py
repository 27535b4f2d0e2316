"""What becomes of a company's flows when it is disconnected."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver

from bokio_app.connections.models import Connection, State
from bokio_app.connections.signals import work_over, work_unwanted
from bokio_app.core import clock
from bokio_app.tenants.models import User

from . import services
from .explain import DISCONNECTED
from .models import Flow, FlowState, StepState

QUEUED = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)


@receiver(work_unwanted, dispatch_uid="flows_stop_before_leaving")
def stop(connection: Connection, by: User | None, **_kwargs: Any) -> None:
    """Cancel what is queued: at once where nothing is under way, else after the running call.

    What waits for a person goes on waiting.
    """
    queued = Flow.objects.filter(connection=connection, state__in=QUEUED, cancel_requested=False)
    for flow in queued.order_by("pk"):
        services.cancel(flow, by=by)


@receiver(work_over, dispatch_uid="flows_end_with_the_connection")
def end(connection: Connection, **_kwargs: Any) -> None:
    """End what was started or left meanwhile. Where a step may have taken effect and nobody can
    read it any more, a person is told so. A call under way is left to its worker.
    """
    mine = Flow.objects.filter(connection=connection, state__in=QUEUED)
    at_work = Q(state=FlowState.RUNNING, lease_until__gte=clock.now())
    # Locked, so that a worker which is late and ends its flow in this instant is not overwritten.
    for flow in mine.exclude(at_work).order_by("pk").select_for_update(no_key=True):
        current = flow.steps.filter(pos=flow.cursor).first()
        if current and current.state in {StepState.SENT, StepState.UNKNOWN}:
            services.leave_unclear(flow, current, code=DISCONNECTED)
        else:
            services.end_now(flow, by=None)


def end_left_over() -> None:
    """End what workers have put back since its connection ended."""
    left = Flow.objects.filter(connection__state=State.ENDED, state__in=QUEUED)
    for connection in Connection.objects.filter(pk__in=left.values("connection")):
        with transaction.atomic():
            end(connection)
