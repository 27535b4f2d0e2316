"""Bokio's General API, which tells of the connections themselves, with a token of our own.

The token is kept in the process until it is about to expire. It belongs to no company, so calls
with it count against no company's limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings

from bokio_app.bokio.client import GeneralApi
from bokio_app.bokio.connections import Connections
from bokio_app.bokio.errors import Unauthorized
from bokio_app.bokio.http import Http
from bokio_app.core import clock

from .grants import oauth_app

T = TypeVar("T")

DEADLINE = 20.0  # seconds of one call, however fast the tests' time runs: nobody waits for it
SPARE = timedelta(minutes=5)  # before its end a token is no longer used


@dataclass(frozen=True)
class Token:
    """Our own token, and until when it is used."""

    text: str = field(repr=False)
    until: datetime


_lock = threading.Lock()
_tokens: list[Token] = []  # the one in use, or none


def ask(question: Callable[[Connections], T]) -> T:
    """Ask with a token that works; once more with a new one if Bokio no longer accepts it.

    Raises what the calls to Bokio raise.
    """
    token = _usable()
    try:
        return question(_connections(token))
    except Unauthorized:
        return question(_connections(_usable(worn=token)))


def _connections(token: Token) -> Connections:
    http = Http(settings.BOKIO_API_URL, access_token=token.text, deadline=DEADLINE)
    return GeneralApi(http).connections


def _usable(*, worn: Token | None = None) -> Token:
    with _lock:
        good = [each for each in _tokens if each != worn and each.until > clock.now()]
        if not good:
            given = oauth_app().client_credentials()
            until = clock.now() + timedelta(seconds=given.expires_in) - SPARE
            good = [Token(given.access_token, until)]
        _tokens[:] = good
        return good[0]
