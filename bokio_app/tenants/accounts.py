"""Accounts: whose address is proved, and what becomes of those where it never was."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import QuerySet

from bokio_app.core import clock

from .models import User


def with_address(email: str) -> User | None:
    """Whose address it is: who has proved it, or has signed in by it."""
    proved = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    named = User.objects.filter(email__iexact=email).exclude(pk__in=unproven().values("pk"))
    return User.objects.filter(pk__in=proved).first() or named.first()


def unproven() -> QuerySet[User]:
    """Accounts that somebody has made for an address and never proved: nobody has signed in to
    them, and they belong to no workspace.
    """
    proved = EmailAddress.objects.filter(verified=True).values("user")
    asleep = User.objects.filter(last_login=None, memberships=None, is_staff=False)
    return asleep.exclude(pk__in=proved)


def make_proved(*, email: str, name: str, password: str, language: str) -> User:
    """An account for an address that was proved in another way than by a code.

    One that waits for its code gives way: whoever made it has shown nothing, and knows its
    password.
    """
    unproven().filter(email__iexact=email).delete()
    return User.objects.create_user(email.lower(), password, name=name, language=language)


def erase_unproven() -> int:
    """Erase accounts that were left unproven for `ACCOUNT_UNPROVEN_DAYS`; returns how many."""
    cutoff = clock.now() - timedelta(days=settings.ACCOUNT_UNPROVEN_DAYS)
    ids = list(unproven().filter(date_joined__lt=cutoff).values_list("pk", flat=True))
    for number in ids:
        # One at a time, and looked at again: somebody may be typing the code just now.
        unproven().filter(pk=number).delete()
    return len(ids)
