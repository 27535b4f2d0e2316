"""The flow that counts: one for each company and day, in the lowest lane, reads only."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, time, timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.audit.services import record
from bokio_app.bokio.client import Bokio
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState, Lane, Step, StepState
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind

from .counting import INVENTORIES, Difference
from .rows import Finding

log = logging.getLogger(__name__)

READ_INVENTORY = register_kind("read_inventory", _("Count what Bokio holds of ours"))
DAYS = 3  # on so many days after it was done, each step is counted
OLDEST_FLOW = timedelta(days=30)  # what was started before that and still ends is not counted
AT_REST = (FlowState.DONE, FlowState.CANCELLED, FlowState.STUCK)


@register
class ReadInventory(Operation):
    """Count a part of what steps have made. Payload: `type`, and what its inventory put there."""

    name = "read_inventory"
    label = _("Counted in Bokio")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        inventory = INVENTORIES[ctx.payload["type"]]
        found = list(inventory.differences(ctx.flow.connection, ctx.payload, bokio))
        return Done({"differences": len(found)}, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        for difference in done.read:
            _raise_alarm(ctx.flow, difference)


def start_due() -> int:
    """Start today's inventory of every company that was worked for lately; returns how many."""
    lately = clock.now() - timedelta(days=DAYS + 1)
    connections = Connection.objects.filter(state=State.ACTIVE, served_at__gte=lately)
    return sum(start(each, today=clock.today()) is not None for each in connections)


def start(connection: Connection, *, today: date) -> Flow | None:
    """Count what steps have made in the days before `today`; None when that is nothing, or has
    been asked for already.
    """
    key = f"{today}:{connection.pk}"
    asked = Flow.objects.filter(
        tenant=connection.tenant_id, kind=READ_INVENTORY, business_key=key
    ).exists()
    if asked:
        return None
    until = datetime.combine(today, time(), tzinfo=clock.STOCKHOLM)
    steps = [
        flows.NewStep(ReadInventory.name, {"type": name, **part})
        for name, inventory in INVENTORIES.items()
        if (made := list(_made(connection, inventory.ops, until=until)))
        for part in inventory.parts(made)
    ]
    if not steps:
        return None
    flow, _started = flows.start(
        READ_INVENTORY,
        connection=connection,
        steps=steps,
        business_key=key,
        lane=Lane.SYNC,
        by=None,
        rings=False,
    )
    return flow


def _made(connection: Connection, ops: tuple[str, ...], *, until: datetime) -> QuerySet[Step]:
    """The steps that made something, or tried to and have come to rest, in order of time."""
    since = until - timedelta(days=DAYS)
    done = Q(state=StepState.DONE, done_at__gte=since, done_at__lt=until)
    given_up = Q(
        state__in=[StepState.PENDING, StepState.SKIPPED],
        flow__state__in=AT_REST,
        intent_at__gte=since,
        intent_at__lt=until,
    )
    return Step.objects.filter(
        done | given_up,
        op__in=ops,
        flow__connection=connection,
        flow__tenant=connection.tenant_id,
        flow__created_at__gte=since - OLDEST_FLOW,
    ).order_by("pk")


def _raise_alarm(flow: Flow, difference: Difference) -> None:
    """Tell of a difference: a row that people see, a line in the audit trail, one in the log."""
    of_step = difference.step.flow_id if difference.step else None
    finding, is_new = Finding.objects.get_or_create(
        connection_id=flow.connection_id,
        object_type=difference.object_type,
        remote_id=difference.remote_id,
        kind=difference.kind,
        defaults={
            "tenant_id": flow.tenant_id,
            "step": difference.step,
            "wanted": _plain(difference.wanted),
            "seen": _plain(difference.seen),
        },
    )
    if not is_new:
        return
    log.error(
        "books_differ kind=%s type=%s remote_id=%s connection=%s flow=%s",
        finding.kind,
        finding.object_type,
        finding.remote_id,
        flow.connection_id,
        of_step or "-",
    )
    record(
        "inventory.difference",
        tenant=flow.tenant_id,
        subject="finding",
        subject_id=finding.public_id,
        kind=finding.kind,
        type=finding.object_type,
        remote_id=finding.remote_id,
        connection=str(flow.connection_id),
    )


def _plain(facts: dict[str, object]) -> dict[str, object]:
    """As it is kept and read again, so that a page shows the same before and after."""
    plain: dict[str, object] = json.loads(json.dumps(facts, cls=DjangoJSONEncoder))
    return plain
