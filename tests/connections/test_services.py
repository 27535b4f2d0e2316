"""Connecting a company: every way back from the consent page, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bokio_app.connections import services
from bokio_app.connections.models import ConnectAttempt, Connection, State, TokenGrant
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.tenants.models import User
from tests.support import make
from tests.support.sandbox import SandboxProcess

BROWSER = "session-of-this-browser"


def begin(person: User, *, browser: str = BROWSER, connection: Connection | None = None) -> str:
    """Start a consent and return its state, as Bokio would hand it back."""
    tenant = person.memberships.get().tenant
    address = services.start_connect(tenant, by=person, browser=browser, connection=connection)
    return parse_qs(urlsplit(address).query)["state"][0]


def consent(sandbox: SandboxProcess, *, company: int = 0) -> str:
    return sandbox.authorize_directly(sandbox.companies()[company]["id"], services.SCOPES)


def finish(
    person: User, state: str, *, code: str = "", error: str = "", browser: str = BROWSER
) -> services.Connected:
    return services.finish_connect(by=person, browser=browser, state=state, code=code, error=error)


def assert_nothing_kept() -> None:
    assert not Connection.objects.exists()
    assert not TokenGrant.objects.exists()
    assert not Flow.objects.exists()


def test_a_consent_keeps_the_company_with_encrypted_tokens_and_starts_reading(
    sandbox: SandboxProcess, person: User
) -> None:
    result = finish(person, begin(person), code=consent(sandbox))

    assert not result.already
    assert result.connection.state == State.ACTIVE
    grant = TokenGrant.objects.get()
    assert grant.generation == result.connection.generation == 1
    stored = bytes(grant.access) + bytes(grant.refresh)
    assert grant.access_token.encode() not in stored
    assert grant.refresh_token.encode() not in stored
    assert {flow.kind for flow in Flow.objects.all()} == {"read_books", "read_lists"}


def test_the_consent_page_is_asked_for_exactly_our_scopes_and_address(person: User) -> None:
    tenant = person.memberships.get().tenant
    query = parse_qs(urlsplit(services.start_connect(tenant, by=person, browser="b")).query)

    assert query["scope"] == [" ".join(services.SCOPES)]
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/bokio/callback"]
    assert query["response_type"] == ["code"]


def test_the_state_itself_is_not_stored(person: User) -> None:
    state = begin(person)

    stored = ConnectAttempt.objects.get()
    assert state not in {stored.state_hash, stored.browser_hash}


def test_a_refusal_keeps_nothing(person: User) -> None:
    with pytest.raises(services.Refused):
        finish(person, begin(person), error="access_denied")

    assert_nothing_kept()


def test_a_made_up_state_is_refused_before_any_call(sandbox: SandboxProcess, person: User) -> None:
    code = consent(sandbox)

    with pytest.raises(services.UnknownState):
        finish(person, "made-up", code=code)

    assert sandbox.count("request-token") == 0
    assert_nothing_kept()


def test_another_browser_cannot_use_the_state(sandbox: SandboxProcess, person: User) -> None:
    state = begin(person)

    with pytest.raises(services.UnknownState):
        finish(person, state, code=consent(sandbox), browser="another-browser")

    assert_nothing_kept()


def test_another_person_cannot_use_the_state(sandbox: SandboxProcess, person: User) -> None:
    state = begin(person)

    with pytest.raises(services.UnknownState):
        finish(make.member(), state, code=consent(sandbox))

    assert_nothing_kept()


def test_a_state_works_once(sandbox: SandboxProcess, person: User) -> None:
    state = begin(person)
    finish(person, state, code=consent(sandbox))

    with pytest.raises(services.StateUsed):
        finish(person, state, code=consent(sandbox))

    assert Connection.objects.count() == TokenGrant.objects.count() == 1


def test_a_state_older_than_ten_minutes_is_refused(sandbox: SandboxProcess, person: User) -> None:
    state = begin(person)
    ConnectAttempt.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    with pytest.raises(services.StateExpired):
        finish(person, state, code=consent(sandbox))

    assert_nothing_kept()


def test_a_spent_code_is_refused(sandbox: SandboxProcess, person: User) -> None:
    code = consent(sandbox)
    spent = {"grant_type": "authorization_code", "code": code}
    sandbox.token_request(spent | {"redirect_uri": sandbox.redirect_uri})

    with pytest.raises(services.CodeRefused):
        finish(person, begin(person), code=code)

    assert_nothing_kept()


@pytest.mark.fault
def test_a_lost_answer_of_the_exchange_means_starting_over(
    sandbox: SandboxProcess, person: User
) -> None:
    code = consent(sandbox)
    sandbox.lose_answer("request-token")

    with pytest.raises(services.BokioUnreachable):
        finish(person, begin(person), code=code)

    assert_nothing_kept()
    assert finish(person, begin(person), code=consent(sandbox)).connection.is_active


def test_a_bokio_that_cannot_be_reached_is_told_from_a_refused_code(person: User) -> None:
    with pytest.raises(services.BokioUnreachable):
        finish(person, begin(person), code="any")

    assert_nothing_kept()


def test_who_has_left_the_workspace_meanwhile_connects_nothing(
    sandbox: SandboxProcess, person: User
) -> None:
    state = begin(person)
    person.memberships.all().delete()

    with pytest.raises(services.UnknownState):
        finish(person, state, code=consent(sandbox))

    assert_nothing_kept()


def test_a_company_connected_here_before_has_its_consent_renewed(
    sandbox: SandboxProcess, person: User
) -> None:
    first = finish(person, begin(person), code=consent(sandbox))

    again = finish(person, begin(person), code=consent(sandbox))

    assert again.already
    assert again.connection == first.connection
    assert again.connection.generation == 2


def test_a_reconnect_must_come_back_with_the_same_company(
    sandbox: SandboxProcess, person: User
) -> None:
    sandbox.reset(companies=2)
    first = finish(person, begin(person), code=consent(sandbox)).connection

    with pytest.raises(services.AnotherCompany):
        finish(person, begin(person, connection=first), code=consent(sandbox, company=1))

    assert Connection.objects.get() == first
