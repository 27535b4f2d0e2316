"""Connecting from Bokio's marketplace: what is believed, for which company, and the way back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bokio_app.connections.features import USUAL
from bokio_app.connections.marketplace import allowed
from bokio_app.connections.models import ConnectAttempt, Connection
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User
from tests.support import make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db

BACK = "https://app.bokio.se/company/integrations/ours"


@pytest.fixture
def person() -> User:
    return make.member()


@pytest.fixture
def client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies["bokio_app_language"] = "en"
    return client


def arrive(client: Client, company: str, *, back: str = BACK, **more: str) -> str:
    """Come from Bokio; the address of our page that asks."""
    query = {"bokio_tenantid": company, "bokio_tenanttype": "company", "redirect_url": back}
    answer = client.get("/bokio/connect", query | more)
    assert answer.status_code == 302
    return str(answer["Location"])


def go_on(client: Client, page: str, **values: Any) -> dict[str, str]:
    """Press *Continue to Bokio*; what the address of the consent page carries."""
    answer = client.post(page, values)
    assert answer.status_code == 302, answer.content.decode()
    return {key: each[0] for key, each in parse_qs(urlsplit(answer["Location"]).query).items()}


@pytest.mark.parametrize(
    "address",
    [
        "https://app.bokio.se/",
        "https://app.bokio.se/00000000-0000-4000-8000-000000000000/integrations/x?a=b#c",
    ],
)
def test_an_address_of_bokios_is_one_to_return_to(address: str) -> None:
    assert allowed(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://app.bokio.se/",
        "//app.bokio.se/",
        "https://app.bokio.se.evil.example/",
        "https://evil.example/https://app.bokio.se/",
        "https://evilapp.bokio.se/",
        "https://app.bokio.se@evil.example/",
        "https://evil.example\\@app.bokio.se/",
        "https://app.bokio.se\\.evil.example/",
        "https://app.bokio.se:8443/",
        "https:///app.bokio.se/",
        "https://app.bokio.se\n.evil.example/",
        "https://app.bokio.se/\r\nSet-Cookie: a=b",
        " https://app.bokio.se/",
        "javascript:alert(1)//https://app.bokio.se/",
        "https://[app.bokio.se/",
        "https://äpp.bokio.se/",
        f"https://app.bokio.se/{'a' * 500}",
        "https://APP.bokio.se.",
    ],
)
def test_no_other_address_is_one_to_return_to(address: str) -> None:
    assert allowed(address) == ""


def test_the_consent_is_for_the_company_that_bokio_named_and_leads_back_to_bokio(
    client: Client, person: User, sandbox: SandboxProcess
) -> None:
    company = sandbox.companies()[0]["id"]
    asked = go_on(client, arrive(client, company))

    code = sandbox.authorize_directly(company, USUAL)
    answer = client.get("/bokio/callback", {"state": asked["state"], "code": code})

    assert (asked["bokio_tenantid"], asked["bokio_tenanttype"]) == (company, "company")
    assert answer["Location"] == BACK
    connected = Connection.objects.get()
    assert connected.tenant == person.memberships.get().tenant
    assert str(connected.company_id) == company


def test_a_company_that_is_here_already_is_asked_again_for_what_it_has_given(
    client: Client, person: User
) -> None:
    company = str(uuid.uuid4())
    tenant = person.memberships.get().tenant
    make.connection(tenant, company_id=company, scopes=["items:read", "items:write"])

    asked = go_on(client, arrive(client, company))

    assert {"items:read", "items:write", "invoices:read"} <= set(asked["scope"].split())


def test_a_token_of_another_company_than_bokio_named_is_not_kept(
    client: Client, sandbox: SandboxProcess
) -> None:
    sandbox.reset(companies=2)
    wanted, other = (each["id"] for each in sandbox.companies())
    state = go_on(client, arrive(client, wanted))["state"]

    code = sandbox.authorize_directly(other, USUAL)
    answer = client.get("/bokio/callback", {"state": state, "code": code})

    assert answer["Location"] == reverse("connections:failed", args=["other-company"])
    assert not Connection.objects.exists()


def test_an_address_elsewhere_to_return_to_is_dropped_and_the_result_is_shown_here(
    client: Client, sandbox: SandboxProcess
) -> None:
    company = sandbox.companies()[0]["id"]
    state = go_on(client, arrive(client, company, back="https://evil.example/"))["state"]

    code = sandbox.authorize_directly(company, USUAL)
    answer = client.get("/bokio/callback", {"state": state, "code": code})

    connected = Connection.objects.get()
    assert answer["Location"] == reverse("connections:result", args=[connected.pk])


def test_following_a_link_begins_nothing_by_itself(client: Client) -> None:
    page = client.get(arrive(client, str(uuid.uuid4())))

    assert page.status_code == 200
    assert not ConnectAttempt.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"bokio_tenantid": "no-uuid"},
        {"bokio_tenantid": str(uuid.uuid4()), "bokio_tenanttype": "agency"},
    ],
)
def test_what_names_no_company_leads_to_our_own_beginning(
    query: dict[str, str], client: Client
) -> None:
    assert client.get("/bokio/connect", query)["Location"] == reverse("connections:connect")


def test_two_tabs_for_two_companies_do_not_mix(client: Client) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    first, second = arrive(client, one), arrive(client, two)

    assert go_on(client, first)["bokio_tenantid"] == one
    assert go_on(client, second)["bokio_tenantid"] == two


def test_what_bokio_sent_along_is_too_old_after_an_hour(client: Client) -> None:
    page = arrive(client, str(uuid.uuid4()))

    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        for answer in (client.get(page), client.post(page)):
            assert answer["Location"] == reverse("connections:failed", args=["marketplace"])
    assert not ConnectAttempt.objects.exists()


def test_what_bokio_sent_along_cannot_be_changed_on_the_way(client: Client) -> None:
    page = arrive(client, str(uuid.uuid4()))

    answer = client.get(page.replace("ask=", "ask=x"))

    assert answer["Location"] == reverse("connections:failed", args=["marketplace"])


def test_who_is_not_signed_in_signs_in_and_comes_back_to_the_same_company() -> None:
    person, company = make.member(password=make.PASSWORD), str(uuid.uuid4())
    visitor = Client()
    page = arrive(visitor, company)

    sign_in = visitor.get(page)["Location"]
    back = parse_qs(urlsplit(sign_in).query)["next"][0]
    form = {"login": person.email, "password": make.PASSWORD, "next": back}
    answer = visitor.post(sign_in, form)

    assert answer["Location"] == back == page
    assert go_on(visitor, page)["bokio_tenantid"] == company


def test_who_has_several_workspaces_says_which_one_gets_the_company(
    client: Client, person: User
) -> None:
    second = make.tenant(name="Andra Byrån")
    second.members.create(user=person)
    page = arrive(client, str(uuid.uuid4()))

    assert client.post(page).status_code == 422
    assert not ConnectAttempt.objects.exists()
    go_on(client, page, workspace=second.pk)

    assert ConnectAttempt.objects.get().tenant == second
    assert client.get("/companies/").context["request"].tenant == second


def test_a_workspace_of_others_cannot_be_chosen(client: Client, person: User) -> None:
    person.memberships.create(tenant=make.tenant())
    foreign = make.tenant()

    answer = client.post(arrive(client, str(uuid.uuid4())), {"workspace": foreign.pk})

    assert answer.status_code == 422
    assert not ConnectAttempt.objects.exists()


def test_who_has_no_workspace_names_one_and_owns_it() -> None:
    person, visitor = make.user(), Client()
    visitor.force_login(person)
    page = arrive(visitor, str(uuid.uuid4()))

    assert visitor.get(page).status_code == 200
    assert visitor.post(page, {"workspace": "new"}).status_code == 422
    go_on(visitor, page, workspace="new", name="Nya Byrån")

    mine = Tenant.objects.get(members__user=person)
    assert (mine.name, mine.members.get().role) == ("Nya Byrån", "owner")
    assert ConnectAttempt.objects.get().tenant == mine


def test_the_address_to_disconnect_leads_to_the_companys_own_page_and_ends_nothing(
    client: Client, person: User
) -> None:
    connection = make.connection(person.memberships.get().tenant)
    page = reverse("connections:disconnect", args=[connection.pk])
    query = {"bokio_tenantid": connection.company_id, "redirect_url": "https://evil.example/"}

    assert client.get("/bokio/disconnect", query)["Location"] == page
    stranger = Client()
    assert stranger.get("/bokio/disconnect", query)["Location"].startswith("/account/login/?next=")
    stranger.force_login(make.member())
    assert stranger.get("/bokio/disconnect", query)["Location"] == reverse("connections:list")
    connection.refresh_from_db()
    assert (connection.is_active, connection.leavings.count()) == (True, 0)


def test_an_address_to_disconnect_that_names_no_company_leads_to_the_list(client: Client) -> None:
    query = {"bokio_tenantid": "x", "redirect_url": "https://evil.example/"}

    assert client.get("/bokio/disconnect", query)["Location"] == reverse("connections:list")
