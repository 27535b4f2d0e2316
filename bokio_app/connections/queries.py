"""Reads of connections, each starting from a tenant."""

from django.db.models import QuerySet

from bokio_app.tenants.models import Tenant

from .models import Connection, State


def live(tenant: Tenant) -> QuerySet[Connection]:
    """The companies a tenant sees: connected, or waiting for a new consent."""
    return tenant.connections.exclude(state=State.ENDED)
