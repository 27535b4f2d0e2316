"""Secrets of a stack of real processes, and every place where one of them can be read."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator

from tests.journeys.database import texts
from tests.support.processes import Stack
from tests.support.secrets import IN_CLEAR, OWN

# The databases are searched row by row, and `secrets.env` is where embedded mode keeps secrets.
NOT_SEARCHED = ("app.sqlite3", "sandbox.sqlite3", "secrets.env")
# What only the application can open: all that it has encrypted, and what its sessions hold.
OPENED = """
import json
from django.contrib.sessions.models import Session
from bokio_app.core import sealing
encrypted = {}
for column in sealing.columns():
    for row in column.rows():
        for each in column.sealed_in(row):
            encrypted.setdefault(column.kind, []).append(column.opened(each))
sessions = [str(each.get_decoded()) for each in Session.objects.all()]
print(json.dumps({"encrypted": encrypted, "sessions": sessions}))
"""
NUMBERS = "flows.step.payload"  # people's numbers, which `IN_CLEAR` has as they are


class Opened:
    """Everything that a stack has encrypted so far, by its kind, and its sessions."""

    def __init__(self, stack: Stack) -> None:
        found = json.loads(stack.manage("shell", "-c", OPENED).splitlines()[-1])
        self.encrypted: dict[str, list[str]] = found["encrypted"]
        self.sessions: list[str] = found["sessions"]

    def tokens(self) -> list[str]:
        """What companies have given us to call Bokio with."""
        return [token for token in self.encrypted.get("grant", []) if token]

    def secrets(self) -> list[str]:
        """All of it that is nowhere to be read."""
        return [
            secret
            for kind, values in self.encrypted.items()
            if kind != NUMBERS
            for secret in values
            if secret
        ]

    def numbers(self) -> list[str]:
        return [number for number in self.encrypted.get(NUMBERS, []) if number]


def everywhere(stack: Stack) -> list[str]:
    """Where anything secret of the stack can be read: what it has encrypted, and its own keys."""
    opened = Opened(stack)
    own = [stack.env.get(name) or os.environ[name] for name in OWN]
    found = places_of([*opened.secrets(), *own], stack, opened.sessions)
    numbers = places_of(opened.numbers(), stack, opened.sessions, but=IN_CLEAR)
    return sorted({*found, *numbers})


def written(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Every file that a process of the stack has written, the broker's included."""
    for path in stack.folder.rglob("*"):
        if path.is_file() and not path.name.startswith(NOT_SEARCHED):
            yield str(path.relative_to(stack.folder)), path.read_bytes()


def places_of(
    secrets: Collection[str], stack: Stack, sessions: Iterable[str], *, but: Collection[str] = ()
) -> list[str]:
    """Where any of the secrets can be read, as text, as bytes or as hex; tables `but` these."""
    raw = [secret.encode() for secret in secrets]
    readable = [form for secret in secrets for form in (secret, secret.encode().hex())]
    files = [name for name, body in written(stack) if any(each in body for each in raw)]
    tables = [
        name
        for name, row in texts(stack)
        if name not in but and any(each in row for each in readable)
    ]
    kept = ["session" for text in sessions if any(secret in text for secret in secrets)]
    return sorted({*files, *tables, *kept})
