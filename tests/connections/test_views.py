"""Pages of companies, and the way to Bokio's consent and back with all that can go wrong."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.failures import FAILURES, REASONS
from bokio_app.connections.features import NEEDED
from bokio_app.connections.models import ConnectAttempt, Connection, State
from bokio_app.connections.services import SCOPES, ConnectFailed
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User
from tests.support import make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db

CALLBACK = "/bokio/callback"


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant)


def browser_of(person: User) -> Client:
    """A member's browser, in English."""
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


@pytest.fixture
def client(person: User) -> Client:
    return browser_of(person)


def text_of(response: Any) -> str:
    """The page's text without its tags, spaces joined."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def begin(client: Client, address: str = "/companies/connect/") -> dict[str, str]:
    """Press *Continue to Bokio*; what the address of the consent page carries."""
    answer = client.post(address)
    assert answer.status_code == 302
    return {key: values[0] for key, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def come_back(client: Client, **query: str) -> str:
    """Return from Bokio; the address that the callback leads on to."""
    answer = client.get(CALLBACK, query)
    assert answer.status_code == 302
    assert "code" not in parse_qs(urlsplit(answer["Location"]).query)
    return str(answer["Location"])


def failed(reason: str) -> str:
    return reverse("connections:failed", args=[reason])


# The list and the company's own page


def test_no_companies_yet_leads_to_connecting_the_first(client: Client) -> None:
    page = text_of(client.get(reverse("connections:list")))

    assert "Connect the first one, it takes about a minute." in page


def test_a_broken_connection_comes_first_with_its_cause_and_the_way_out(
    client: Client, tenant: Tenant
) -> None:
    make.connection(tenant, name="Aspen AB")
    broken = make.connection(tenant, name="Zeta AB", state=State.BROKEN)
    make.flow(broken, state="parked")
    make.flow(broken, state="parked")

    page = client.get(reverse("connections:list"))

    assert [row.connection.name for row in page.context["rows"]] == ["Zeta AB", "Aspen AB"]
    assert "Bokio no longer accepts our access. 2 runs wait." in text_of(page)
    assert reverse("connections:reconnect", args=[broken.pk]) in page.content.decode()


def test_a_connection_that_bokio_told_to_wait_says_until_when(
    client: Client, tenant: Tenant
) -> None:
    until = clock.now() + timedelta(minutes=30)
    make.connection(tenant, blocked_until=until, blocked_by="quota")

    page = text_of(client.get(reverse("connections:list")))

    local = until.astimezone(clock.STOCKHOLM)
    assert "Waiting for Bokio Bokio asked us to wait." in page
    assert f"{local:%H:%M}" in page


def test_a_row_tells_permissions_year_and_method(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant, scopes=[*SCOPES[:-1]])
    make.fiscal_year(company, clock.today().year - 1, status="closed")
    make.fiscal_year(company, method="cash")

    page = text_of(client.get(reverse("connections:list")))

    assert f"{len(SCOPES) - 1} of {len(SCOPES)}" in page
    assert f"{clock.today().year} cash method" in page


def test_the_list_narrows_by_name_and_by_number_without_its_hyphen(
    client: Client, tenant: Tenant
) -> None:
    make.connection(tenant, name="Aspen AB", org_number="556016-0680")
    make.connection(tenant, name="Zeta AB", org_number="556703-4185")

    def found(text: str) -> list[str]:
        page = client.get(reverse("connections:list"), {"q": text})
        return [row.connection.name for row in page.context["rows"]]

    assert found("asp") == ["Aspen AB"]
    assert found("5567034185") == ["Zeta AB"]
    assert found("nobody") == []


def test_the_number_of_a_sole_trader_is_masked(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant, org_number="790412-1234")
    addresses = [
        reverse("connections:list"),
        reverse("connections:detail", args=[company.pk]),
        reverse("connections:result", args=[company.pk]),
        reverse("start"),
    ]

    for address in addresses:
        page = client.get(address).content.decode()
        assert "790412-••••" in page
        assert "790412-1234" not in page


def test_five_hundred_companies_cost_no_more_queries_than_one(
    client: Client, tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    for number in range(500):
        company = Connection.objects.create(
            tenant=tenant, company_id=uuid.uuid4(), generation=1, name=f"Bolag {number}"
        )
        make.fiscal_year(company)

    with django_assert_max_num_queries(6):
        page = client.get(reverse("connections:list"))

    assert page.context["works"] == 500
    assert len(page.context["rows"]) == 100


def test_every_company_is_on_one_page_of_the_list_those_in_need_on_the_first(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bokio_app.connections.overview.PAGE", 2)
    for name in "ABCDE":
        make.connection(tenant, name=name)
    Connection.objects.filter(name="E").update(state="broken")

    pages = [client.get(reverse("connections:list"), {"page": number}) for number in (1, 2, 3)]

    shown = [[row.connection.name for row in page.context["rows"]] for page in pages]
    assert shown == [["E", "A"], ["B", "C"], ["D"]]
    assert all(page.context["needs"] == 1 for page in pages)
    assert all('href="?page=3"' in page.content.decode() for page in pages)


def test_the_field_for_a_company_lists_what_fits_and_hides_personal_numbers(
    client: Client, tenant: Tenant
) -> None:
    make.connection(tenant, name="Almgren", org_number="790412-1234")
    make.connection(tenant, name="Bergdal")
    make.connection(name="Almgren hos en annan")

    part = client.get(reverse("connections:options"), {"company_text": "alm"}).content.decode()

    assert part.count('role="option"') == 1
    assert "790412-••••" in part
    assert "1234" not in part.replace(str(tenant.connections.get(name="Almgren").pk), "")


@pytest.mark.parametrize("name", ["detail", "result", "renewed", "reconnect", "read"])
def test_a_member_of_another_workspace_finds_nothing(name: str, tenant: Tenant) -> None:
    company = make.connection(tenant)
    stranger = browser_of(make.member())
    address = reverse(f"connections:{name}", args=[company.pk])

    answer = stranger.post(address) if name in {"reconnect", "read"} else stranger.get(address)

    assert answer.status_code == 404
    assert not ConnectAttempt.objects.exists()


def test_the_company_page_shows_years_runs_and_what_our_copy_holds(
    client: Client, tenant: Tenant
) -> None:
    company = make.connection(tenant)
    make.fiscal_year(company)
    make.account(company, 1930)
    flow = make.flow(company)

    page = client.get(reverse("connections:detail", args=[company.pk]))

    body = page.content.decode()
    assert page.context["accounts"] == 1
    assert reverse("flows:detail", args=[flow.public_id]) in body
    assert f"{reverse('invoicing:new')}?company={company.pk}" in body


# To Bokio and back


def test_a_member_has_a_company_read_again_and_twice_in_a_minute_is_once(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = make.connection(tenant)
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)

    for _click in range(2):
        answer = client.post(reverse("connections:read", args=[company.pk]))

    assert answer["Location"] == reverse("connections:detail", args=[company.pk])
    assert sorted(flow.kind for flow in company.flows.all()) == ["read_books", "read_lists"]


def test_the_hand_over_says_what_is_asked_for_before_anything_is_asked(client: Client) -> None:
    page = text_of(client.get("/companies/connect/"))

    assert f"What we ask Bokio for {len(NEEDED)} permissions" in page
    assert "Take an invoice back, publish and record that" in page
    assert "We never see your password." in page
    assert not ConnectAttempt.objects.exists()


def test_the_consent_is_asked_for_what_was_chosen_and_is_always_needed(client: Client) -> None:
    client.cookies["bokio_app_language"] = "en"

    answer = client.post("/companies/connect/", {"feature": ["items", "bank-payments", "made-up"]})

    asked = parse_qs(urlsplit(answer["Location"]).query)["scope"][0].split()
    assert set(asked) == {*NEEDED, "items:read", "items:write"}
    assert ConnectAttempt.objects.get().scopes == asked


def test_bank_payments_are_offered_where_the_installation_is_approved_for_them(
    client: Client, settings: Any
) -> None:
    assert "Bank payments" not in text_of(client.get("/companies/connect/"))
    settings.BOKIO_BANK_PAYMENTS = True

    assert "Bank payments" in text_of(client.get("/companies/connect/"))
    answer = client.post("/companies/connect/", {"feature": "bank-payments"})
    assert "bank-payments:write" in parse_qs(urlsplit(answer["Location"]).query)["scope"][0]


def test_an_old_session_signs_in_again_before_a_company_is_let_in(
    tenant: Tenant, settings: Any
) -> None:
    person = make.member(tenant, password=make.PASSWORD)
    client = browser_of(person)
    company = make.connection(tenant, state=State.BROKEN)
    reconnect = reverse("connections:reconnect", args=[company.pk])
    session = client.session
    session["signed_in_at"] -= settings.SIGN_IN_FRESH + 1
    session.save()

    for address, back in [
        ("/companies/connect/", "/companies/connect/"),
        (reconnect, reverse("connections:detail", args=[company.pk])),
    ]:
        answer = client.post(address)
        assert answer["Location"] == f"/account/reauthenticate/?{urlencode({'next': back})}"
    assert not ConnectAttempt.objects.exists()
    again = client.post(
        "/account/reauthenticate/", {"password": make.PASSWORD, "next": "/companies/connect/"}
    )

    assert again["Location"] == "/companies/connect/"
    assert "state" in begin(client)


def test_two_tabs_of_a_browser_each_come_back_with_their_own_company(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    sandbox.reset(companies=2)
    one, two = (each["id"] for each in sandbox.companies())
    first, second = begin(client)["state"], begin(client)["state"]

    come_back(client, state=second, code=sandbox.authorize_directly(two, SCOPES))
    come_back(client, state=first, code=sandbox.authorize_directly(one, SCOPES))

    known = tenant.connections.values_list("company_id", flat=True)
    assert {str(each) for each in known} == {one, two}


def test_strangers_are_led_to_sign_in_before_a_consent_is_begun() -> None:
    answer = Client().post("/companies/connect/")

    assert answer["Location"].startswith(reverse("account_login"))
    assert not ConnectAttempt.objects.exists()


def test_a_consent_leads_to_the_result_with_the_first_reading(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    asked = begin(client)
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], SCOPES)

    address = come_back(client, state=asked["state"], code=code)

    company = Connection.objects.get(tenant=tenant)
    page = client.get(address)
    assert address == reverse("connections:result", args=[company.pk])
    assert company.state == State.ACTIVE
    assert [flow.kind for flow in page.context["reading"]] == ["read_books"]
    assert "Company information" in text_of(page)


def test_connecting_a_company_again_renews_it_and_says_so(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    remote = sandbox.companies()[0]["id"]
    come_back(client, state=begin(client)["state"], code=sandbox.authorize_directly(remote, SCOPES))

    again = begin(client)["state"]
    address = come_back(client, state=again, code=sandbox.authorize_directly(remote, SCOPES))

    company = Connection.objects.get(tenant=tenant)
    assert address == reverse("connections:renewed", args=[company.pk])
    assert company.generation == 2
    assert "The company was connected already." in text_of(client.get(address))


def test_a_broken_connection_is_asked_for_by_its_own_company(
    client: Client, tenant: Tenant
) -> None:
    company = make.connection(tenant, state=State.BROKEN)

    asked = begin(client, reverse("connections:reconnect", args=[company.pk]))

    assert asked["bokio_tenantid"] == str(company.company_id)


def test_a_refusal_at_bokio_has_its_own_page_and_keeps_nothing(client: Client) -> None:
    state = begin(client)["state"]

    address = come_back(client, state=state, error="access_denied")

    assert address == failed("declined")
    assert not Connection.objects.exists()


def test_a_state_of_another_browser_is_not_taken(person: User, sandbox: SandboxProcess) -> None:
    state = begin(browser_of(person))["state"]
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], SCOPES)

    assert come_back(browser_of(person), state=state, code=code) == failed("unknown")
    assert not Connection.objects.exists()


@pytest.mark.parametrize("query", [{}, {"state": "made-up", "code": "made-up"}])
def test_a_made_up_way_back_is_not_taken(query: dict[str, str], client: Client) -> None:
    assert come_back(client, **query) == failed("unknown")


def test_a_reloaded_way_back_says_that_it_was_used(client: Client) -> None:
    state = begin(client)["state"]
    come_back(client, state=state, error="access_denied")

    assert come_back(client, state=state, error="access_denied") == failed("used")


def test_a_consent_of_more_than_ten_minutes_is_too_late(client: Client) -> None:
    state = begin(client)["state"]
    ConnectAttempt.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert come_back(client, state=state, code="any") == failed("expired")


def test_a_code_that_bokio_does_not_take_keeps_nothing(
    client: Client, sandbox: SandboxProcess
) -> None:
    state = begin(client)["state"]

    assert come_back(client, state=state, code="spent") == failed("refused")
    assert not Connection.objects.exists()


def test_a_code_whose_answer_is_lost_keeps_nothing_and_names_the_cause(
    client: Client, sandbox: SandboxProcess
) -> None:
    state = begin(client)["state"]
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], SCOPES)
    sandbox.lose_answer("request-token")

    assert come_back(client, state=state, code=code) == failed("no-answer")
    assert not Connection.objects.exists()


def test_another_company_than_the_one_to_renew_is_not_kept(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    company = make.connection(tenant, state=State.BROKEN)
    state = begin(client, reverse("connections:reconnect", args=[company.pk]))["state"]
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], SCOPES)

    assert come_back(client, state=state, code=code) == failed("other-company")
    company.refresh_from_db()
    assert company.state == State.BROKEN


def test_a_company_of_another_workspace_comes_here_without_naming_that_workspace(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    remote = sandbox.companies()[0]["id"]
    taken = make.connection(make.tenant(name="Hemliga Byrån"), company_id=remote)
    code = sandbox.authorize_directly(remote, SCOPES)
    assert "moves to this one" in text_of(client.get("/companies/connect/"))

    address = come_back(client, state=begin(client)["state"], code=code)

    here = tenant.connections.get()
    assert address == reverse("connections:result", args=[here.pk])
    assert "Hemliga" not in client.get(address).content.decode()
    taken.refresh_from_db()
    assert (taken.state, here.state) == (State.ENDED, State.ACTIVE)
    assert client.get(reverse("connections:leaving", args=[taken.pk])).status_code == 404


def test_coming_back_signed_out_leaves_the_state_unused(client: Client) -> None:
    state = begin(client)["state"]

    address = come_back(Client(), state=state, code="any")

    assert address == failed("sign-in")
    assert Client().get(address).status_code == 200
    assert ConnectAttempt.objects.get().used_at is None


def test_the_way_back_is_kept_by_no_cache_and_told_to_nobody(client: Client) -> None:
    answer = client.get(CALLBACK, {"state": "s", "code": "c"})

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["head", "post", "put", "delete"])
def test_the_way_back_is_taken_by_get_alone(method: str, client: Client) -> None:
    state = begin(client)["state"]

    answer = getattr(client, method)(f"{CALLBACK}?state={state}&code=c")

    assert answer.status_code == 405
    assert ConnectAttempt.objects.get().used_at is None


def test_every_failure_has_a_page_of_its_own_in_both_languages(client: Client) -> None:
    pages = {}
    for language in ("sv", "en"):
        client.cookies["bokio_app_language"] = language
        for reason in FAILURES:
            pages[language, reason] = text_of(client.get(failed(reason)))

    assert set(REASONS) == set(ConnectFailed.__subclasses__())
    assert set(REASONS.values()) | {"sign-in", "marketplace"} == set(FAILURES)
    assert len(set(pages.values())) == len(pages)


def test_a_reason_that_does_not_exist_is_no_page(client: Client) -> None:
    assert client.get(failed("invented")).status_code == 404


def test_a_bokio_that_cannot_be_reached_is_named_as_the_cause(client: Client) -> None:
    state = begin(client)["state"]

    assert come_back(client, state=state, code="any") == failed("no-answer")
    assert not Connection.objects.exists()
