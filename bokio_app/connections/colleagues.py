"""Who works in a workspace: inviting and joining, roles, removing and leaving.

Owners say who works here and what they see; members work with the companies that they see. A
workspace always keeps an owner who can sign in. Each change locks the workspace, so that of two
owners who demote each other at the same moment one stays.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.tenants import accounts
from bokio_app.tenants.models import Member, Role, Tenant, User

from . import invitations
from .models import CompanyAccess, ConnectAttempt, Connection, Invitation, Notice, State

LISTED_FOR = timedelta(days=30)  # after which an invitation that led to nothing is forgotten


class AlreadyMember(Exception):
    """The person works in the workspace already."""


class LastOwner(Exception):
    """The workspace would be left without an owner."""


class InvitationOver(Exception):
    """The invitation was used, withdrawn or too old by the time that it was taken."""


def invite(
    tenant: Tenant,
    *,
    by: User,
    email: str,
    role: str,
    sees_all: bool,
    companies: Collection[UUID],
    language: str,
) -> tuple[Invitation, str]:
    """Invite a colleague, who takes the place of an earlier invitation of the same address.

    Returns the invitation and its link, which is for its mail alone: whoever opens it has proved
    the address. Raises `AlreadyMember` and `invitations.TooMany`.
    """
    known = accounts.with_address(email)
    if known and Member.objects.filter(tenant=tenant, user=known).exists():
        raise AlreadyMember
    sees_all = sees_all or role == Role.OWNER
    with transaction.atomic():
        lock(tenant.pk, by=by)
        for earlier in listed(tenant).filter(email__iexact=email):
            revoke(earlier, by=by)
        invitation = Invitation(
            tenant=tenant,
            created_by=by,
            email=email,
            role=role,
            sees_all=sees_all,
            language=language,
        )
        link = invitations.keep(invitation)
        if not sees_all:
            mine = Connection.objects.filter(tenant=tenant, pk__in=companies)
            invitation.companies.set(mine)
        _record("member.invited", tenant.pk, by=by, subject_id=invitation.pk, **_given(invitation))
    return invitation, link


def invite_again(invitation: Invitation, *, by: User) -> tuple[Invitation, str]:
    """A new link in place of one that did not arrive or is too old. Raises as `invite`."""
    return invite(
        invitation.tenant,
        by=by,
        email=invitation.email,
        role=invitation.role,
        sees_all=invitation.sees_all,
        companies=list(invitation.companies.values_list("pk", flat=True)),
        language=invitation.language,
    )


def listed(tenant: Tenant) -> QuerySet[Invitation]:
    """Colleagues who were invited and have not come; `works` says whether their link still does."""
    works = Exists(invitations.usable().filter(pk=OuterRef("pk")))
    waiting = Invitation.objects.filter(
        tenant=tenant, used_at=None, revoked_at=None, created_at__gt=clock.now() - LISTED_FOR
    )
    return waiting.exclude(role="").annotate(works=works).order_by("-created_at")


def revoke(invitation: Invitation, *, by: User) -> None:
    """Let the link work no more."""
    with transaction.atomic():
        open_ = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
        if open_.update(revoked_at=clock.now()):
            _record(
                "member.invitation_revoked",
                invitation.tenant_id,
                by=by,
                subject_id=invitation.pk,
                email=invitation.email,
            )


def join(invitation: Invitation, *, person: User) -> Member:
    """Take the invitation. Raises `AlreadyMember` and `InvitationOver`."""
    with transaction.atomic():
        lock(invitation.tenant_id)
        if Member.objects.filter(tenant=invitation.tenant_id, user=person).exists():
            raise AlreadyMember
        if not invitation.is_for_colleague or not invitations.claim(invitation):
            raise InvitationOver
        member = Member.objects.create(
            tenant=invitation.tenant,
            user=person,
            role=invitation.role,
            sees_all=invitation.sees_all,
        )
        CompanyAccess.objects.bulk_create(
            CompanyAccess(member=member, connection=each)
            for each in invitation.companies.exclude(state=State.ENDED)
        )
        _record(
            "member.joined",
            invitation.tenant_id,
            by=person,
            subject_id=member.pk,
            invitation=str(invitation.pk),
            **_given(invitation),
        )
    return member


def join_as_new_person(invitation: Invitation, *, name: str, password: str, language: str) -> User:
    """Make an account for the invitation's address, which its link has proved, and join with it.

    Raises `InvitationOver`.
    """
    with transaction.atomic():
        person = accounts.make_proved(
            email=invitation.email, name=name, password=password, language=language
        )
        join(invitation, person=person)
    return person


def change_role(member: Member, role: str, *, by: User) -> None:
    """Make a member an owner, or an owner a member who still sees every company.

    Raises `LastOwner`, and `PermissionDenied` if `by` is no owner any more.
    """
    with transaction.atomic():
        lock(member.tenant_id, by=by)
        member.refresh_from_db(fields=["role"])
        if member.role == role:
            return
        if is_last_owner(member):
            raise LastOwner
        if role == Role.OWNER:
            CompanyAccess.objects.filter(member=member).delete()
        before, member.role, member.sees_all = member.role, role, True
        member.save(update_fields=["role", "sees_all"])
        _record(
            "member.role_changed",
            member.tenant_id,
            by=by,
            subject_id=member.pk,
            person=member.user_id,
            before=before,
            role=role,
        )


def remove(member: Member, *, by: User) -> None:
    """End somebody's place in the workspace: from their next request on they see nothing of it.

    What they did stays. Raises as `change_role`.
    """
    with transaction.atomic():
        lock(member.tenant_id, by=by)
        _end(member, "member.removed", by=by)


def leave(member: Member) -> None:
    """End one's own place in the workspace. Raises `LastOwner`."""
    with transaction.atomic():
        lock(member.tenant_id)
        _end(member, "member.left", by=member.user)


