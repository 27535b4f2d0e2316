"""Word to people when a company's connection breaks, recovers or moves: here, and by mail.

A notice is a row for each person who sees the company, written with the event itself, so none is
lost. Its mail leaves later, from a worker: what comes within a minute is told in one mail, and
what has recovered meanwhile in none. A mail server that takes a mail while its worker dies gets it
once more under the same Message-ID; nothing else is sent twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bokio_app.core import clock
from bokio_app.tenants.models import Member, Tenant, User

from .causes import TABLE, Cause
from .models import Connection, Notice, State
from .signals import company_taken_over, connection_broke, connection_recovered

log = logging.getLogger(__name__)

GATHER = timedelta(minutes=1)  # how long a mail waits for more to tell
AGAIN = timedelta(minutes=10)  # after a mail that did not leave


def of(person: User, tenant: Tenant) -> QuerySet[Notice]:
    """The person's notices in the workspace, newest first, of it and of companies that they still
    see.
    """
    mine = Notice.objects.filter(person=person, tenant=tenant)
    seen = Q(connection__in=tenant.connections.values("pk")) | Q(connection=None)
    return mine.filter(seen).select_related("connection", "tenant").order_by("-pk")


@receiver(connection_broke, dispatch_uid="notices_of_break")
def tell_broke(connection: Connection, cause: Cause, **_kwargs: Any) -> None:
    """Tell that the connection needs somebody."""
    _write(connection, Notice.Kind.BROKE, cause=cause)


@receiver(connection_recovered, dispatch_uid="notices_of_recovery")
def tell_recovered(connection: Connection, **_kwargs: Any) -> None:
    """Tell that it works again: by mail, those whom a mail has told that it did not."""
    bad_news = Notice.objects.filter(
        connection=connection, kind__in=(Notice.Kind.BROKE, Notice.Kind.LASTING)
    )
    unwritten = bad_news.filter(mail=Notice.Mail.DUE, mail_group=None)
    spared = set(unwritten.values_list("person", flat=True))
    unwritten.update(mail=Notice.Mail.NONE)
    _write(connection, Notice.Kind.RECOVERED, spared=spared)


@receiver(company_taken_over, dispatch_uid="notices_of_takeover")
def tell_taken_over(old: Connection, connection: Connection, **_kwargs: Any) -> None:
    """Tell both workspaces that the company has moved."""
    _write(old, Notice.Kind.GIVEN_UP)
    _write(connection, Notice.Kind.TAKEN_OVER)


def tell_lasting() -> None:
    """Tell, once, of companies where what passes by itself has not passed for long."""
    long_ago = clock.now() - timedelta(seconds=settings.CONNECTIONS_TELL_AFTER)
    lasting = Connection.objects.filter(
        state=State.ACTIVE, is_proven=True, hindered_at__lt=long_ago, hindrance_told=False
    ).exclude(hindered_by="")
    for connection in lasting:
        with transaction.atomic():
            mine = lasting.filter(pk=connection.pk, hindered_by=connection.hindered_by)
            if mine.update(hindrance_told=True):
                _write(connection, Notice.Kind.LASTING, cause=connection.hindered_by)


def tell_all(tenant: Tenant, kind: str) -> None:
    """Tell every member something about the workspace itself."""
    members = Member.objects.filter(tenant=tenant, user__is_active=True)
    _add(Notice(tenant=tenant, kind=kind), set(members.values_list("user", flat=True)))


def _write(
    connection: Connection, kind: str, *, cause: str = "", spared: Collection[int] = ()
) -> None:
    sees = Q(sees_all=True) | Q(company_access__connection=connection)
    members = Member.objects.filter(sees, tenant=connection.tenant_id, user__is_active=True)
    told = Notice(tenant_id=connection.tenant_id, connection=connection, kind=kind, cause=cause)
    _add(told, set(members.values_list("user", flat=True)), spared=spared)


def _add(told: Notice, people: Collection[int], *, spared: Collection[int] = ()) -> None:
    """Write `told` for each of the people; those who are `spared` get no mail of it."""
    at = clock.now() + GATHER * settings.TIME_FACTOR
    Notice.objects.bulk_create(
        Notice(
            person_id=person,
            tenant_id=told.tenant_id,
            connection=told.connection,
            kind=told.kind,
            cause=told.cause,
            mail=Notice.Mail.NONE if person in spared else Notice.Mail.DUE,
            mail_not_before=at,
        )
        for person in sorted(people)
    )


def due() -> QuerySet[Notice]:
    """Notices whose mail should leave now."""
    return Notice.objects.filter(mail=Notice.Mail.DUE, mail_not_before__lte=clock.now())


def send_due() -> None:
    """Send what is due, one mail for each person and workspace."""
    alone = due().filter(mail_group=None)
    for person, tenant in alone.order_by().values_list("person", "tenant").distinct():
        # All of them that wait, also those that came last: they are told at once then.
        Notice.objects.filter(
            person=person, tenant=tenant, mail=Notice.Mail.DUE, mail_group=None
        ).update(mail_group=uuid.uuid4(), mail_not_before=clock.now())
    for group in due().order_by().values_list("mail_group", flat=True).distinct():
        mine = due().filter(mail_group=group)
        if group and mine.update(mail_not_before=clock.now() + AGAIN * settings.TIME_FACTOR):
            _send(group)


def _send(group: uuid.UUID) -> None:
    told = Notice.objects.filter(mail_group=group).select_related("person", "tenant", "connection")
    first = told.first()
    if first is None:
        return  # its person has left the workspace in this instant
    notices = list(_still_seen(told, first).order_by("connection__name", "pk"))
    if notices:
        with translation.override(first.person.language):
            mail = _mail(notices, group)
        try:
            mail.send()
        except (OSError, SMTPException) as error:
            log.warning("notice_not_sent group=%s error=%s", group, type(error).__name__)
            return
    told.update(mail=Notice.Mail.SENT)


def _still_seen(told: QuerySet[Notice], first: Notice) -> QuerySet[Notice]:
    """What its person may still read: a mail may have waited since they lost their place here, or
    the sight of a company.
    """
    mine = Member.objects.filter(tenant=first.tenant, user=first.person, user__is_active=True)
    member = mine.first()
    if member is None:
        return told.none()
    seen = Q(connection__in=member.company_access.values("connection")) | Q(connection=None)
    return told if member.sees_all else told.filter(seen)


def _mail(notices: Sequence[Notice], group: uuid.UUID) -> EmailMessage:
    first = notices[0]
    kinds = [(kind.label, [each for each in notices if each.kind == kind]) for kind in Notice.Kind]
    context = {
        "workspace": first.tenant,
        "kinds": [(label, found) for label, found in kinds if found],
        "link": settings.APP_URL + reverse("connections:list"),
    }
    host = urlsplit(settings.APP_URL).hostname
    return EmailMessage(
        subject=" ".join(_subject(notices).split()),  # a name may hold what no header may
        body=render_to_string("connections/email/notices.txt", context),
        to=[first.person.email],
        headers={"Message-ID": f"<notices.{group}@{host}>"},
    )


def _subject(notices: Sequence[Notice]) -> str:
    broken = sum(each.kind == Notice.Kind.BROKE for each in notices)
    if len(notices) == 1:
        [notice] = notices
        told = TABLE[Cause(notice.cause)].title if notice.cause else notice.get_kind_display()
        return f"{notice.about}: {told}"
    if broken:
        text = ngettext("%(count)d company needs you", "%(count)d companies need you", broken)
        return text % {"count": broken}
    return _("News of your companies")
