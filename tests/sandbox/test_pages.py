"""The pages of Bokio's side in a browser: sign-in, consent, books, connections, faults."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.conftest import Api
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.journey


@pytest.fixture(params=[("sv", 1280, "light"), ("en", 390, "dark")], ids=["sv", "en"])
def page(
    browser: Browser, sandbox: SandboxProcess, request: pytest.FixtureRequest
) -> Iterator[Page]:
    language, width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 850}, color_scheme=scheme, locale="en-GB"
    )
    if language != "sv":
        context.add_cookies([{"name": "sandbox_language", "value": language, "url": sandbox.url}])
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.route("http://127.0.0.1:8000/**", lambda route: route.fulfill(body="the application"))
    yield page
    context.close()
    assert trouble == []


def _authorize(page: Page, sandbox: SandboxProcess, **changes: str) -> None:
    query = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": sandbox.redirect_uri,
        "state": "state-1",
        "scope": "company-information:read invoices:read invoices:write",
    }
    page.goto(f"{sandbox.url}/v1/authorize?{urlencode(query | changes)}")
    page.locator("button.person").first.click()


def _returned(page: Page, sandbox: SandboxProcess) -> dict[str, Any]:
    page.wait_for_url(f"{sandbox.redirect_uri}**")
    return parse_qs(urlsplit(page.url).query)


def _accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [row for row in found if row["impact"] in ("serious", "critical")]
    assert serious == []


def test_a_person_signs_in_chooses_a_company_and_allows(page: Page, sandbox: SandboxProcess):
    sandbox.reset(companies=3)
    _authorize(page, sandbox)
    _accessible(page)
    page.get_by_label("Lindgrens Elteknik HB").check()

    page.locator("button[value=allow]").click()

    result = _returned(page, sandbox)
    assert result["state"] == ["state-1"]
    reply = sandbox.token_request(
        {
            "grant_type": "authorization_code",
            "code": result["code"][0],
            "redirect_uri": sandbox.redirect_uri,
        }
    )
    assert reply.json["tenant_id"] == sandbox.companies()[2]["id"]


def test_a_refusal_returns_the_state_and_connects_nothing(page: Page, sandbox: SandboxProcess):
    _authorize(page, sandbox)

    page.locator("button[value=refuse]").click()

    result = _returned(page, sandbox)
    assert (result["error"], result["state"]) == (["access_denied"], ["state-1"])
    assert sandbox.connections() == []


def test_the_company_is_locked_when_the_application_names_it(page: Page, sandbox: SandboxProcess):
    sandbox.reset(companies=3)
    company = sandbox.companies()[1]

    _authorize(page, sandbox, bokio_tenantid=company["id"], bokio_tenanttype="company")

    choices = page.locator("input[name=company]")
    expect(choices).to_have_count(1)
    expect(choices).to_be_checked()
    assert choices.get_attribute("value") == company["id"]


def test_a_company_of_somebody_else_cannot_be_given_away(page: Page, sandbox: SandboxProcess):
    foreign = "00000000-0000-4000-8000-000000000000"

    _authorize(page, sandbox, bokio_tenantid=foreign, bokio_tenanttype="company")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("button[value=allow]")).to_have_count(0)


def test_a_person_reads_the_books_pays_an_invoice_and_ends_the_connection(page: Page, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")
    page.goto(api.sandbox.url)
    page.locator("button.person").first.click()
    _accessible(page)
    page.get_by_role("link", name="Aurora Works AB").click()
    _accessible(page)
    page.get_by_role("link", name="1001").click()
    _accessible(page)

    page.locator("button[value=pay]").click()

    expect(page.locator(".state-paid")).to_be_visible()
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "paid"
    page.goto(f"{api.sandbox.url}/connections")
    _accessible(page)
    page.locator("td form button").click()
    expect(page.locator("td form button")).to_have_count(0)
    assert api.sandbox.connections() == []


def test_a_fault_can_be_ordered_by_hand(page: Page, api: Api):
    page.goto(api.sandbox.url)
    page.locator("button.person").first.click()
    page.goto(f"{api.sandbox.url}/faults")
    _accessible(page)
    page.locator("select[name=operation]").select_option("get-customer")
    page.locator("select[name=kind]").select_option("error_before")

    page.locator("button[value=add]").click()

    expect(page.locator("button[value=remove]")).to_have_count(1)
    assert api.call("GET", "customers").status == 500


def test_the_language_can_be_changed(page: Page, sandbox: SandboxProcess):
    page.goto(sandbox.url)
    before = page.locator("html").get_attribute("lang")

    page.locator("button[name=language]").click()

    assert {before, page.locator("html").get_attribute("lang")} == {"sv", "en"}