def is_last_owner(member: Member) -> bool:
    """Whether the member is an owner and nobody else is one who can sign in."""
    others = Member.objects.filter(
        tenant=member.tenant_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=member.pk)
    return member.is_owner and not others.exists()


def _end(member: Member, action: str, *, by: User) -> None:
    member.refresh_from_db(fields=["role"])
    if is_last_owner(member):
        raise LastOwner
    theirs = {"tenant": member.tenant_id}
    Invitation.objects.filter(
        **theirs, created_by=member.user_id, used_at=None, revoked_at=None
    ).update(revoked_at=clock.now())
    ConnectAttempt.objects.filter(**theirs, user=member.user_id).delete()
    Notice.objects.filter(**theirs, person=member.user_id).delete()
    _record(
        action,
        member.tenant_id,
        by=by,
        subject_id=member.pk,
        person=member.user_id,
        role=member.role,
    )
    member.delete()


def lock(tenant_id: int, *, by: User | None = None) -> None:
    """Let nobody else change who works here, until the transaction ends; `by` must be an owner
    still, else `PermissionDenied`.
    """
    # Rows that point at the workspace are still written meanwhile: only its key is left alone.
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    mine = Member.objects.filter(tenant=tenant_id, user=by, role=Role.OWNER)
    if by and not mine.exists():
        raise PermissionDenied


def _given(invitation: Invitation) -> dict[str, object]:
    companies = invitation.companies.values_list("pk", flat=True)
    return {
        "email": invitation.email,
        "role": invitation.role,
        "sees_all": invitation.sees_all,
        "companies": sorted(map(str, companies)),
    }


def _record(action: str, tenant_id: int, *, by: User, subject_id: object, **data: object) -> None:
    kind = "invitation" if action.startswith("member.invit") else "member"
    record(action, tenant=tenant_id, subject=kind, subject_id=str(subject_id), actor=by, **data)
