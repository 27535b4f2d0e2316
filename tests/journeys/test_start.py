"""The start page through a company's first day: empty, something to do, money owed, money in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD, Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]
EMAIL = "start@example.com"
# A workspace of its own, so that no other test's work is counted.
MAKE_PERSON = f"""
from bokio_app.tenants.models import Member, Tenant, User
person = User.objects.create_user("{EMAIL}", "{PASSWORD}", name="Maja Start")
Member.objects.create(tenant=Tenant.objects.create(slug="start", name="Startbyrån"), user=person)
"""


def weeks_are_drawn(walk: Walk) -> None:
    """The chart comes after the page."""
    expect(walk.page.locator("#weeks:not([hx-get])")).to_be_visible()


def test_the_start_page_leads_to_what_there_is_to_do(
    company: Company, open_window: Callable[..., Walk], stack: Stack
) -> None:
    stack.manage("shell", "-c", MAKE_PERSON)
    walk = open_window()
    page = walk.page
    walk.be_signed_in(EMAIL, PASSWORD)
    walk.go("/")
    expect(page.get_by_text("Inga företag än")).to_be_visible()
    assert walk.barriers() == []

    connection_id = walk.be_given(company.id, company.name)
    walk.write_guide_invoice(connection_id, org_number="556016-0680")
    walk.press("save")
    page.wait_for_url("**/invoices/*-*/edit/")
    draft = page.url

    walk.go("/")
    weeks_are_drawn(walk)
    assert walk.barriers() == []
    page.keyboard.press("1")
    page.wait_for_url("**/invoices/?view=draft")
    expect(page.locator("main")).to_contain_text("64\u00a0625,00")

    page.goto(draft)
    walk.publish_and_record()
    invoice = page.url
    walk.go("/")
    not_due = page.get_by_role("link", name=re.compile("^Ej förfallet: "))
    not_due.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/invoices/.*due_since="))
    expect(page.locator("main")).to_contain_text("64\u00a0625,00")

    page.goto(invoice)
    walk.register_payment()
    walk.go("/")
    weeks_are_drawn(walk)
    assert walk.barriers() == []
    page.locator("#weeks .plot-links a").last.click()
    page.wait_for_url(re.compile(r"/received/\?week="))
    expect(page.locator("main")).to_contain_text("64\u00a0609,50")
    assert walk.barriers() == []


def test_on_a_phone_nothing_of_the_start_page_is_beyond_the_edge(
    company: Company, open_window: Callable[..., Walk], member: Walk
) -> None:
    member.be_given(company.id, company.name)
    walk = open_window(width=390, height=844, theme="dark")
    walk.be_signed_in("demo@example.com", PASSWORD)

    walk.go("/")
    weeks_are_drawn(walk)

    assert walk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert walk.barriers() == []


def test_without_scripts_cash_per_week_is_a_page_of_its_own(
    company: Company, open_window: Callable[..., Walk], member: Walk
) -> None:
    member.be_given(company.id, company.name)
    walk = open_window(javascript=False)
    walk.sign_in("demo@example.com", PASSWORD)

    walk.page.get_by_role("link", name="Visa inbetalt per vecka").click()

    expect(walk.page.locator("#weeks")).to_be_visible()
    expect(walk.page.get_by_role("heading", level=1)).to_have_text("Inbetalt per vecka")
