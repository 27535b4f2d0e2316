"""What a call asks the limiter for."""

from __future__ import annotations

from typing import Any

import pytest

from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.asking import Finished, Permit, Wait, Want
from bokio_app.flows.limits.gate import Gate
from bokio_app.flows.models import Lane
from bokio_app.flows.operations import OPERATIONS
from bokio_app.flows.turn import Turn
from tests.support import make

UPLOADS = sorted(name for name, operation in OPERATIONS.items() if operation.sends_file)
OTHERS = ["create_invoice", "create_payment"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Want]:
    """What the limiter was asked; it grants everything."""
    wants: list[Want] = []

    def ask(connection_id: Any, want: Want) -> Permit:
        wants.append(want)
        return Permit(connection_id, "token", want.address, want.lasts, 0)

    monkeypatch.setattr(limiter, "ask", ask)
    monkeypatch.setattr(limiter, "done", lambda *_: None)
    return wants


@pytest.mark.django_db
@pytest.mark.parametrize("op", [*UPLOADS, *OTHERS])
def test_a_permit_lasts_as_long_as_its_call_may_take(
    op: str, asked: list[Want], settings: Any
) -> None:
    settings.TIME_FACTOR, settings.FLOW_SEND_GUARD = 1, 5
    settings.FLOW_DEADLINE, settings.FLOW_FILE_DEADLINE = 30, 60
    turn = Turn.begin(make.flow(make.connection(), ops=[op]))

    with Gate(turn).write("POST uploads"):
        pass

    assert [want.lasts for want in asked] == [70 if op in UPLOADS else 40]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lane, urgent", [(Lane.CLICK, True), (Lane.REPAIR, True), (Lane.BATCH, False)]
)
def test_only_what_somebody_waits_for_is_urgent(
    lane: Lane, urgent: bool, asked: list[Want]
) -> None:
    turn = Turn.begin(make.flow(make.connection(), lane=lane))

    Gate(turn).before_call("GET", "companies")

    assert [want.urgent for want in asked] == [urgent]


@pytest.mark.django_db
def test_a_file_sent_in_its_last_second_is_still_counted_a_window_later(settings: Any) -> None:
    settings.REDIS_URL, settings.TIME_FACTOR = "", 1
    settings.BOKIO_RATE_LIMIT = 2
    connection_id = make.connection().pk
    first = limiter.ask(connection_id, Want(who="first", lasts=1, urgent=True))
    assert isinstance(first, Permit)
    limiter._store().done(first, Finished(sent=True, answered=True), limiter.rules())
    upload = limiter.ask(connection_id, Want(who="upload", lasts=70, urgent=True))
    assert isinstance(upload, Permit)
    limiter._store().done(upload, Finished(sent=True), limiter.rules())

    refused = limiter.ask(connection_id, Want(who="next", lasts=40, urgent=True))

    # The first call's slot is free after a window; the upload's not before its deadline and one.
    assert isinstance(refused, Wait)
    assert 50 < refused.seconds <= 61
    assert upload.lasts == 70
