"""Trying by hand what the product does when Bokio's side goes wrong, as the README tells."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

ORG_NUMBER = "556016-0680"


def _at_bokio(member: Walk, path: str) -> Page:
    """A second window of the same browser, on Bokio's side."""
    page = member.context.new_page()
    page.goto(f"{member.sandbox_url}{path}")
    return page


def test_an_answer_that_is_lost_by_hand_makes_no_second_payment(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    member.write_guide_invoice(connection_id, org_number=ORG_NUMBER)
    member.publish_and_record()
    bokio = _at_bokio(member, "/faults")
    bokio.locator("button[name=fault][value=payment]").click()
    expect(bokio.locator("button[value=remove]")).to_have_count(1)

    member.register_payment()

    bokio.reload()
    struck = bokio.locator("tr", has=bokio.locator("button[value=remove]")).locator("td.num")
    expect(struck.nth(1)).to_have_text("1")
    books = stack.sandbox.books(company.id)
    [payment] = books["payments"]
    assert Decimal(str(payment["sumBaseCurrency"])) == Decimal("64609.50")
    assert Decimal(books["balances"]["1510"]) == 0
    bokio.goto(f"{member.sandbox_url}/companies/{company.id}/invoices?state=paid")
    expect(bokio.locator(".invoices .state-paid")).to_have_count(1)


def test_connecting_from_bokios_side_arrives_at_the_product(member: Walk, company: Company) -> None:
    member.ask_for_consent()
    bokio = _at_bokio(member, f"/companies/{company.id}/integrations")

    bokio.locator(".offer a.primary").click()

    bokio.wait_for_url(f"{member.app_url}/**")
    expect(bokio.locator("h1")).to_be_visible()


def test_a_connection_that_is_ended_on_bokios_page_is_gone_there(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    assert connection_id
    bokio = _at_bokio(member, f"/companies/{company.id}/integrations")

    bokio.locator(".offer button.secondary").click()

    expect(bokio.locator(".offer a.primary")).to_be_visible()
    assert company.id not in {row["tenantId"] for row in stack.sandbox.connections()}
