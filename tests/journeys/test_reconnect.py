"""What a connection lacks is given again, and work that waited for it goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.journeys.database import query
from tests.journeys.steps import at_bokio, draft, expect_recorded, one_invoice
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_a_run_waits_for_a_lost_connection_and_goes_on_when_it_is_given_again(
    open_window: Callable[..., Walk], company: Company, stack: Stack
) -> None:
    walk = open_window(language="en", width=390, height=844)
    walk.be_signed_in(EMAIL, PASSWORD)
    connection_id = walk.be_given(company.id, company.name)
    invoice = draft(walk, connection_id)
    [remote_id] = at_bokio(stack, company)

    stack.sandbox.revoke_connection(remote_id)
    walk.press("send")

    waiting = walk.page.locator(".flow-progress").get_by_text("connect", exact=False)
    expect(waiting.first).to_be_visible()
    assert stack.sandbox.books(company.id)["invoices"] == []
    bell = walk.page.get_by_role("navigation", name="Main, short").locator(".count.warn")
    walk.reload_until(bell)
    assert walk.barriers() == []
    walk.page.get_by_role("button", name="More").click()
    walk.page.get_by_role("link", name="Notices").locator("visible=true").click()
    notice = walk.page.get_by_role("listitem").filter(has_text=company.name).first
    expect(notice).to_contain_text("Needs you")
    assert walk.barriers() == []
    notice.get_by_role("link").click()
    expect(walk.page.locator(".next-step")).to_contain_text("1 run waits.")
    assert walk.barriers() == []

    walk.press("reconnect")
    walk.consent_again()

    expect(walk.page.get_by_role("heading", level=1)).to_have_text(
        f"{company.name} is connected again"
    )
    assert walk.page.url.endswith(f"/companies/{connection_id}/renewed/")
    assert walk.barriers() == []
    walk.go(invoice)
    expect_recorded(walk)
    one_invoice(stack, company)
    assert len(at_bokio(stack, company)) == 1
    walk.go("/companies/notices/")
    newest = walk.page.get_by_role("listitem").filter(has_text=company.name).first
    expect(newest).to_contain_text("Works again")


def test_a_list_that_was_not_allowed_says_so_and_is_read_once_it_is(
    open_window: Callable[..., Walk], company: Company
) -> None:
    walk = open_window(language="en", theme="dark")
    walk.be_signed_in(EMAIL, PASSWORD)
    walk.go("/companies/connect/")
    walk.page.get_by_label("Credit notes").uncheck()
    walk.press("connect")
    walk.be_at_bokio()
    walk.answer_consent(company.id)
    expect(walk.page.get_by_role("heading", level=1)).to_contain_text(company.name)
    notes = walk.page.locator(".copy-lists li").filter(has_text="Credit notes")
    expect(notes).to_contain_text("The permission is missing.")
    assert walk.barriers() == []

    notes.get_by_role("link").click()
    expect(walk.page.get_by_label("Credit notes")).to_be_checked()
    expect(walk.page.get_by_label("Bookkeeping")).not_to_be_checked()
    assert walk.barriers() == []
    walk.press("connect")
    expect(walk.page.locator(".leaves")).to_contain_text("credit-notes:read")
    walk.consent_again()

    expect(notes).to_contain_text("Read")
    expect(notes).not_to_contain_text("missing")


def test_a_run_that_lacks_a_permission_leads_to_it_and_goes_on_once_it_is_given(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    invoice = draft(member, connection_id)
    _take_away(stack, connection_id, "invoices:write")
    member.press("send")
    stopped = member.page.locator(".next-step")
    expect(stopped).to_contain_text("Anslutningen saknar en behörighet")
    stopped.get_by_role("link", name="Öppna körningen").click()
    assert stack.sandbox.books(company.id)["invoices"] == []
    assert member.barriers() == []

    member.page.get_by_role("link", name="Be företaget om den").click()
    expect(member.page.get_by_label("Fakturor")).to_be_checked()
    assert member.barriers() == []
    member.press("connect")
    member.consent_again()

    member.go(invoice)
    expect_recorded(member)
    one_invoice(stack, company)


def _take_away(stack: Stack, connection_id: str, scope: str) -> None:
    """Let the company have allowed less, as one that was connected for less has."""
    [(scopes,)] = query(
        stack, "SELECT scopes FROM connections_connection WHERE id = %s", connection_id
    )
    left = json.dumps([each for each in scopes if each != scope])
    query(stack, "UPDATE connections_connection SET scopes = %s WHERE id = %s", left, connection_id)
