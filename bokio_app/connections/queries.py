"""Reads of connections, each starting from a tenant."""

from django.db.models import Q, QuerySet

from bokio_app.core import clock
from bokio_app.core.number_search import with_number
from bokio_app.tenants.models import Tenant

from .models import Connection, State

CHOICES = 12  # as many a native select may offer, and a list below a field show


def live(tenant: Tenant) -> QuerySet[Connection]:
    """The companies a tenant sees: connected, or waiting for a new consent or token."""
    return tenant.connections.filter(is_proven=True).exclude(state=State.ENDED)


def troubled(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Those that may need something; all others work. Whether they do need it, `health` says."""
    return connections.filter(
        ~Q(state=State.ACTIVE)
        | ~Q(hindered_by="")
        | ~Q(lacks=[])
        | Q(blocked_until__gt=clock.now())
    )


def open_for_work(tenant: Tenant) -> QuerySet[Connection]:
    """The companies for which something may be ordered: none of a closed workspace's."""
    return tenant.connections.filter(tenant__closed_at=None).exclude(state=State.ENDED)


def matching(connections: QuerySet[Connection], text: str) -> QuerySet[Connection]:
    """Those whose name or organisation number holds the text; all without one."""
    if not text:
        return connections
    return connections.filter(Q(name__icontains=text) | with_number(text))


def named(tenant: Tenant, text: str, *, picked: Connection | None) -> Connection | None:
    """The company of a field where one types: the one picked, else the first that fits.

    Without script the id that was picked stays when the text is changed, so the text decides.
    """
    if picked and str(picked) == text:
        return picked
    return matching(live(tenant), text).first() if text else None
