"""What a member sees of a workspace: every company, or those that were given to them.

The restriction sits where every page begins, in `request.tenant`: its `invoices`, `flows` and so
on hold nothing else, so a page cannot forget it. Workers and commands load a tenant themselves
and see all of it.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from django.db.models import QuerySet

from .models import Member, Tenant

Row = TypeVar("Row", bound=models.Model)


class SeenManager(models.Manager[Row]):
    """For a model with a `tenant`, whose rows belong to a company by the field `connection`."""

    company_field = "connection"

    def get_queryset(self) -> QuerySet[Row]:
        """All rows; through a tenant that a member looks at, those of their companies."""
        found = super().get_queryset()
        tenant = getattr(self, "instance", None)  # of whom these are asked for, as `tenant.flows`
        if not isinstance(tenant, Tenant) or tenant.seen_by is None:
            return found
        return limited(found, tenant.seen_by, field=self.company_field)


class SeenCompanies(SeenManager[Row]):
    """The same for the companies themselves."""

    company_field = "pk"


def limited(rows: QuerySet[Row], member: Member, *, field: str) -> QuerySet[Row]:
    """Those of the rows whose company, by its id in `field`, the member may see."""
    if member.sees_all:
        return rows
    return rows.filter(**{f"{field}__in": member.company_access.values("connection")})
