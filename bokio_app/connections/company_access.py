"""Which of a workspace's companies a member sees: all, or those that an owner has given."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.tenants.models import Member, User

from .models import CompanyAccess, Connection


class OwnerSeesAll(Exception):
    """An owner's view cannot be limited: owners say who sees what."""


def set_access(member: Member, *, sees_all: bool, companies: Collection[UUID], by: User) -> None:
    """Let the member see every company, or exactly these. Ids that are not of the workspace give
    nothing. Raises `OwnerSeesAll`.
    """
    if member.is_owner and not sees_all:
        raise OwnerSeesAll
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=member.pk)
        mine = Connection.objects.filter(tenant=member.tenant_id, pk__in=companies)
        wanted = set() if sees_all else set(mine.values_list("pk", flat=True))
        held = CompanyAccess.objects.filter(member=member)
        held.exclude(connection__in=wanted).delete()
        known = set(held.values_list("connection", flat=True))
        CompanyAccess.objects.bulk_create(
            CompanyAccess(member=member, connection_id=each) for each in wanted - known
        )
        Member.objects.filter(pk=member.pk).update(sees_all=sees_all)
        record(
            "member.access_changed",
            tenant=member.tenant_id,
            subject="member",
            subject_id=member.pk,
            actor=by,
            sees_all=sees_all,
            companies=sorted(map(str, wanted)),
        )


def give_to_maker(connection: Connection, *, by: int | None) -> None:
    """Let the member who brings a company in see it, in the caller's transaction."""
    limited = Member.objects.filter(tenant=connection.tenant_id, user=by, sees_all=False)
    for member in limited:
        CompanyAccess.objects.get_or_create(member=member, connection=connection)


def may_see(connection: Connection, *, user: int) -> bool:
    """Whether the person is a member who sees the company."""
    members = Member.objects.filter(tenant=connection.tenant_id, user=user)
    return (
        members.filter(sees_all=True).exists()
        or CompanyAccess.objects.filter(member__in=members, connection=connection).exists()
    )
