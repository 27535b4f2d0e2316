"""Several readings of one company may run at once: an older one never replaces a newer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from bokio_app.core import clock

from .models import FlowState, Reading, Step, StepState
from .operations import StepContext


def asked_at(ctx: StepContext) -> datetime:
    """When this reading began to ask: what it found is at least as new as that."""
    return ctx.step.intent_at or clock.now()


def is_newest(ctx: StepContext, subject: str) -> bool:
    """Whether nothing newer is kept of this subject, which then counts as read.

    Call it in the transaction that keeps what was read: two of them wait for each other here.
    """
    moment = asked_at(ctx)
    row, _made = Reading.objects.get_or_create(
        connection_id=ctx.flow.connection_id, subject=subject, defaults={"asked_at": moment}
    )
    newer = Reading.objects.filter(pk=row.pk, asked_at__lte=moment)
    return newer.update(asked_at=moment) == 1


def written_since_asked(ctx: StepContext, resource_key: str) -> bool:
    """Whether a step has changed the thing while this reading read it, or is changing it now."""
    return bool(written_since(ctx.flow.connection_id, [resource_key], asked_at(ctx)))


def written_since(connection_id: UUID, resource_keys: Iterable[str], moment: datetime) -> set[str]:
    """Of these things: those that a step has changed since the moment, or is changing now."""
    done = Q(state=StepState.DONE, done_at__gte=moment)
    at_work = Q(state=StepState.SENT, flow__state=FlowState.RUNNING)
    steps = Step.objects.filter(
        flow__connection_id=connection_id, flow__resource_key__in=list(resource_keys)
    )
    return set(steps.filter(done | at_work).values_list("flow__resource_key", flat=True))
