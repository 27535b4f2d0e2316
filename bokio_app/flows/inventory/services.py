"""What people do about a difference that an inventory has found."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User

from .rows import Finding


class AlreadyResolved(Exception):
    """Somebody else was quicker."""


def open_findings(tenant: Tenant) -> QuerySet[Finding]:
    """What nobody has resolved yet, newest first."""
    findings: QuerySet[Finding] = tenant.findings.filter(resolved_at=None)
    return findings.select_related("connection", "step__flow")


def resolve(finding: Finding, *, by: User, reason: str) -> None:
    """Say why a difference may stand, or that it was seen to in Bokio. Raises `AlreadyResolved`.

    Nothing is sent: what is one too many is taken back in Bokio, or by a flow of its own.
    """
    with transaction.atomic():
        resolved = Finding.objects.filter(pk=finding.pk, resolved_at=None).update(
            resolved_at=clock.now(), resolved_by=by, reason=reason
        )
        if not resolved:
            raise AlreadyResolved
        record(
            "inventory.resolved",
            tenant=finding.tenant_id,
            subject="finding",
            subject_id=finding.public_id,
            actor=by,
            reason=reason,
        )
    finding.refresh_from_db()
