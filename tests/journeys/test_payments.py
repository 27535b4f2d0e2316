"""Payments in a browser: the sum that follows what is typed, and taking one back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from bokio_app.core import clock
from tests.journeys import steps
from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

LEFT = "#effect dd.grand"


@pytest.mark.parametrize(
    "language,width,height,theme",
    [("sv", 1440, 900, "light"), ("en", 390, 844, "dark")],
    ids=["swedish-desk-light", "english-phone-dark"],
)
def test_a_short_payment_with_a_services_fee_adds_up_and_is_booked_as_expected(
    language: str,
    width: int,
    height: int,
    theme: str,
    open_window: Callable[..., Walk],
    company: Company,
    stack: Stack,
) -> None:
    walk = open_window(language=language, width=width, height=height, theme=theme)
    walk.be_signed_in(EMAIL, PASSWORD)
    connection_id = walk.be_given(company.id, company.name)
    walk.write_guide_invoice(connection_id, org_number="556016-0680")
    walk.publish_and_record()
    page = walk.page
    page.locator("a.btn[href*='/payments/invoice/']").first.click()

    page.locator("[name=amount]").fill("64000")
    expect(page.locator(LEFT)).to_contain_text("625")
    page.locator("[name=fee]").fill("25")
    expect(page.locator(LEFT)).to_contain_text("600")
    page.locator("#effect button[value=take_service_fee]").click()
    expect(page.locator(LEFT)).to_contain_text(walk.word("zero"))
    page.locator("[name=vat_scheme]").select_option("vatExempt")
    expect(page.locator("#effect")).to_contain_text("6590")
    barriers = walk.barriers()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/invoices/*-*/")
    expect(page.locator("h1 + *").first).to_contain_text(walk.word("paid"))

    expect(page.locator(".compare tr.differs")).to_have_count(0)
    expect(page.locator(".compare .t-ok")).to_have_count(4)
    assert barriers + walk.barriers() == []
    assert stack.sandbox.balance(company.id, 1510) == 0
    assert stack.sandbox.balance(company.id, 6590) == 600


def test_a_payment_that_is_not_recorded_is_taken_back(
    member: Walk, connection_id: str, company: Company, stack: Stack
) -> None:
    member.write_guide_invoice(connection_id, org_number="556036-0793")
    member.publish_and_record()
    page, remote = member.page, steps.one_invoice(stack, company)["id"]
    stack.sandbox.pay_invoice(company.id, remote, "50", date=str(clock.today()))
    page.locator("form[action*='/refresh/'] button").click()
    link = page.locator("a[href*='/take-back/']")
    member.reload_until(link)

    link.click()
    barriers = member.barriers()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/invoices/*-*/")
    expect(page.locator("a[href*='/take-back/']")).to_have_count(0)
    member.reload_until(page.locator(".open-rows tfoot", has_text=member.word("total")))

    assert barriers == []
    assert stack.sandbox.books(company.id)["payments"] == []
    assert stack.sandbox.balance(company.id, 1510) == Decimal("64625")
