"""What other pages show of the work queue."""

from __future__ import annotations

from django import template

from bokio_app.connections.models import Connection
from bokio_app.console.shown import OfCompany, of_company
from bokio_app.tenants.models import Tenant

register = template.Library()


@register.simple_tag
def todo_of(tenant: Tenant, company: Connection) -> OfCompany:
    """`{% todo_of request.tenant connection as todo %}`: what there is to do for one company."""
    return of_company(tenant, company)
