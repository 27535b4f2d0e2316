"""Whether whoever uses a session has shown lately who they are.

What lets a company in or out asks for it: a screen left open must not be enough. The request is
not kept for later, because what was typed into it may be a secret: the person presses again.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from .models import User

SIGNED_IN_AT = "signed_in_at"


@receiver(user_logged_in, dispatch_uid="tenants_note_sign_in")
def note_sign_in(request: HttpRequest, user: object, **_kwargs: Any) -> None:
    """Remember in the session when it was signed in, and the language for mails."""
    request.session[SIGNED_IN_AT] = time.time()
    keep_language(user, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))


def keep_language(person: object, chosen: str) -> None:
    """Write to the person in the language that they have chosen to read in."""
    if isinstance(person, User) and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=person.pk).exclude(language=chosen).update(language=chosen)


def is_stale(request: HttpRequest) -> bool:
    """Whether the last sign-in, or repetition of it, is longer ago than `SIGN_IN_FRESH`."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    moments = [request.session.get(SIGNED_IN_AT, 0.0), *(each["at"] for each in records)]
    return bool(time.time() - max(moments) > settings.SIGN_IN_FRESH)


def ask_again(back_to: str) -> HttpResponseRedirect:
    """Lead to the page that asks for the password once more, and from there to our `back_to`."""
    query = urlencode({"next": back_to})
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{query}")
