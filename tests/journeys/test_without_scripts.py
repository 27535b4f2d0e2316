"""The whole slice in a browser that runs no scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_connect_invoice_publish_and_pay_work_without_scripts(
    company: Company, open_window: Callable[..., Walk], stack: Stack
) -> None:
    walk = open_window(javascript=False)
    page = walk.page
    walk.sign_in(EMAIL, PASSWORD)
    walk.ask_for_consent()
    walk.answer_consent(company.id)
    walk.reload_until(page.locator("h1", has_text=company.name))
    connection_id = next(part for part in page.url.split("/") if "-" in part)
    walk.go(f"/companies/{connection_id}/connected/")
    walk.reload_until(page.locator("#result:not(:has(noscript))"))

    walk.write_guide_invoice(connection_id, org_number="556016-0680")
    walk.press("send")
    page.wait_for_url("**/invoices/*-*/")
    walk.reload_until(page.locator("a.btn[href*='/payments/invoice/']"))
    page.locator("a.btn[href*='/payments/invoice/']").click()
    walk.fill_payment()
    walk.press("register")
    page.wait_for_url("**/invoices/*-*/")
    walk.reload_until(page.locator("h1 + *", has_text=walk.word("paid")))

    books = stack.sandbox.books(company.id)
    [invoice] = books["invoices"]
    assert invoice["status"] == "paid"
    assert len(books["payments"]) == len(books["settlements"]) == 1
    assert stack.sandbox.balance(company.id, 1510) == 0
