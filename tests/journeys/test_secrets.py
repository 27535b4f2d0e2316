"""Secrets stay where they are sealed: not in logs, not in files, not in other columns.

When all journeys are over, the same search is made once more, over whatever they have left: see
`stack` in `conftest.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.conftest import Company
from tests.journeys.database import query
from tests.journeys.secrets import Opened, everywhere, places_of, written
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PLANT = """
from django.contrib.sessions.backends.db import SessionStore
store = SessionStore()
store["planted"] = "{secret}"
store.create()
print(store.session_key)
"""


@pytest.fixture
def planted(stack: Stack, connection_id: str) -> Iterator[str]:
    """A token that stands in a log, in a text, in bytes, and in a session."""
    secret = Opened(stack).tokens()[0]
    log: Path = stack.folder / "planted.log"
    log.write_text(f"GET /v1/companies authorization: Bearer {secret}\n")
    query(stack, "CREATE TABLE planted_text (note text)")
    query(stack, "INSERT INTO planted_text VALUES (%s)", f"state={secret}")
    kind = "blob" if stack.embedded else "bytea"
    query(stack, f"CREATE TABLE planted_bytes (note {kind})")
    query(stack, "INSERT INTO planted_bytes VALUES (%s)", secret.encode())
    key = stack.manage("shell", "-c", PLANT.format(secret=secret)).split()[-1]
    yield secret
    log.unlink()
    query(stack, "DROP TABLE planted_text")
    query(stack, "DROP TABLE planted_bytes")
    query(stack, "DELETE FROM django_session WHERE session_key = %s", key)


def test_the_search_finds_what_is_planted(stack: Stack, member: Walk, planted: str) -> None:
    assert everywhere(stack) == ["planted.log", "planted_bytes", "planted_text", "session"]


def test_no_log_file_table_or_session_tells_a_secret_of_a_connection_and_a_run(
    stack: Stack, member: Walk, company: Company
) -> None:
    connection_id = member.connect(company.id, company.name)
    [callback] = member.callbacks
    sent = parse_qs(urlsplit(callback).query)
    member.write_guide_invoice(connection_id, org_number="556016-0680")
    member.publish_and_record()
    member.register_payment()

    opened = Opened(stack)
    on_the_way = [*sent["code"], *sent["state"]]

    assert len({*opened.tokens(), *on_the_way}) >= 4
    assert all(len(secret) >= 20 for secret in (*opened.tokens(), *on_the_way))
    books = f"/v1/companies/{company.id}/fiscal-years"
    answers = [stack.sandbox.request("GET", books, token=each) for each in opened.tokens()]
    assert 200 in {answer.status for answer in answers}
    assert any(body for name, body in written(stack) if name.endswith("worker.log"))
    assert places_of(on_the_way, stack, opened.sessions) == []
    assert everywhere(stack) == []
