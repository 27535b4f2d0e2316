"""Links that let somebody in who has no place here yet: a client, who holds the rights in Bokio,
connects a company for us, or a colleague joins the workspace (see `colleagues.py`).

A link works once, for a week, until it is withdrawn or its maker leaves the workspace. Only a
hash of its token is kept. Opening it uses nothing up; what is done with it at last does.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.tenants import accounts
from bokio_app.tenants.models import Role, Tenant, User

from . import features
from .models import Invitation

log = logging.getLogger(__name__)

LIFETIME = timedelta(days=7)
MOST_A_DAY = 100  # of a workspace, so that nobody sends mails in bulk through us


class TooMany(Exception):
    """The workspace has made as many invitations in the last 24 hours as it may."""


def invite(
    tenant: Tenant, *, by: User, for_name: str, email: str, chosen: Collection[str]
) -> tuple[Invitation, str]:
    """Invite a client; returns the invitation with its link, which nobody can make out again.

    `chosen` are keys of features. Raises `TooMany`.
    """
    invitation = Invitation(
        tenant=tenant,
        created_by=by,
        for_name=for_name,
        email=email,
        scopes=list(features.scopes_for(chosen)),
        language=translation.get_language() or settings.LANGUAGE_CODE,
    )
    with transaction.atomic():
        link = keep(invitation)
        _record("invitation.made", invitation, by=by)
    return invitation, link


def keep(invitation: Invitation) -> str:
    """Save a new invitation and return its link. Raises `TooMany`."""
    lately = clock.now() - timedelta(days=1)
    made = Invitation.objects.filter(tenant=invitation.tenant, created_at__gt=lately)
    if made.count() >= MOST_A_DAY:
        raise TooMany
    token = secrets.token_urlsafe(32)
    invitation.token_hash = _hash(token)
    invitation.expires_at = clock.now() + LIFETIME
    invitation.save(force_insert=True)
    return settings.APP_URL + reverse("invitation", args=[token])


def send(invitation: Invitation, link: str) -> bool:
    """Send the link to the invitation's address. False if the mail server does not take it."""
    known = accounts.with_address(invitation.email) if invitation.is_for_colleague else None
    with translation.override(known.language if known else invitation.language):
        message = _mail(invitation, link)
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.warning("invitation_not_sent invitation=%s error=%s", invitation.pk, type(error))
        return False
    return True


def _mail(invitation: Invitation, link: str) -> EmailMessage:
    name = {"name": invitation.tenant.name}
    if invitation.is_for_colleague:
        template, subject = "colleague", _("%(name)s invites you to its workspace") % name
    else:
        template = "invitation"
        subject = _("%(name)s asks for access to your company in Bokio") % name
    return EmailMessage(
        subject=subject,
        body=render_to_string(
            f"connections/email/{template}.txt", {"it": invitation, "link": link}
        ),
        to=[invitation.email],
        reply_to=[invitation.created_by.email],
    )


def usable() -> QuerySet[Invitation]:
    """Those whose link still works: a colleague's while its maker is an owner, and none while the
    workspace is closed.
    """
    return Invitation.objects.filter(
        Q(role="") | Q(tenant__members__role=Role.OWNER),
        used_at=None,
        revoked_at=None,
        expires_at__gt=clock.now(),
        tenant__members__user=F("created_by"),
        tenant__closed_at=None,
    )


def open_invitations(tenant: Tenant) -> QuerySet[Invitation]:
    """Clients' that a member may withdraw: all of the workspace's for who sees all, else their
    own.
    """
    found = usable().filter(tenant=tenant, role="").select_related("created_by")
    found = found.order_by("expires_at")
    member = tenant.seen_by
    return found if member is None or member.sees_all else found.filter(created_by=member.user)


def by_token(token: str) -> Invitation | None:
    """The invitation of a link, whether or not it still works."""
    return Invitation.objects.filter(token_hash=_hash(token)).first()


def revoke(invitation: Invitation, *, by: User) -> None:
    """Let the link work no more. Nothing happens to one that was used or withdrawn before."""
    with transaction.atomic():
        ended = usable().filter(pk=invitation.pk)
        if Invitation.objects.filter(pk__in=ended.values("pk")).update(revoked_at=clock.now()):
            _record("invitation.revoked", invitation, by=by)


def claim(invitation: Invitation) -> bool:
    """Use it up, before a consent's code is spent for it, or with the joining; False if it no
    longer works.
    """
    still = usable().filter(pk=invitation.pk).values("pk")
    return bool(Invitation.objects.filter(pk__in=still, used_at=None).update(used_at=clock.now()))


def release(invitation: Invitation) -> None:
    """Give it back: the consent for which it was claimed has led to nothing."""
    Invitation.objects.filter(pk=invitation.pk, connection=None).update(used_at=None)


def _record(action: str, invitation: Invitation, *, by: User) -> None:
    record(
        action,
        tenant=invitation.tenant_id,
        subject="invitation",
        subject_id=invitation.pk,
        actor=by,
        for_name=invitation.for_name,
        email=invitation.email,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
