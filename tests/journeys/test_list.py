"""The list of invoices: found while one types, selected by keyboard, and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

ROWS = "[data-rows] tr[data-company]"
# Drafts of ours alone, which no reading of Bokio's lists changes.
MAKE_DRAFTS = """
from decimal import Decimal
from bokio_app.connections.models import Connection
from tests.support import make
of = Connection.objects.get(pk="{connection}")
some, other = (make.customer(of, name=name) for name in ("Holmgården Ek. för.", "Karlberga Hotell"))
for number in range({count}):
    customer = some if number < 2 else other
    make.invoice(of, customer=customer, lines=[], total=Decimal(1000 + number) + Decimal("0.25"))
"""


def make_drafts(stack: Stack, connection_id: str, count: int) -> None:
    stack.manage("shell", "-c", MAKE_DRAFTS.format(connection=connection_id, count=count))


def test_what_is_typed_is_found_and_what_is_selected_is_added_up(
    member: Walk, stack: Stack, connection_id: str
) -> None:
    make_drafts(stack, connection_id, 4)
    page, bar = member.page, member.page.locator("#bulk")
    member.go(f"/invoices/company/{connection_id}/")
    expect(page.locator(ROWS)).to_have_count(4)
    expect(page.locator("#list-sums")).to_contain_text("4\u00a0007,00")

    page.keyboard.press("/")
    page.keyboard.type("holmg")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator("#list-sums")).to_contain_text("2\u00a0001,50")
    expect(page).to_have_url(f"{member.app_url}/invoices/company/{connection_id}/?q=holmg")
    expect(page.locator("#list-q")).to_be_focused()

    page.locator("#list-q").blur()
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(bar).to_be_visible()
    expect(bar.locator("[data-count]")).to_have_text("1")
    page.keyboard.press("Shift+ArrowDown")
    expect(bar.locator("[data-count]")).to_have_text("2")
    expect(bar.locator("[data-total]")).to_have_text("2\u00a0001,50")
    assert member.barriers() == []

    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/invoices/*-*/")


def test_a_filter_is_set_by_keyboard_and_saved_as_a_view(
    member: Walk, stack: Stack, connection_id: str
) -> None:
    make_drafts(stack, connection_id, 3)
    page = member.page
    member.go(f"/invoices/company/{connection_id}/")

    page.keyboard.press("f")
    page.locator("[name=least]").fill("1 001,00")
    page.keyboard.press("Tab")
    expect(page.locator(ROWS)).to_have_count(2)
    page.keyboard.press("Escape")
    page.locator(".list-tools a", has_text="Spara vy").click()
    page.locator("[name=name]").fill("Över tusen")
    page.locator("#view-form .primary").click()

    expect(page.locator(".views a[aria-current]")).to_contain_text("Över tusen")
    expect(page.locator(".views a[aria-current] .count")).to_have_text("2")
    expect(page.locator(ROWS)).to_have_count(2)
    assert member.barriers() == []


def test_a_long_list_goes_on_by_itself_on_a_phone_in_the_dark(
    open_window: Callable[..., Walk], member: Walk, stack: Stack, connection_id: str
) -> None:
    make_drafts(stack, connection_id, 105)
    walk = open_window(language="en", theme="dark", width=390, height=844)
    walk.be_signed_in(EMAIL, PASSWORD)
    page = walk.page
    walk.go(f"/invoices/company/{connection_id}/")
    expect(page.locator("#list-sums")).to_contain_text("105")
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.locator("tr.more").scroll_into_view_if_needed()

    expect(page.locator(ROWS)).to_have_count(105)
    expect(page.locator("tr.more")).to_have_count(0)
    assert walk.barriers() == []


def test_the_list_works_without_scripts(
    open_window: Callable[..., Walk], member: Walk, stack: Stack, connection_id: str
) -> None:
    make_drafts(stack, connection_id, 3)
    walk = open_window(javascript=False)
    walk.be_signed_in(EMAIL, PASSWORD)
    page = walk.page
    walk.go(f"/invoices/company/{connection_id}/")

    page.locator("#list-sums a").click()
    expect(page.locator("#list-sums")).to_contain_text("3\u00a0003,75")
    page.locator("#list-q").fill("1 001,25")
    page.locator("#list-q").press("Enter")
    expect(page.locator(ROWS)).to_have_count(1)
    page.locator(f"{ROWS} input").check()
    page.locator("#bulk [name=sums]").click()

    expect(page.locator("#bulk [data-total]")).to_have_text("1\u00a0001,25")
    expect(page.locator(f"{ROWS} input")).to_be_checked()
