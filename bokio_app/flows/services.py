"""What people and other folders can do with flows."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db import connection as db_connection
from django.db.models import F, Q
from django.dispatch import receiver

from bokio_app.audit.services import line, record_all
from bokio_app.connections.models import Connection
from bokio_app.connections.signals import consent_given, look_wanted
from bokio_app.core import clock
from bokio_app.tenants.models import User

from .epochs import current_epoch
from .explain import LACKS_SCOPE
from .models import Flow, FlowState, Lane, ShortReference, Step, StepState, WaitReason
from .operations import OPERATIONS, reads_only
from .references import short_reference
from .rows import make_durable
from .sealed import closed
from .signals import flow_cancelled

log = logging.getLogger(__name__)

# What a new consent may have ended: Bokio is asked again, and says so if it has not.
HINDRANCES = (
    WaitReason.BOKIO_DOWN,
    WaitReason.CONSENT,
    WaitReason.PLAN,
    WaitReason.TOKEN,
    WaitReason.TOLD_TO_WAIT,
)


@dataclass(frozen=True)
class NewStep:
    """An operation and its frozen payload: anything that JSON with dates and decimals holds, and
    personal numbers of `sealed.seal`.
    """

    op: str
    payload: dict[str, Any]


class NotStuck(Exception):
    """The flow does not wait for a person (any more)."""


@dataclass(frozen=True)
class NewFlow:
    """A flow with its steps, before it is kept. `business_key` is what it does once."""

    kind: str
    connection: Connection
    steps: Sequence[NewStep]
    business_key: str
    request_key: str = ""
    resource_key: str = ""
    lane: Lane = Lane.CLICK
    not_before: datetime | None = None

    def row(self, *, by: User | None, epoch: int) -> Flow:
        """The flow's own row, not yet written."""
        return Flow(
            tenant_id=self.connection.tenant_id,
            connection=self.connection,
            kind=self.kind,
            business_key=self.business_key,
            request_key=self.request_key or str(uuid.uuid4()),
            resource_key=self.resource_key,
            lane=self.lane,
            not_before=self.not_before or clock.now(),
            created_by=by,
            recovery_epoch=epoch,
        )


def start(
    kind: str,
    *,
    connection: Connection,
    steps: Sequence[NewStep],
    business_key: str,
    by: User | None,
    request_key: str = "",
    resource_key: str = "",
    lane: Lane = Lane.CLICK,
    rings: bool = True,
    not_before: datetime | None = None,
) -> tuple[Flow, bool]:
    """Commit a flow with all its steps, with the caller's transaction, and ring for a worker.

    Asked for again, by the same request or for the same business, the flow that exists is
    returned with False. What is in no hurry leaves the ringing to the sweep: `rings=False`.
    Of a lane, those go first whose `not_before` is earliest.
    """
    new = NewFlow(
        kind, connection, steps, business_key, request_key, resource_key, lane, not_before
    )
    try:
        [flow] = start_all([new], by=by)
    except IntegrityError:
        return _existing(kind, connection, business_key, request_key), False
    if rings:
        ring_after_commit(flow)
    return flow, True


def start_all(wanted: Sequence[NewFlow], *, by: User | None) -> list[Flow]:
    """Commit flows with all their steps, with the caller's transaction and few statements.

    Nobody is told: whoever starts thousands rings once, or leaves it to the sweep. Raises
    `IntegrityError`, and then keeps none, if one of them exists already.
    """
    with transaction.atomic():
        make_durable()
        epoch = current_epoch()
        started = Flow.objects.bulk_create([new.row(by=by, epoch=epoch) for new in wanted])
        # Together: a worker that met a flow without steps would call it done.
        made = Step.objects.bulk_create(
            Step(
                flow=flow,
                pos=pos,
                op=OPERATIONS[step.op].name,
                payload=closed(step.payload, flow=flow, pos=pos),
            )
            for flow, new in zip(started, wanted, strict=True)
            for pos, step in enumerate(new.steps)
        )
        for step in made:
            _reserve_reference(step, step.flow)
        record_all(
            _audit_line("flow.started", flow, by=by, business_key=flow.business_key)
            for flow, new in zip(started, wanted, strict=True)
            if by or not reads_only(step.op for step in new.steps)
        )
    return started


