"""Closing a workspace: nothing is started in it any more, workers disconnect its companies, and
when its time is over our copy of their books and who worked there are erased.

The rows say how far it has come. Until the erasing begins an owner opens it again: companies whose
work is still coming to rest stay, the others are connected anew. The audit trail stays, and so do
runs, whose answers from Bokio go with `FLOW_ANSWERS_DAYS`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.tenants.models import Member, Tenant, User

from . import colleagues, disconnecting, notices
from .models import ConnectAttempt, Connection, Invitation, Leaving, Notice, State

log = logging.getLogger(__name__)

AT_ONCE = 500

# What erases our copy of one company's books; each may be called again. Folders above add theirs
# in front, since their rows point at those of the folders below.
ERASERS: list[Callable[[Connection], object]] = []


class NotClosed(Exception):
    """The workspace is open, or its erasing has begun."""


def close(tenant: Tenant, *, finishes_first: bool, by: User) -> None:
    """Close the workspace at once, and let workers disconnect its companies.

    Asked again, an owner may still change to cancelling what is queued. Raises
    `PermissionDenied` if `by` is no owner any more.
    """
    with transaction.atomic():
        colleagues.lock(tenant.pk, by=by)
        mine = Tenant.objects.filter(pk=tenant.pk)
        is_new = mine.filter(closed_at=None).update(
            closed_at=clock.now(), closed_by=by, finishes_first=finishes_first
        )
        if is_new:
            notices.tell_all(Tenant.objects.get(pk=tenant.pk), Notice.Kind.CLOSED)
        elif finishes_first or not mine.filter(finishes_first=True).update(finishes_first=False):
            return
        _record("workspace.closed", tenant, by=by, finishes_first=finishes_first)


def reopen(tenant: Tenant, *, by: User) -> None:
    """Open the workspace again; companies that are not being ended at Bokio yet stay connected.

    What was cancelled stays cancelled. Raises `NotClosed`, and `PermissionDenied` as `close`.
    """
    with transaction.atomic():
        colleagues.lock(tenant.pk, by=by)
        found = Tenant.objects.get(pk=tenant.pk)
        if found.closed_at is None or found.erasing_at:
            raise NotClosed
        Tenant.objects.filter(pk=tenant.pk).update(closed_at=None, closed_by=None)
        begun_by_this = Q(leavings__stage=Leaving.Stage.EMPTYING)
        begun_by_this &= Q(leavings__asked_at__gte=found.closed_at)
        leaving = Connection.objects.filter(begun_by_this, tenant=tenant.pk)
        locked = Connection.objects.select_for_update(no_key=True).filter(
            pk__in=leaving.values("pk")
        )
        for connection in locked.order_by("pk"):
            if connection.state in {State.ACTIVE, State.BROKEN}:
                disconnecting.call_off(connection)
        notices.tell_all(found, Notice.Kind.OPENED)
        _record("workspace.opened", tenant, by=by)


def connected(tenant: Tenant) -> QuerySet[Connection]:
    """Companies that are not disconnected yet."""
    return Connection.objects.filter(tenant=tenant.pk).exclude(state=State.ENDED)


def work_left(tenant: Tenant) -> int:
    """How many runs would come to rest before the companies can end."""
    moving = Q(flows__state="running")
    moving |= Q(flows__state="ready", flows__lane__lt=disconnecting.READINGS)
    working = connected(tenant).filter(state=State.ACTIVE)
    return int(working.aggregate(left=Count("flows", filter=moving))["left"])


def to_disconnect() -> QuerySet[Connection]:
    """Companies of closed workspaces of which nobody has asked yet that they be disconnected."""
    under_way = Leaving.objects.filter(connection=OuterRef("pk"), stage__in=disconnecting.OPEN)
    as_wished = Q(finishes_first=OuterRef("tenant__finishes_first")) | Q(finishes_first=False)
    as_wished |= Q(stage=Leaving.Stage.CLOSING)
    closed = Tenant.objects.filter(closed_at__isnull=False, erased_at=None)
    companies = Connection.objects.filter(tenant__in=closed).exclude(state=State.ENDED)
    return companies.exclude(Exists(under_way.filter(as_wished))).order_by("pk")


def disconnect_all() -> None:
    """Begin to disconnect what is left of closed workspaces; one that fails keeps no other."""
    for connection in to_disconnect().select_related("tenant__closed_by"):
        try:
            _disconnect(connection)
        except Exception:
            log.exception("closing_failed connection=%s", connection.pk)


def _disconnect(connection: Connection) -> None:
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=connection.tenant_id)
        if tenant.closed_at is None or tenant.closed_by is None:
            return
        finishes = tenant.finishes_first and connection.state == State.ACTIVE
        try:
            disconnecting.ask(connection, finishes_first=finishes, by=tenant.closed_by)
        except disconnecting.NotConnected:
            return


def erase_due() -> int:
    """Erase the closed workspaces whose time is over; returns how many."""
    cutoff = clock.now() - timedelta(days=settings.WORKSPACE_KEPT_DAYS)
    over = Tenant.objects.filter(closed_at__lt=cutoff, erased_at=None)
    at_bokio = Connection.objects.filter(tenant=OuterRef("pk")).exclude(state=State.ENDED)
    erased = 0
    for tenant in over.exclude(Exists(at_bokio)).order_by("pk"):
        try:
            erased += _erase(tenant)
        except Exception:
            log.exception("erasing_failed tenant=%s", tenant.pk)
    return erased


def _erase(tenant: Tenant) -> bool:
    """Erase company by company, so that it goes on where it was cut off."""
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        still = Tenant.objects.filter(pk=tenant.pk, closed_at=tenant.closed_at)
        if not still.update(erasing_at=clock.now()):
            return False
    for connection in Connection.objects.filter(tenant=tenant.pk).order_by("pk"):
        for erase in ERASERS:
            erase(connection)
        # A sole trader's number is a person's.
        Connection.objects.filter(pk=connection.pk).update(org_number=connection.shown_number)
    with transaction.atomic():
        ConnectAttempt.objects.filter(tenant=tenant.pk).delete()
        Invitation.objects.filter(tenant=tenant.pk).delete()
        Notice.objects.filter(tenant=tenant.pk).delete()
        Member.objects.filter(tenant=tenant.pk).delete()
        open_ = Tenant.objects.filter(pk=tenant.pk, erased_at=None)
        if not open_.update(erased_at=clock.now()):
            return False  # another process was at it too
        _record("workspace.erased", tenant, by=None)
    log.info("workspace_erased tenant=%s", tenant.pk)
    return True


def erase_rows(rows: QuerySet[Any]) -> None:
    """Delete the rows, some at a time, with those that hang on them."""
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        rows.filter(pk__in=ids).delete()


def _record(action: str, tenant: Tenant, *, by: User | None, **data: object) -> None:
    record(action, tenant=tenant, subject="workspace", subject_id=tenant.pk, actor=by, **data)
