"""What several journeys do on their way: a draft, its being recorded, and Bokio's side of it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.journeys.conftest import Company
from tests.support.processes import Stack
from tests.support.walk import Walk

PUBLISH = "post-invoices-invoiceId-publish"


def draft(walk: Walk, connection_id: str, *, org_number: str = "556016-0680") -> str:
    """A complete draft, to a new customer, that is saved; the page of the invoice is open.
    Returns its path.
    """
    walk.go(f"/invoices/new/?company={connection_id}")
    walk.fill_customer(org_number)
    walk.type_line(0, description="Arbete", quantity="2", unit_price="1000")
    walk.press("save")
    walk.page.wait_for_url("**/invoices/*-*/edit/")
    path = walk.page.url.removeprefix(walk.app_url).removesuffix("edit/")
    walk.go(path)
    return path


def expect_recorded(walk: Walk) -> None:
    expect(walk.page.locator("a[href*='/payments/invoice/']").first).to_be_visible()


def one_invoice(stack: Stack, company: Company) -> Any:
    """The company's only invoice, with its only journal entry."""
    books = stack.sandbox.books(company.id)
    [invoice] = books["invoices"]
    assert len(books["journalEntries"]) == 1
    return invoice


def at_bokio(stack: Stack, company: Company) -> list[str]:
    """The ids of the connections that Bokio has for the company: one, or none."""
    return [row["id"] for row in stack.sandbox.connections() if row["tenantId"] == company.id]
