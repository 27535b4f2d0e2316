"""What a test run says, writes and stores, searched for what was meant to be encrypted.

Secrets are not listed by hand: whatever a test has encrypted is one, be it a token, a person's
number or something that nobody has thought of here, and so are the installation's own. They are
looked for in every log line, answer, redirect, cookie, mail, task message, session and row.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from celery.signals import before_task_publish
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.handlers.base import BaseHandler
from django.db import connection

from bokio_app.core import crypto
from bokio_app.core.logs import LineFormatter
from tests.support.rows import all_rows
from tests.support.secrets import IN_CLEAR, OWN

SHOWN = (b"mail/",)  # encrypted for a backup's sake, and there to be read by whom they are for
SHORTEST = 8  # characters; anything shorter stands in many texts by chance


class Watch:
    """Hears what is said from when it is entered, and knows what has been encrypted since."""

    def __init__(self) -> None:
        self.own = [os.environ[name] for name in OWN]
        self.secrets: set[str] = set()
        self.heard: list[tuple[str, str]] = []

    def hear(self, place: str, text: str) -> None:
        self.heard.append((place, text))

    def forget(self) -> None:
        """Begin anew, for another test."""
        self.secrets.clear()
        self.heard.clear()

    def found(self, *, stored: bool) -> list[str]:
        """The places where a secret can be read; with `stored`, the database's too."""
        texts = [*self.heard, *_mails(), *(_rows() if stored and self.secrets else ())]
        forms = [form for secret in (*self.own, *self.secrets) for form in _forms(secret)]
        return sorted({place for place, text in texts if any(form in text for form in forms)})

    @contextmanager
    def listening(self) -> Iterator[Watch]:
        with ExitStack() as stack:
            stack.enter_context(self._encrypting())
            stack.enter_context(self._logging())
            stack.enter_context(self._answering())
            before_task_publish.connect(self._publishing)
            stack.callback(before_task_publish.disconnect, self._publishing)
            yield self

    @contextmanager
    def _encrypting(self) -> Iterator[None]:
        ring = crypto._ring

        def spied(keys: tuple[bytes, ...]) -> dict[bytes, _Spy]:
            return {key_id: _Spy(cipher, self.secrets) for key_id, cipher in ring(keys).items()}

        with patch.object(crypto, "_ring", spied):
            yield

    @contextmanager
    def _logging(self) -> Iterator[None]:
        handler = _Listener(self)
        line = settings.LOGGING["formatters"]["line"]
        handler.setFormatter(LineFormatter(line["format"], line["datefmt"], line["style"]))
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        answer = BaseHandler.get_response

        def get_response(handler: BaseHandler, request: Any) -> Any:
            response = answer(handler, request)
            self.hear(f"answer {request.path}", f"{dict(response.items())} {response.cookies}")
            if response.streaming:
                response.streaming_content = self._passing(request.path, response.streaming_content)
            else:
                self.hear(f"answer {request.path}", response.content.decode(errors="replace"))
            return response

        with patch.object(BaseHandler, "get_response", get_response):
            yield

    def _passing(self, path: str, parts: Any) -> Iterator[bytes]:
        for part in parts:
            self.hear(f"answer {path}", part.decode(errors="replace"))
            yield part

    def _publishing(self, body: Any = None, headers: Any = None, **_kwargs: Any) -> None:
        self.hear("task message", f"{headers} {body}")


class _Spy:
    """A cipher that tells what it encrypts."""

    def __init__(self, cipher: Any, secrets: set[str]) -> None:
        self._cipher, self._secrets = cipher, secrets

    def encrypt(self, nonce: bytes, text: bytes, place: bytes) -> bytes:
        if len(text) >= SHORTEST and not any(kind in place for kind in SHOWN):
            self._secrets.add(text.decode())
        encrypted: bytes = self._cipher.encrypt(nonce, text, place)
        return encrypted

    def decrypt(self, nonce: bytes, value: bytes, place: bytes) -> bytes:
        text: bytes = self._cipher.decrypt(nonce, value, place)
        return text


class _Listener(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.hear(f"log {record.name}", self.format(record))


def _forms(secret: str) -> set[str]:
    """How a secret can stand in a text."""
    raw = secret.encode()
    return {secret, quote(secret, safe=""), raw.hex(), base64.b64encode(raw).decode()}


def _mails() -> Iterator[tuple[str, str]]:
    for message in getattr(mail, "outbox", []):
        yield "mail", str(message.message())


def _rows() -> Iterator[tuple[str, str]]:
    """Every value of every row and session; none in a transaction that is broken."""
    if connection.needs_rollback:
        return
    for (table, _key), values in all_rows().items():
        for column, value in values.items():
            if column not in IN_CLEAR.get(table, ()):
                readable = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                yield f"{table}.{column}", readable
    for session in Session.objects.all():
        yield "session", str(session.get_decoded())
