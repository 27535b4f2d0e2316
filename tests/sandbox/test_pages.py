"""The pages of Bokio's side in a browser: sign-in, consent, books, faults; each for everybody."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.conftest import Api
from tests.support.sandbox import SandboxProcess
from tests.support.walk import AXE

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


def _decided(page: Page, sandbox: SandboxProcess, decision: str) -> dict[str, Any]:
    """What the browser brings back to the application."""
    with page.expect_request(f"{sandbox.redirect_uri}**") as returned:
        page.locator(f"button[value={decision}]").click()
    return parse_qs(urlsplit(returned.value.url).query)


def _accessible(page: Page) -> None:
    found = Axe().run(page, options=AXE).response["violations"]
    serious = [row for row in found if row["impact"] in ("serious", "critical")]
    assert serious == []


def test_a_person_signs_in_chooses_a_company_and_allows(page: Page, sandbox: SandboxProcess):
    sandbox.reset(companies=3)
    _authorize(page, sandbox)
    _accessible(page)
    page.get_by_label("Lindgrens Elteknik HB").check()

    result = _decided(page, sandbox, "allow")

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

    result = _decided(page, sandbox, "refuse")

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


PLAIN = (
    "people",
    "companies/new",
    "applications",
    "applications/new",
    "connections",
    "faults",
    "faults/order/status",
    "switches",
    "clock",
    "calls",
)
BOOKS = (
    "",
    "/invoices",
    "/invoices/new",
    "/credit-notes",
    "/customers",
    "/items",
    "/entries",
    "/accounts",
    "/accounts/1510",
    "/years",
    "/uploads",
    "/tags",
    "/suppliers",
    "/supplier-invoices",
    "/bank-payments",
    "/integrations",
    "/settings",
)


def _sign_in(page: Page, sandbox: SandboxProcess) -> None:
    page.goto(sandbox.url)
    page.locator("button.person").first.click()


def _looked_at(page: Page, address: str) -> None:
    """Nothing axe finds serious, nothing that needs a script, nothing wider than the window."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.locator("script").count() == page.locator("[style]").count() == 0
    assert page.locator("h1").count() == 1, address
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], address
    _accessible(page)


def _filled(api: Api) -> list[str]:
    """Put one of most things in the books; the addresses of the pages it has of its own."""
    invoice = api.published()
    path = f"invoices/{invoice['id']}"
    api.ok("POST", f"{path}/record")
    payment = {"date": "2024-10-20", "sumBaseCurrency": 100, "bookkeepingAccountNumber": 1930}
    api.ok("POST", f"{path}/payments", payment)
    note = api.ok("POST", f"{path}/credit")
    draft = api.draft()
    supplier = api.ok("POST", "suppliers", {"name": "Kvarnby Trävaror AB"})
    bill = {"invoiceDate": "2024-10-01", "dueDate": "2024-11-01", "totalAmount": 99}
    api.ok("POST", "supplier-invoices", {"supplierRef": {"id": supplier["id"]}, **bill})
    group = api.ok("POST", "tag-groups", {"name": "Kostnadsställe", "alias": "KS"})
    api.ok("POST", f"tag-groups/{group['id']}/tags", {"name": "Varberg"})
    text = {"description": "Tack för förtroendet!", "itemType": "descriptionOnlyItem"}
    api.ok("POST", "items", text)
    api.sandbox.add_fault("post-item", "delay", nth=None, seconds=2)
    return [f"/{path}", f"/credit-notes/{note['id']}", f"/invoices/{draft['id']}/edit"]


def test_every_page_is_accessible_when_there_is_nothing_on_it(page: Page, sandbox: SandboxProcess):
    company = sandbox.companies()[0]["id"]
    _sign_in(page, sandbox)

    for path in PLAIN:
        _looked_at(page, f"{sandbox.url}/{path}")
    for path in BOOKS:
        _looked_at(page, f"{sandbox.url}/companies/{company}{path}")


def test_every_page_is_accessible_when_it_is_full(page: Page, api: Api):
    own = _filled(api)
    api.sandbox.move_clock(3600)
    api.sandbox.set_switches(newest_first=True)
    _sign_in(page, api.sandbox)

    for path in PLAIN:
        _looked_at(page, f"{api.sandbox.url}/{path}")
    for path in (*BOOKS, *own):
        _looked_at(page, f"{api.sandbox.url}/companies/{api.company_id}{path}")
    back = f"{api.company_id}/integrations/{api.sandbox.client_id}"
    _looked_at(page, f"{api.sandbox.url}/{back}")


def test_a_person_reads_the_books_pays_an_invoice_and_ends_the_connection(page: Page, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")
    _sign_in(page, api.sandbox)
    page.get_by_role("link", name="Aurora Works AB").click()
    page.get_by_role("link", name="1001").first.click()

    page.locator("details").first.locator("summary").click()
    page.locator("#pay-amount").fill("1250")
    page.locator("form[action$='/pay'] button").click()

    expect(page.locator(".heading .state-paid")).to_be_visible()
    expect(page.get_by_role("status")).to_be_visible()
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "paid"
    assert api.balance(1510) == 0
    page.goto(f"{api.sandbox.url}/connections")
    page.locator("button[value=end]").click()
    expect(page.locator("button[value=end]")).to_have_count(0)
    assert api.sandbox.connections() == []


def test_a_payment_is_registered_with_the_keyboard_alone(page: Page, api: Api):
    invoice = api.published()
    _sign_in(page, api.sandbox)
    page.goto(f"{api.sandbox.url}/companies/{api.company_id}/invoices/{invoice['id']}")

    page.locator("details summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("250")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_be_visible()
    [payment] = api.ok("GET", f"invoices/{invoice['id']}/payments")["items"]
    assert payment["sumBaseCurrency"] == 250


def test_the_first_stop_of_the_keyboard_skips_the_menu(page: Page, api: Api):
    _sign_in(page, api.sandbox)
    page.goto(f"{api.sandbox.url}/companies/{api.company_id}")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"


def test_the_menu_of_a_company_leads_everywhere_on_any_screen(page: Page, api: Api):
    _sign_in(page, api.sandbox)
    page.goto(f"{api.sandbox.url}/companies/{api.company_id}")
    opener = page.locator(".open-menu")
    if opener.is_visible():
        opener.click()

    page.locator(".menu a", has_text=re.compile("Saldon|Balances")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Saldon|Balances"))


def test_a_fault_can_be_ordered_by_hand(page: Page, api: Api):
    _sign_in(page, api.sandbox)
    page.goto(f"{api.sandbox.url}/faults")
    page.locator("a[href$='/faults/order/error_before']").click()
    page.locator("select[name=operation]").select_option("get-customer")

    page.locator("button.primary").click()

    expect(page.locator("button[value=remove]")).to_have_count(1)
    expect(page.locator(".count")).to_contain_text("1")
    assert api.call("GET", "customers").status == 500


def test_the_language_can_be_changed(page: Page, sandbox: SandboxProcess):
    page.goto(sandbox.url)
    before = page.locator("html").get_attribute("lang")

    page.locator("button[name=language]").click()

    assert {before, page.locator("html").get_attribute("lang")} == {"sv", "en"}
