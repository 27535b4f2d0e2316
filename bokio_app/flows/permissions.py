"""When a company no longer lacks a permission that a run had stopped for: Bokio tells nobody, so
a run that needed it and has ended well is what shows it.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from bokio_app.connections import standing

from .explain import LACKS_SCOPE
from .models import Flow, FlowState, StepState
from .operations import OPERATIONS
from .signals import flow_cancelled, flow_finished


@receiver(flow_finished, dispatch_uid="flows_show_permissions")
def show_given(flow: Flow, **_kwargs: Any) -> None:
    """What the flow's steps needed is allowed."""
    if flow.connection.lacks:
        done = flow.steps.filter(state=StepState.DONE).values_list("op", flat=True)
        scopes = {scope for op in done for scope in OPERATIONS[op].scopes}
        standing.is_given(flow.connection, scopes)


@receiver(flow_cancelled, dispatch_uid="flows_want_no_permission")
def forget_wanted(flow: Flow, **_kwargs: Any) -> None:
    """A person has given up the last run that had stopped for want of a permission. Readings
    begin again by themselves, so the end of one means nothing.
    """
    if flow.created_by_id is None or not flow.connection.lacks:
        return
    stopped = Flow.objects.filter(
        connection=flow.connection_id, state=FlowState.STUCK, stuck_code=LACKS_SCOPE
    )
    if not stopped.exclude(pk=flow.pk).exists():
        standing.wants_no_more(flow.connection)
