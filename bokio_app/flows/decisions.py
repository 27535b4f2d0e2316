"""What a person decides about a stuck flow beyond letting it go on or dropping the rest.

Each takes a reason, which goes into the audit trail with what was decided. None of them calls
Bokio: a worker looks, compares and binds.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.tenants.models import User

from .models import Flow, FlowState, Step, StepState
from .operations import OPERATIONS
from .services import NotStuck, ring_after_commit
from .signals import flow_finished

HANDLED = "handled"  # why a step was skipped: a person has seen to it in Bokio


class NotUnclear(Exception):
    """Nothing is in doubt: the step was provably not carried out, so it can simply be retried."""


class NotSettled(Exception):
    """The lost request could still take effect; asked again after the step's `settle_at`."""


class NotAdoptable(Exception):
    """The step changes a thing instead of making one: there is no id to take for its own."""


def adopt(flow: Flow, remote_id: str, *, by: User, reason: str) -> None:
    """Say that this thing at Bokio is what the stuck step made.

    A worker fetches it, compares it with the payload and binds it; where it differs, is not
    there or is another step's, the flow is stuck again. Raises `NotStuck`, `NotUnclear`,
    `NotAdoptable`.
    """
    with transaction.atomic():
        current, step = _unclear(flow)
        if not OPERATIONS[step.op].object_type:
            raise NotAdoptable
        step.adopt_id = remote_id
        step.save(update_fields=["adopt_id"])
        _go_on(current)
        _audit("flow.adopted", current, step, by=by, reason=reason, remote_id=remote_id)
    flow.refresh_from_db()


def send_again(flow: Flow, *, by: User, reason: str) -> None:
    """Say that nothing of what the proof read saw is the stuck step's effect.

    Bokio is read once more without those, as often as certainty takes, and only if nothing new
    is there the step is sent again. Raises `NotStuck`, `NotUnclear`, `NotSettled`.
    """
    with transaction.atomic():
        current, step = _unclear(flow)
        if step.settle_at and clock.now() < step.settle_at:
            raise NotSettled
        step.disowned = [*step.disowned, *step.evidence]
        step.absent_reads = 0
        step.save(update_fields=["disowned", "absent_reads"])
        _go_on(current)
        _audit("flow.disowned", current, step, by=by, reason=reason, seen=step.evidence)
    flow.refresh_from_db()


def mark_handled(flow: Flow, *, by: User, reason: str) -> None:
    """End a stuck flow as done: a person has seen to what was left, in Bokio itself.

    Unlike a cancelled one, the same work cannot be started again by its business key.
    Raises `NotStuck`.
    """
    with transaction.atomic():
        current, step = _stuck(flow)
        left = current.steps.filter(pos__gte=current.cursor).exclude(
            state__in=[StepState.DONE, StepState.SKIPPED]
        )
        left.update(
            state=StepState.SKIPPED,
            skip_reason=HANDLED,
            resolved_by="person",
            done_at=clock.now(),
        )
        current.state, current.finished_at = FlowState.DONE, clock.now()
        current.stuck_code = current.wait_reason = ""
        current.holds_resource = False
        current.save()
        _audit("flow.handled", current, step, by=by, reason=reason)
        flow_finished.send(Flow, flow=current)
    flow.refresh_from_db()


def may_send_again(step: Step) -> bool:
    """Whether an unclear step's request can no longer take effect by itself."""
    return step.settle_at is None or clock.now() >= step.settle_at


def _stuck(flow: Flow) -> tuple[Flow, Step]:
    current = Flow.objects.select_for_update().get(pk=flow.pk)
    if current.state != FlowState.STUCK:
        raise NotStuck
    return current, current.steps.get(pos=current.cursor)


def _unclear(flow: Flow) -> tuple[Flow, Step]:
    current, step = _stuck(flow)
    if step.state not in {StepState.SENT, StepState.UNKNOWN}:
        raise NotUnclear
    return current, step


def _go_on(flow: Flow) -> None:
    flow.state, flow.not_before, flow.failures = FlowState.READY, clock.now(), 0
    flow.stuck_code = flow.wait_reason = ""
    flow.save(update_fields=["state", "not_before", "failures", "stuck_code", "wait_reason"])
    ring_after_commit(flow)


def _audit(action: str, flow: Flow, step: Step, *, by: User, **data: Any) -> None:
    record(
        action,
        tenant=flow.tenant_id,
        subject="flow",
        subject_id=flow.public_id,
        actor=by,
        kind=flow.kind,
        step=step.op,
        **data,
    )
