"""Whether whoever opened a stream may still listen, and to which companies."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from bokio_app.tenants.middleware import find_tenant
from bokio_app.tenants.models import Tenant


@dataclass(frozen=True)
class Visitor:
    """A member with an open page, by the session's key; never shown or logged."""

    session_key: str = field(repr=False)
    user: int
    tenant: int

    def companies(self) -> frozenset[UUID] | None:
        """The companies that they see now, None for all. Raises `Gone`: signed out, or no member
        of the workspace, or at work in another one.
        """
        try:
            tenant = self._tenant()
            if tenant is None or tenant.pk != self.tenant:
                raise Gone
            return companies_of(tenant)
        finally:
            close_old_connections()

    def _tenant(self) -> Tenant | None:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(self.session_key)
        request.user = get_user(request)
        return find_tenant(request) if request.user.pk == self.user else None


class Gone(Exception):
    """The stream's member may not listen any longer."""


def companies_of(tenant: Tenant) -> frozenset[UUID] | None:
    """The companies of the workspace that its member sees, None for all."""
    if tenant.seen_by is None or tenant.seen_by.sees_all:
        return None
    return frozenset(tenant.connections.order_by().values_list("pk", flat=True))