def _reserve_reference(step: Step, flow: Flow) -> None:
    """Keep a short reference free of twins: a step whose mark is taken gets another key."""
    if not OPERATIONS[step.op].referenced:
        return
    while True:
        text = short_reference(step.op_key)
        taken = {"connection_id": flow.connection_id, "text": text}
        _row, reserved = ShortReference.objects.get_or_create(**taken, defaults={"step": step})
        if reserved:
            return
        step.op_key = uuid.uuid4()
        step.save(update_fields=["op_key"])


def _existing(kind: str, connection: Connection, business_key: str, request_key: str) -> Flow:
    flows = Flow.objects.filter(tenant_id=connection.tenant_id)
    by_business = flows.filter(kind=kind, business_key=business_key).exclude(
        state=FlowState.CANCELLED
    )
    found = by_business.first() or flows.filter(request_key=request_key).first()
    if found is None:
        raise IntegrityError(f"No room for {kind} {business_key}, and none exists.")
    return found


def ring_after_commit(flow: Flow) -> None:
    """Tell the workers, once the rows are committed, that this connection has work."""
    from .tasks import ring  # noqa: PLC0415  tasks run the engine, which starts nothing

    connection_id, lane = flow.connection_id, Lane(flow.lane)
    transaction.on_commit(lambda: ring(connection_id, lane=lane))


def retry(flow: Flow, *, by: User, reason: str = "") -> None:
    """Let a stuck flow go on from its current step; an unclear step is read first, as always.

    Raises `NotStuck`.
    """
    with transaction.atomic():
        _leave_stuck(flow, state=FlowState.READY, not_before=clock.now(), failures=0)
        # A person's word gives a step that was sent too often a new row of attempts.
        flow.steps.filter(state=StepState.PENDING, attempt__gt=1).update(attempt=1)
        _audit("flow.retried", flow, by=by, reason=reason)
        ring_after_commit(flow)


def correct(flow: Flow, payloads: dict[str, dict[str, Any]], *, by: User) -> None:
    """Give a stuck flow corrected payloads (operation → payload) and let it go on.

    Only steps that have provably had no effect take them, under a new version and marker.
    Raises `NotStuck`.
    """
    with transaction.atomic():
        _leave_stuck(flow, state=FlowState.READY, not_before=clock.now(), failures=0)
        for step in flow.steps.select_for_update().filter(op__in=payloads, state=StepState.PENDING):
            step.payload = closed(payloads[step.op], flow=flow, pos=step.pos)
            step.version += 1
            step.op_key = uuid.uuid4()
            step.attempt = 0
            step.baseline = None
            step.error_code = step.error_message = ""
            step.error_fields = []
            step.save()
            _reserve_reference(step, flow)
        _audit("flow.corrected", flow, by=by)
        ring_after_commit(flow)


def cancel(flow: Flow, *, by: User | None, reason: str = "") -> None:
    """Stop a flow between two steps: now where nobody works on it, else at the next boundary.

    What has been done stays done. A step with an unknown outcome is read once more before the
    flow ends. Raises `NotStuck` for a flow that has ended.
    """
    with transaction.atomic():
        current = Flow.objects.select_for_update().get(pk=flow.pk)
        if not current.is_open:
            raise NotStuck
        _audit("flow.cancel_requested", flow, by=by, reason=reason)
        if current.state != FlowState.RUNNING and _is_between_steps(current):
            _end(current, by=by)
        else:
            _ask_to_end(current)
            ring_after_commit(current)
    flow.refresh_from_db()


def end_now(flow: Flow, *, by: User | None) -> None:
    """Cancel a flow that no worker holds and whose step is not under way; in the caller's
    transaction. Whoever still held it is fenced.
    """
    current = Flow.objects.select_for_update().get(pk=flow.pk)
    current.fence += 1
    current.lease_until, current.lease_owner = None, ""
    _end(current, by=by)


