"""Restores of the database: each raises the epoch, and an older flow is not taken at its word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, QuerySet

from bokio_app.connections.grants import Access, access_of
from bokio_app.connections.models import TokenGrant
from bokio_app.core import clock

from .models import Flow, FlowState, Recovery, Step, StepState, WaitReason
from .rows import columns, execute, execute_plainly, instance, parameter, table, width

# So long after a restore, what is started anew may exist at Bokio: a flow that was lost made it.
STARTED_ANEW = timedelta(days=30)

MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)
_LATEST = f"""
SELECT {columns(Step, of="step")}, {columns(TokenGrant, of="pair")}, cancel_requested,
       (SELECT coalesce(max(epoch), 0) FROM {table(Recovery)})
FROM {table(Flow)} AS flow JOIN {table(Step)} AS step ON step.flow_id = flow.id
LEFT JOIN {table(TokenGrant)} AS pair ON pair.connection_id = flow.connection_id
  AND pair.generation = (
    SELECT max(generation) FROM {table(TokenGrant)} WHERE connection_id = flow.connection_id)
WHERE flow.id = %s ORDER BY pos
"""  # noqa: S608  only our own names stand in it


def current_epoch() -> int:
    """How many times the database was restored, as far as `recover` was told."""
    return Recovery.objects.aggregate(newest=Max("epoch"))["newest"] or 0


@dataclass(frozen=True)
class Latest:
    """What a worker reads as it begins with a flow. Whoever raises the epoch later fences it.

    `access` is None if no token is known to be good, and must be asked for then.
    """

    steps: list[Step]
    cancel_requested: bool
    epoch: int
    access: Access | None = None


def latest(flow: Flow) -> Latest:
    """The flow's steps in order, and what may have changed since it was claimed."""
    if connection.vendor == "postgresql":
        found = execute(_LATEST, [parameter(flow.pk)])
    else:
        found = execute_plainly(_LATEST, [flow.pk])
    if found:
        steps = [instance(Step, row[: width(Step)]) for row in found]
        *pair, asked, epoch = found[0][width(Step) :]
        return Latest(steps, bool(asked), epoch, _access(flow, pair))
    flow.refresh_from_db(fields=["cancel_requested"])
    return Latest([], flow.cancel_requested, current_epoch())


def _access(flow: Flow, pair: list[Any]) -> Access | None:
    """The newest token, if it lasts long enough; the claim has seen that the connection works."""
    if pair[0] is None:
        return None
    grant = instance(TokenGrant, pair)
    grant.connection = flow.connection
    return access_of(grant)


def unchecked(epoch: int) -> QuerySet[Flow]:
    """Open flows of which a restore may have lost the latest steps."""
    ended = (FlowState.DONE, FlowState.CANCELLED)
    return Flow.objects.filter(recovery_epoch__lt=epoch).exclude(state__in=ended)


def may_be_lost(flow: Flow) -> bool:
    """Whether a flow that a restore has taken with it may have done the work of this one, which
    was started since. Without a recovery this costs no query.
    """
    if not flow.recovery_epoch:
        return False
    return _lately().filter(epoch__lte=flow.recovery_epoch).exists()


def were_lost() -> bool:
    """Whether a restore may have taken flows with it that will be started anew."""
    return _lately().exists()


def _lately() -> QuerySet[Recovery]:
    return Recovery.objects.filter(created_at__gte=clock.now() - STARTED_ANEW)


def raise_epoch(reason: str) -> Recovery:
    """Put every open flow in doubt, and fence every worker that is at one.

    A request that left just before the restore can still take effect at Bokio until
    `settled_at`: before that, absence proves nothing.
    """
    window = settings.FLOW_SEND_GUARD + settings.FLOW_FILE_DEADLINE + settings.FLOW_SETTLE
    settled_at = clock.now() + timedelta(seconds=window)
    with transaction.atomic():
        recovery = Recovery.objects.create(
            epoch=current_epoch() + 1, reason=reason, settled_at=settled_at
        )
        Flow.objects.filter(state=FlowState.RUNNING).update(
            state=FlowState.READY,
            fence=F("fence") + 1,
            not_before=clock.now(),
            wait_reason=WaitReason.RECOVERY,
            lease_until=None,
            lease_owner="",
        )
        Step.objects.filter(
            flow__in=unchecked(recovery.epoch), state__in=[StepState.SENT, StepState.UNKNOWN]
        ).update(settle_at=settled_at, absent_reads=0)
    return recovery
