"""Secrets stay where they are sealed: not in logs, not in files, not in other columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.conftest import Company
from tests.journeys.database import query, texts
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

# The databases are searched row by row, and `secrets.env` is where embedded mode keeps secrets.
NOT_SEARCHED = ("app.sqlite3", "sandbox.sqlite3", "secrets.env")
# What only the application can open: the tokens, and what its sessions hold.
OPENED = """
import json
from django.contrib.sessions.models import Session
from bokio_app.connections.models import TokenGrant
grants = TokenGrant.objects.filter(connection_id="{connection_id}").order_by("-generation")
print(json.dumps({{
    "tokens": [grants[0].access_token, grants[0].refresh_token],
    "sessions": [str(each.get_decoded()) for each in Session.objects.all()],
}}))
"""
PLANT = """
from django.contrib.sessions.backends.db import SessionStore
store = SessionStore(session_key="{key}")
store["planted"] = "{secret}"
store.save(must_create=True)
"""


def opened(stack: Stack, connection_id: str) -> tuple[list[str], list[str]]:
    """The connection's tokens, and the content of all sessions."""
    printed = stack.manage("shell", "-c", OPENED.format(connection_id=connection_id))
    found = json.loads(printed.splitlines()[-1])
    return found["tokens"], found["sessions"]


def written(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Every file that a process of the stack has written, the broker's included."""
    for path in stack.folder.rglob("*"):
        if path.is_file() and not path.name.startswith(NOT_SEARCHED):
            yield str(path.relative_to(stack.folder)), path.read_bytes()


def places_of(secrets: list[str], stack: Stack, sessions: list[str]) -> list[str]:
    """Where any of the secrets can be read, as text, as bytes or as hex."""
    raw = [secret.encode() for secret in secrets]
    readable = [form for secret in secrets for form in (secret, secret.encode().hex())]
    files = [name for name, body in written(stack) if any(each in body for each in raw)]
    tables = [name for name, row in texts(stack) if any(each in row for each in readable)]
    kept = ["session" for text in sessions if any(secret in text for secret in secrets)]
    return sorted({*files, *tables, *kept})


@pytest.fixture
def planted(stack: Stack) -> Iterator[str]:
    """A secret that stands in a log, in a text, in bytes, and in a session."""
    secret = "planted-secret-token"
    log: Path = stack.folder / "planted.log"
    log.write_text(f"GET /v1/companies authorization: Bearer {secret}\n")
    query(stack, "CREATE TABLE planted_text (note text)")
    query(stack, "INSERT INTO planted_text VALUES (%s)", f"state={secret}")
    kind = "blob" if stack.embedded else "bytea"
    query(stack, f"CREATE TABLE planted_bytes (note {kind})")
    query(stack, "INSERT INTO planted_bytes VALUES (%s)", secret.encode())
    stack.manage("shell", "-c", PLANT.format(key="plantedsession", secret=secret))
    yield secret
    log.unlink()
    query(stack, "DROP TABLE planted_text")
    query(stack, "DROP TABLE planted_bytes")
    query(stack, "DELETE FROM django_session WHERE session_key = %s", "plantedsession")


def test_the_search_finds_what_is_planted(
    stack: Stack, member: Walk, connection_id: str, planted: str
) -> None:
    _tokens, sessions = opened(stack, connection_id)

    assert places_of([planted], stack, sessions) == [
        "planted.log",
        "planted_bytes",
        "planted_text",
        "session",
    ]


def test_no_log_file_table_or_session_tells_a_secret_of_a_connection_and_a_run(
    stack: Stack, member: Walk, company: Company
) -> None:
    connection_id = member.connect(company.id, company.name)
    [callback] = member.callbacks
    sent = parse_qs(urlsplit(callback).query)
    member.write_guide_invoice(connection_id, org_number="556016-0680")
    member.publish_and_record()
    member.register_payment()

    tokens, sessions = opened(stack, connection_id)
    secrets = [*tokens, *sent["code"], *sent["state"], stack.sandbox.client_secret]

    assert len({*secrets}) == 5
    assert all(len(secret) >= 20 for secret in secrets)
    books = f"/v1/companies/{company.id}/fiscal-years"
    assert stack.sandbox.request("GET", books, token=tokens[0]).status == 200
    assert any(body for name, body in written(stack) if name.endswith("worker.log"))
    assert places_of(secrets, stack, sessions) == []