def leave_unclear(flow: Flow, step: Step, *, code: str) -> None:
    """Stop a flow whose step may have taken effect, and which no worker can read any more; in
    the caller's transaction. Whoever still held it is fenced.
    """
    Flow.objects.filter(pk=flow.pk).update(
        state=FlowState.STUCK,
        stuck_code=code,
        wait_reason="",
        lease_until=None,
        lease_owner="",
        fence=F("fence") + 1,
    )
    unclear = {"state": StepState.UNKNOWN, "unknown_at": step.unknown_at or clock.now()}
    Step.objects.filter(pk=step.pk).update(error_code=code, error_message="", **unclear)
    _audit("flow.stuck", flow, by=None, step=step.op, code=code)


def abandon(flow: Flow, *, by: User | None, reason: str = "") -> None:
    """End a stuck flow at once, without another look at Bokio.

    For a caller who has proof that its unclear step has no effect. Raises `NotStuck`.
    """
    with transaction.atomic():
        current = Flow.objects.select_for_update().get(pk=flow.pk)
        if current.state != FlowState.STUCK:
            raise NotStuck
        _audit("flow.cancel_requested", current, by=by, reason=reason)
        _end(current, by=by)
    flow.refresh_from_db()


@receiver([consent_given, look_wanted], dispatch_uid="flows_go_on_after_consent")
def go_on_after_consent(connection: Connection, **_kwargs: Any) -> None:
    """Let flows that waited for the connection, its plan or its quota go on at once.

    One that a worker has just locked is left out: it moves already, and must not be waited for.
    """
    waiting = Flow.objects.select_for_update(
        skip_locked=db_connection.features.has_select_for_update_skip_locked, no_key=True
    ).filter(
        Q(state__in=[FlowState.READY, FlowState.PARKED], wait_reason__in=HINDRANCES)
        | Q(state=FlowState.STUCK, stuck_code=LACKS_SCOPE),
        connection=connection,
    )
    flows = list(waiting)
    Flow.objects.filter(pk__in=[flow.pk for flow in flows]).update(
        state=FlowState.READY, wait_reason="", stuck_code="", not_before=clock.now(), failures=0
    )
    if flows:
        ring_after_commit(min(flows, key=lambda flow: flow.lane))


def _is_between_steps(flow: Flow) -> bool:
    return flow.steps.filter(pos=flow.cursor, state=StepState.PENDING).exists()


def _end(flow: Flow, *, by: User | None) -> None:
    flow.state, flow.finished_at = FlowState.CANCELLED, clock.now()
    flow.cancel_requested, flow.holds_resource = True, False
    flow.wait_reason = flow.stuck_code = ""
    flow.save()
    _audit("flow.cancelled", flow, by=by)
    flow_cancelled.send(Flow, flow=flow)


def _ask_to_end(flow: Flow) -> None:
    """Leave the end to a worker, who first settles what is unclear."""
    flow.cancel_requested = True
    if flow.state == FlowState.STUCK:
        flow.state, flow.not_before = FlowState.READY, clock.now()
        flow.wait_reason = flow.stuck_code = ""
        flow.failures = 0
    flow.save()


def _leave_stuck(flow: Flow, **fields: Any) -> None:
    left = Flow.objects.filter(pk=flow.pk, state=FlowState.STUCK).update(
        stuck_code="", wait_reason="", **fields
    )
    if not left:
        raise NotStuck
    flow.refresh_from_db()


def _audit(action: str, flow: Flow, *, by: User | None, **data: Any) -> None:
    record_all([_audit_line(action, flow, by=by, **data)])


def _audit_line(action: str, flow: Flow, *, by: User | None, **data: Any) -> dict[str, Any]:
    return line(
        action,
        tenant=flow.tenant_id,
        subject="flow",
        subject_id=flow.public_id,
        actor=by,
        kind=flow.kind,
        **data,
    )
