"""What people and other folders can do with flows."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from bokio_app.audit.services import record
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.tenants.models import User

from .models import Flow, FlowState, Lane, Step, StepState
from .operations import OPERATIONS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewStep:
    """An operation and its frozen payload (anything that JSON with dates and decimals holds)."""

    op: str
    payload: dict[str, Any]


class NotStuck(Exception):
    """The flow does not wait for a person (any more)."""


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
) -> tuple[Flow, bool]:
    """Commit a flow with all its steps, in the caller's transaction, and ring for a worker.

    Asked for again, by the same request or for the same business, the flow that exists is
    returned with False.
    """
    try:
        with transaction.atomic():
            flow = Flow.objects.create(
                tenant_id=connection.tenant_id,
                connection=connection,
                kind=kind,
                business_key=business_key,
                request_key=request_key or str(uuid.uuid4()),
                resource_key=resource_key,
                lane=lane,
                not_before=clock.now(),
                created_by=by,
            )
    except IntegrityError:
        return _existing(kind, connection, business_key, request_key), False
    Step.objects.bulk_create(
        Step(flow=flow, pos=pos, op=OPERATIONS[new.op].name, payload=new.payload)
        for pos, new in enumerate(steps)
    )
    record(
        "flow.started",
        tenant=flow.tenant_id,
        subject="flow",
        subject_id=flow.public_id,
        actor=by,
        kind=kind,
        business_key=business_key,
    )
    ring_after_commit(flow)
    return flow, True


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
            step.payload = payloads[step.op]
            step.version += 1
            step.op_key = uuid.uuid4()
            step.attempt = 0
            step.baseline = None
            step.error_code = step.error_message = ""
            step.error_fields = []
            step.save()
        _audit("flow.corrected", flow, by=by)
        ring_after_commit(flow)


def cancel(flow: Flow, *, by: User, reason: str = "") -> None:
    """Stop a flow at the next boundary between steps; what has been done stays done."""
    with transaction.atomic():
        changed = Flow.objects.filter(
            pk=flow.pk, state__in=[FlowState.READY, FlowState.RUNNING, FlowState.PARKED]
        ).update(cancel_requested=True)
        if not changed:
            _leave_stuck(
                flow,
                state=FlowState.READY,
                not_before=clock.now(),
                failures=0,
                cancel_requested=True,
            )
        _audit("flow.cancel_requested", flow, by=by, reason=reason)
        ring_after_commit(flow)


def _leave_stuck(flow: Flow, **fields: Any) -> None:
    left = Flow.objects.filter(pk=flow.pk, state=FlowState.STUCK).update(
        stuck_code="", wait_reason="", **fields
    )
    if not left:
        raise NotStuck
    flow.refresh_from_db()


def _audit(action: str, flow: Flow, *, by: User, **data: Any) -> None:
    record(
        action,
        tenant=flow.tenant_id,
        subject="flow",
        subject_id=flow.public_id,
        actor=by,
        kind=flow.kind,
        **data,
    )
