"""An invoice is credited in part from its page; its PDF and the credit note's are at hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PART = Decimal("29000.00")  # 80 of the guide's 180 hours, with VAT


def amounts(stack: Stack, company: Company) -> list[Decimal]:
    notes = stack.sandbox.books(company.id)["creditNotes"]
    return [Decimal(str(each["totalAmount"])) for each in notes]


def test_a_part_is_credited_with_the_keyboard_and_the_pdfs_are_at_hand(
    member: Walk, connection_id: str, company: Company, stack: Stack
) -> None:
    page = member.page
    member.write_guide_invoice(connection_id, org_number="556016-0680")
    member.publish_and_record()
    expect(page.locator("#pdf-shown object")).to_be_attached()
    shown = page.locator("#pdf-shown object").get_attribute("data") or ""
    pdf = member.context.request.get(member.app_url + shown)
    assert pdf.body().startswith(b"%PDF-")

    page.get_by_role("link", name="Kreditera").click()
    page.wait_for_url("**/credit/")
    barriers = member.barriers()
    hours, discount = page.locator("table.credit-lines input").all()
    hours.fill("80")
    discount.fill("0")
    expect(page.locator("#credit-button")).to_contain_text("29\u00a0000,00")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/invoices/*-*/")
    note = page.get_by_role("link", name="Kreditfaktura")
    expect(page.locator(".open-rows tbody tr")).to_have_count(2)
    barriers += member.barriers()

    note.last.click()
    page.wait_for_url("**/credit-notes/*/")
    expect(page.locator("#pdf-shown object")).to_be_attached()
    expect(page.locator("h1 + *").first).to_contain_text("Bokförd")
    barriers += member.barriers()
    member.go("/credit-notes/")
    expect(page.locator("tbody[data-rows] tr", has_text=company.name)).to_have_count(1)
    assert barriers + member.barriers() == []
    assert amounts(stack, company) == [PART]


def test_without_scripts_the_amount_is_agreed_to_before_it_is_credited(
    member: Walk,
    connection_id: str,
    company: Company,
    stack: Stack,
    open_window: Callable[..., Walk],
) -> None:
    member.write_guide_invoice(connection_id, org_number="556016-0680")
    member.publish_and_record()
    walk = open_window(javascript=False)
    walk.statuses.add(422)
    walk.be_signed_in(EMAIL, PASSWORD)
    page = walk.page
    page.goto(f"{member.page.url}credit/")
    hours, discount = page.locator("table.credit-lines input").all()
    hours.fill("80")
    discount.fill("0")

    page.locator("button[value=credit]").click()
    expect(page.locator(".errors, [role=alert]").first).to_contain_text("Beloppet har ändrats")
    assert amounts(stack, company) == []
    page.locator("button[value=credit]").click()
    page.wait_for_url("**/invoices/*-*/")
    walk.reload_until(page.locator(".open-rows a[href*='/credit-notes/']"))

    assert amounts(stack, company) == [PART]
