"""The operators' console in a browser: who gets in, what it shows, and letting a run go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import COLLEAGUE, EMAIL, PASSWORD, Company
from tests.journeys.secrets import Opened
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

CREATE = "post-invoice"


def stopped_run(walk: Walk, stack: Stack, connection_id: str) -> None:
    """A run of the company that Bokio has refused for good, as it does once."""
    stack.sandbox.add_fault(CREATE, "status", status=403, code="forbidden", message="Not allowed")
    walk.write_guide_invoice(connection_id, org_number="556016-0680")
    walk.press("send")
    walk.page.wait_for_url("**/invoices/*-*/")
    expect(walk.page.locator("#invoice")).to_contain_text("Not allowed")


def test_an_operator_finds_everything_and_lets_a_stopped_run_go_on(
    member: Walk,
    company: Company,
    connection_id: str,
    open_window: Callable[..., Walk],
    stack: Stack,
) -> None:
    stopped_run(member, stack, connection_id)
    operator = open_window()
    page = operator.page
    operator.go("/admin/")
    assert "/account/login/" in page.url
    page.locator("input[name=login]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    operator.press("sign_in")
    page.wait_for_url(f"{operator.app_url}/admin/")
    barriers = operator.barriers()

    operator.go("/admin/tenants/tenant/?q=lagerkvist")
    barriers += operator.barriers()
    page.locator("#result_list").get_by_role("link", name="Byrån Lagerkvist").click()
    expect(page.locator("#members-group")).to_contain_text("Maja Lindqvist")
    barriers += operator.barriers()

    operator.go(f"/admin/connections/connection/{connection_id}/change/")
    expect(page.locator("#content")).to_contain_text(company.name)
    shown = page.content()
    assert not [secret for secret in Opened(stack).secrets() if secret in shown]
    barriers += operator.barriers()

    operator.go("/admin/flows/flow/?state__exact=stuck")
    page.locator("#searchbar").fill(company.name)
    page.locator("#searchbar").press("Enter")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("send_invoice")
    barriers += operator.barriers()
    rows.locator("th a").click()
    expect(page.locator("#steps-group")).to_contain_text("create_invoice")
    expect(page.locator("#steps-group")).to_contain_text("forbidden")
    barriers += operator.barriers()
    page.go_back()

    rows.locator("input[type=checkbox]").check()
    page.locator("select[name=action]").select_option("retry")
    page.locator("button[name=index]").click()

    expect(page.locator(".messagelist")).to_contain_text("1 körning fortsätter.")
    member.reload_until(member.page.locator("a[href*='/payments/invoice/']").first)
    assert len(stack.sandbox.books(company.id)["invoices"]) == 1
    assert not barriers, "\n".join(barriers)


def test_a_member_who_is_no_operator_is_sent_away(
    people: None, open_window: Callable[..., Walk]
) -> None:
    walk = open_window()
    walk.be_signed_in(COLLEAGUE, PASSWORD)
    walk.statuses.add(403)

    walk.go("/admin/")

    expect(walk.page.get_by_role("heading", level=1)).to_be_visible()
    expect(walk.page.locator("#result_list, #content-main")).to_have_count(0)
