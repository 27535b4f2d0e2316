"""Our connections held against Bokio's list: what is gone there is found, nothing else is ended."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from bokio_app.audit.models import Event
from bokio_app.bokio.errors import BokioError, NotSent
from bokio_app.connections import general, grants, roll_call
from bokio_app.connections.causes import Cause
from bokio_app.connections.models import Connection, RollCall, State, TokenGrant
from bokio_app.core import clock
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_token_of_another_sandbox() -> None:
    general._tokens.clear()


@pytest.fixture
def connection(sandbox: SandboxProcess, person: User) -> Connection:
    return bokio.connect(sandbox, by=person)


def test_a_company_that_was_disconnected_in_bokio_is_found_by_one_sweep_and_said_so(
    connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    sandbox.revoke_connection(str(connection.remote_id))

    roll = roll_call.take()

    assert roll
    assert (roll.listed, roll.missing) == (0, 1)
    connection.refresh_from_db()
    assert (connection.state, connection.broken_by) == (State.BROKEN, Cause.DISCONNECTED)
    assert Event.objects.get(action="connection.broken").data["cause"] == "disconnected"
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    page = browser.get(f"/companies/{connection.pk}/").content.decode()
    assert "The connection was ended in Bokio." in page


def test_a_connection_that_bokio_has_stays_and_one_period_is_compared_once(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.clear_calls()

    roll = roll_call.take()
    again = roll_call.take()

    assert roll
    assert (roll.listed, roll.missing, again) == (1, 0, None)
    assert not roll_call.is_due()
    assert sandbox.count("get-connections") == 1
    connection.refresh_from_db()
    assert connection.state == State.ACTIVE


def test_a_comparison_whose_worker_has_died_is_made_by_another_in_the_same_period(
    connection: Connection,
) -> None:
    roll_call.take()
    died = clock.now() - roll_call.LONGEST
    RollCall.objects.update(ended_at=None)  # as if it had not come to its end, and just begun
    assert roll_call.take() is None
    RollCall.objects.update(begun_at=died)
    assert roll_call.is_due()

    roll = roll_call.take()

    assert roll
    assert roll.ended_at is not None
    assert (roll.listed, roll_call.take()) == (1, None)


@pytest.mark.parametrize("operation", ["get-connections", "get-connection-by-id", "request-token"])
def test_no_answer_a_refusal_and_a_fault_of_bokios_end_nothing_and_it_is_tried_again(
    operation: str, connection: Connection, sandbox: SandboxProcess
) -> None:
    gone = make.connection(remote_id=uuid.uuid4())
    for status in (500, 403):
        fault = sandbox.add_fault(operation, "status", status=status)
        general._tokens.clear()
        with pytest.raises(BokioError):
            roll_call.take()
        assert sandbox.fault(fault)["hits"] == 1
    assert not Connection.objects.filter(state=State.BROKEN).exists()
    assert not RollCall.objects.exists()

    roll_call.take()

    assert list(Connection.objects.filter(state=State.BROKEN)) == [gone]


def test_a_connection_that_the_list_lacks_and_whose_own_tokens_work_is_alive(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    Connection.objects.update(remote_id=uuid.uuid4())  # as if our credentials were another's

    roll = roll_call.take()

    assert roll
    assert (roll.listed, roll.missing) == (1, 0)
    connection.refresh_from_db()
    assert connection.state == State.ACTIVE


def test_a_token_of_ours_that_bokio_no_longer_accepts_is_replaced_once(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    roll_call.take()
    RollCall.objects.all().delete()
    sandbox.add_fault("get-connections", "status", status=401)

    assert roll_call.take()


def test_idle_connections_are_renewed_within_the_week_each_on_a_day_of_its_own(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.clear_calls()
    pairs = TokenGrant.objects.filter(connection=connection)
    pairs.update(received_at=clock.now() - timedelta(days=3))
    assert roll_call.renew_idle() == 0
    pairs.update(received_at=clock.now() - timedelta(days=7, seconds=1))

    assert roll_call.renew_idle() == 1
    assert roll_call.renew_idle() == 0

    assert sandbox.count("request-token") == 1
    connection.refresh_from_db()
    assert (connection.state, connection.generation) == (State.ACTIVE, 2)
    days = {roll_call._age(uuid.uuid4()).days for _ in range(200)}
    assert days == {3, 4, 5, 6}


def test_while_bokio_is_away_not_every_idle_connection_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(5):
        make.connection()
    TokenGrant.objects.update(received_at=clock.now() - timedelta(days=8))
    tried: list[object] = []

    def away(connection: Connection, **_kwargs: object) -> None:
        tried.append(connection.pk)
        raise NotSent("Connection refused")

    monkeypatch.setattr(grants, "access", away)

    assert roll_call.renew_idle() == 5
    assert len(tried) == roll_call.MOST_IN_VAIN


def test_an_idle_connection_whose_tokens_bokio_has_forgotten_is_found(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    TokenGrant.objects.filter(connection=connection).update(
        received_at=clock.now() - timedelta(days=8)
    )
    sandbox.revoke_connection(str(connection.remote_id))

    roll_call.renew_idle()

    connection.refresh_from_db()
    assert (connection.state, connection.broken_by) == (State.BROKEN, Cause.REVOKED)


def test_a_connection_is_gone_only_when_bokio_says_so(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    by_company = Connection(company_id=connection.company_id)

    assert not roll_call.is_gone(connection)
    assert not roll_call.is_gone(by_company)

    sandbox.add_fault("get-connection-by-id", "status", status=500)
    assert not roll_call.is_gone(connection)

    sandbox.revoke_connection(str(connection.remote_id))
    assert roll_call.is_gone(connection)
    assert roll_call.is_gone(by_company)
