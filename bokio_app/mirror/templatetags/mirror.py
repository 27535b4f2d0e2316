"""What templates ask about our copy of a company's books."""

from __future__ import annotations

from datetime import datetime

from django import template

from bokio_app.connections.models import Connection
from bokio_app.mirror.freshness import Freshness, freshness_of
from bokio_app.mirror.progress import Copy, copy_of, invoices_as_of
from bokio_app.tenants.models import Tenant

register = template.Library()


@register.simple_tag
def our_copy(connection: Connection) -> Copy:
    """`{% our_copy connection as copy %}`: what is held of each list, and how far a reading is."""
    return copy_of(connection)


@register.simple_tag
def read_as_of(tenant: Tenant, company: Connection | None) -> datetime | None:
    """`{% read_as_of request.tenant company as at %}`: how old the open invoices shown are."""
    return invoices_as_of(tenant, company)


@register.simple_tag
def freshness(tenant: Tenant, company: Connection | None) -> Freshness:
    """`{% freshness request.tenant company as fresh %}`: of a company, or of all (None)."""
    return freshness_of(tenant, company or None)
