"""Reads of flows, each starting from a tenant."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bokio_app.connections.models import Connection
from bokio_app.tenants.models import Tenant

from .models import Flow, FlowState

PAGE = 100
INVOICE = "invoice:"


class View(models.TextChoices):
    """The lists that a tenant's flows are seen in."""

    NEEDS = "needs", _("Needs you")
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", pgettext_lazy("runs", "Done")
    ALL = "all", _("All")


STATES_OF: dict[str, list[str]] = {
    View.NEEDS: [FlowState.STUCK],
    View.WAITING: [FlowState.READY, FlowState.PARKED],
    View.RUNNING: [FlowState.RUNNING],
    View.DONE: [FlowState.DONE, FlowState.CANCELLED],
    View.ALL: [*FlowState.values],
}

OPEN = [FlowState.READY, FlowState.RUNNING, FlowState.PARKED, FlowState.STUCK]

# A flow that only reads is of interest to a person when it is stuck.
QUIET = Q(kind__startswith="read_") & ~Q(state=FlowState.STUCK)


def flows_of(tenant: Tenant) -> QuerySet[Flow]:
    """All flows of a tenant with company and person, newest first."""
    return tenant.flows.select_related("connection", "created_by").order_by("-created_at", "-pk")


def open_counts(flows: QuerySet[Flow]) -> dict[str, int]:
    """The same of the lists of what has not ended: a small index holds them all."""
    found = counts(flows.filter(state__in=OPEN))
    return {view: found[view] for view in (View.NEEDS, View.WAITING, View.RUNNING)}


def counts(flows: QuerySet[Flow]) -> dict[str, int]:
    """How many of the flows each list holds, by the names of `View`."""
    by_state: dict[str, int] = dict(
        flows.order_by().values("state").annotate(count=Count("*")).values_list("state", "count")
    )
    return {view: sum(by_state.get(state, 0) for state in STATES_OF[view]) for view in View.values}


def older_than(flows: QuerySet[Flow], last: Flow | None) -> QuerySet[Flow]:
    """What follows after `last` in a list that is ordered newest first."""
    if last is None:
        return flows
    earlier = Q(created_at__lt=last.created_at)
    return flows.filter(earlier | Q(created_at=last.created_at, pk__lt=last.pk))


def for_resource(tenant: Tenant, connection: Connection, resource_key: str) -> QuerySet[Flow]:
    """The flows that work, or have worked, on one thing of a company; steps at hand."""
    return (
        flows_of(tenant)
        .filter(connection=connection, resource_key=resource_key)
        .prefetch_related("steps")
    )


def invoice_id(flow: Flow) -> UUID | None:
    """The invoice that the flow works on, if it works on one."""
    if not flow.resource_key.startswith(INVOICE):
        return None
    return UUID(flow.resource_key.removeprefix(INVOICE))
