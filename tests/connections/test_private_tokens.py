"""Tokens of private integrations: tried by one call, kept sealed, replaced, and their budget."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bokio_app.bokio.http import Call
from bokio_app.connections import private_tokens, services, usage
from bokio_app.connections.budget import Budget, budget_of
from bokio_app.connections.models import Connection, Kind, State, TokenGrant, Usage
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState
from bokio_app.tenants.models import Tenant, User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/companies/private/"


@pytest.fixture
def tenant(person: User) -> Tenant:
    return person.memberships.get().tenant


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


@pytest.fixture
def company(sandbox: SandboxProcess) -> str:
    return str(sandbox.companies()[0]["id"])


def paste(client: Client, company: str, token: str) -> Connection:
    """Paste a token; the connection whose page shows what comes of it."""
    answer = client.post(ADDRESS, {"company": f"https://app.bokio.se/{company}/", "token": token})
    assert answer.status_code == 302, answer.content.decode()
    connection = Connection.objects.latest("created_at")
    assert answer["Location"] == reverse("connections:private_result", args=[connection.pk])
    return connection


def result(client: Client, connection: Connection) -> Any:
    return client.get(reverse("connections:private_result", args=[connection.pk]))


def test_a_token_that_works_brings_the_company_in_after_one_call(
    client: Client, person: User, company: str, sandbox: SandboxProcess
) -> None:
    connection = paste(client, company, sandbox.private_token(company))
    sandbox.clear_calls()
    assert client.get("/companies/").context["count"] == 0
    assert "The token is being tried" in result(client, connection).content.decode()
    assert sandbox.calls()["calls"] == []

    bokio.work_until(connection, lambda: Connection.objects.get(pk=connection.pk).is_proven)

    assert sandbox.count("get-company-information-with-id") == 1
    connection.refresh_from_db()
    assert (connection.kind, connection.state) == (Kind.PRIVATE, State.ACTIVE)
    assert connection.name == sandbox.companies()[0]["name"]
    assert client.get("/companies/").context["count"] == 1
    bokio.work(connection)
    assert result(client, connection)["Location"] == reverse(
        "connections:result", args=[connection.pk]
    )
    assert connection.accounts.exists()
    assert {flow.state for flow in connection.flows.all()} == {FlowState.DONE}
    page = client.get(reverse("connections:detail", args=[connection.pk])).content.decode()
    assert "Private integration" in page
    assert "of 5,000" in page


def test_the_token_is_sealed_for_its_row_and_shown_and_logged_nowhere(
    client: Client, company: str, sandbox: SandboxProcess, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    token = sandbox.private_token(company)

    connection = paste(client, company, token)
    bokio.work(connection)

    grant = TokenGrant.objects.get()
    assert grant.access_token == token
    assert token.encode() not in bytes(grant.access)
    assert token not in caplog.text
    wrong = client.post(ADDRESS, {"company": "no id", "token": token})
    assert wrong.status_code == 422
    shown = (wrong, result(client, connection), client.get(f"/companies/{connection.pk}/"))
    for answer in shown:
        assert token not in answer.content.decode()
    assert token not in str(list(client.session.items()))


def test_a_token_that_bokio_does_not_know_brings_nothing_in_and_can_be_mended(
    client: Client, company: str, sandbox: SandboxProcess
) -> None:
    connection = paste(client, company, "made-up")
    bokio.work(connection)

    page = result(client, connection)
    assert "Bokio does not accept the token" in page.content.decode()
    assert client.get("/companies/").context["count"] == 0
    assert sandbox.count("request-token") == 0
    token = reverse("connections:replace_token", args=[connection.pk])
    client.post(token, {"token": sandbox.private_token(company)})
    bokio.work(connection)

    connection.refresh_from_db()
    assert (connection.is_proven, connection.state) == (True, State.ACTIVE)
    assert not connection.flows.exclude(state=FlowState.DONE).exists()


def test_a_token_of_another_company_is_told_from_one_that_bokio_does_not_know(
    client: Client, sandbox: SandboxProcess
) -> None:
    sandbox.reset(companies=2)
    wanted, other = (each["id"] for each in sandbox.companies())

    connection = paste(client, wanted, sandbox.private_token(other))
    bokio.work(connection)

    page = result(client, connection).content.decode()
    assert "The token does not open this company" in page
    connection.refresh_from_db()
    assert not connection.is_proven


def test_nobody_holds_a_company_by_pasting_nonsense(
    person: User, company: str, sandbox: SandboxProcess
) -> None:
    thief = make.member()
    squat = private_tokens.paste(
        thief.memberships.get().tenant, company_id=company, token="made-up", by=thief
    )
    bokio.work(squat)

    mine = private_tokens.paste(
        person.memberships.get().tenant,
        company_id=company,
        token=sandbox.private_token(company),
        by=person,
    )
    bokio.work(mine)

    mine.refresh_from_db()
    assert mine.is_proven


def test_a_company_of_another_workspace_is_not_taken_by_a_token_that_works(
    client: Client, company: str, sandbox: SandboxProcess
) -> None:
    theirs = make.connection(company_id=company)

    connection = paste(client, company, sandbox.private_token(company))
    bokio.work(connection)

    page = result(client, connection).content.decode()
    assert "The company is connected to another workspace" in page
    assert theirs.tenant.name not in page
    connection.refresh_from_db()
    assert (connection.state, connection.is_proven) == (State.ENDED, False)
    assert not TokenGrant.objects.filter(connection=connection).exists()
    theirs.refresh_from_db()
    assert theirs.state == State.ACTIVE


def test_a_company_that_the_workspace_has_is_not_brought_in_again(
    client: Client, tenant: Tenant
) -> None:
    known = make.connection(tenant)

    answer = client.post(ADDRESS, {"company": str(known.company_id), "token": "any"})

    assert answer.status_code == 422
    assert "The company is connected here already." in answer.content.decode()
    assert TokenGrant.objects.count() == 1


def test_a_revoked_token_breaks_the_connection_with_its_own_cause_and_cure(
    client: Client, person: User, company: str, sandbox: SandboxProcess
) -> None:
    connection = paste(client, company, sandbox.private_token(company))
    bokio.work(connection)
    for each in sandbox.connections():
        sandbox.revoke_connection(each["id"])
    sandbox.clear_calls()

    services.read_again(connection, by=person)
    broken = Connection.objects.filter(pk=connection.pk, state=State.BROKEN)
    bokio.work_until(connection, broken.exists)

    assert sandbox.count("request-token") == 0
    page = client.get(reverse("connections:detail", args=[connection.pk])).content.decode()
    assert "Needs a new token" in page
    assert "it was replaced or revoked there" in page
    token = reverse("connections:replace_token", args=[connection.pk])
    assert token in page
    reconnect = reverse("connections:reconnect", args=[connection.pk])
    assert client.post(reconnect)["Location"] == token
    client.post(token, {"token": sandbox.private_token(company)})
    bokio.work(connection)
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()


def test_a_member_without_the_company_cannot_reach_its_token(
    client: Client, company: str, sandbox: SandboxProcess
) -> None:
    connection = paste(client, company, "made-up")
    stranger = Client()
    stranger.force_login(make.member())

    for name in ("private_result", "replace_token"):
        address = reverse(f"connections:{name}", args=[connection.pk])
        assert stranger.get(address).status_code == 404
        assert stranger.post(address, {"token": "x"}).status_code in {404, 405}
    assert connection.grants.count() == 1


def test_a_consent_later_takes_the_place_of_the_token(
    client: Client, person: User, company: str, sandbox: SandboxProcess
) -> None:
    connection = paste(client, company, sandbox.private_token(company))
    bokio.work(connection)
    asked = client.post("/companies/connect/")["Location"]
    state = asked.partition("state=")[2].partition("&")[0]
    code = sandbox.authorize_directly(company, services.SCOPES)

    client.get("/bokio/callback", {"state": state, "code": code})

    connection.refresh_from_db()
    assert (connection.kind, connection.generation) == (Kind.CONSENT, 2)
    assert budget_of(connection) is None


def test_a_consent_ends_what_is_still_being_tried_for_the_same_company(
    client: Client, company: str, sandbox: SandboxProcess
) -> None:
    tried = paste(client, company, sandbox.private_token(company))
    asked = client.post("/companies/connect/")["Location"]
    state = asked.partition("state=")[2].partition("&")[0]
    code = sandbox.authorize_directly(company, services.SCOPES)

    client.get("/bokio/callback", {"state": state, "code": code})

    tried.refresh_from_db()
    assert (tried.state, tried.grants.count()) == (State.ENDED, 0)
    assert Connection.objects.get(is_proven=True).kind == Kind.CONSENT


# The budget


@pytest.mark.parametrize(
    "used, today, days, for_sweep",
    [
        (0, 0, 1, 4000),  # the last day of a quiet month
        (0, 0, 31, 129),
        (100, 100, 31, 29),  # work has taken from today's share
        (500, 500, 31, 0),
        (4740, 0, 1, 10),  # the last 250 are for work
        (4900, 0, 1, 0),
        (6000, 0, 1, 0),
    ],
)
def test_a_sweep_gets_an_even_share_of_what_work_leaves(
    used: int, today: int, days: int, for_sweep: int
) -> None:
    assert Budget(month=5000, used=used, today=today, days=days).for_sweep == for_sweep


def test_sweeps_that_take_what_they_may_never_spend_the_month() -> None:
    used, given = 0, []
    for days in range(31, 0, -1):
        given.append(Budget(month=5000, used=used, today=0, days=days).for_sweep)
        used += given[-1]

    assert used <= 4750
    assert min(given) > 0


def test_calls_are_counted_by_day_and_month() -> None:
    connection = make.connection(kind=Kind.PRIVATE, scopes=[])

    def call_at(moment: datetime) -> None:
        with time_machine.travel(moment):
            usage.heard(
                connection.pk,
                Call(operation="x", method="GET", status=200, seconds=0.1),
            )
            usage.write(connection.pk)

    evening = datetime(2026, 11, 29, 21, tzinfo=UTC)
    call_at(evening)
    call_at(evening)
    call_at(evening + timedelta(hours=3))  # the next day in Stockholm

    with time_machine.travel(evening + timedelta(hours=3)):
        budget = budget_of(connection)
        assert clock.today() == date(2026, 11, 30)
        assert budget == Budget(month=5000, used=3, today=1, days=1)
    with time_machine.travel(evening + timedelta(days=2)):
        assert budget_of(connection) == Budget(month=5000, used=0, today=0, days=31)
    assert Usage.objects.get().calls_of_day == 1
