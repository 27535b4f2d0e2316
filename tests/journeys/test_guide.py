"""From a browser to balanced books: the invoice of Bokio's own guide."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import EMAIL, PASSWORD
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

SIDES = ("debit", "credit")
ORG_NUMBERS = ["556016-0680", "556036-0793", "556056-6258", "556012-5790", "556074-7569"]


def walk_the_guide(walk: Walk, stack: Stack, *, company: int) -> None:
    """Connect, write, publish and record, register the payment; then look at Bokio's books."""
    company_id, name = (stack.sandbox.companies()[company][key] for key in ("id", "name"))
    connection_id = walk.connect(company_id, name)
    barriers = walk.barriers()
    walk.write_guide_invoice(connection_id, org_number=ORG_NUMBERS[company])
    barriers += walk.barriers()
    walk.publish_and_record()
    barriers += walk.barriers()
    walk.register_payment()
    barriers += walk.barriers()

    page = walk.page
    expect(page.locator("#invoice")).to_contain_text("3730")
    expect(page.locator("#invoice")).to_contain_text("6570")
    assert not barriers
    assert_books(stack, company_id)


def assert_books(stack: Stack, company_id: str) -> None:
    books = stack.sandbox.books(company_id)
    [invoice] = books["invoices"]
    assert Decimal(str(invoice["totalAmount"])) == Decimal("64625")
    assert invoice["status"] == "paid"
    assert len(books["payments"]) == len(books["settlements"]) == 1
    assert len([each for each in books["customers"] if each["name"] == "John Doe"]) == 1
    for entry in books["journalEntries"]:
        items = entry["items"]
        debit, credit = (sum(Decimal(str(item[side])) for item in items) for side in SIDES)
        assert debit == credit
    balances = {
        account: Decimal(amount) for account, amount in books["balances"].items() if Decimal(amount)
    }
    assert balances == {
        "1940": Decimal("64609.50"),
        "2611": Decimal("-12925.00"),
        "3001": Decimal("-52200.00"),
        "3730": Decimal("500.00"),
        "6570": Decimal("15.50"),
    }


@pytest.mark.parametrize(
    "company,language,width,height",
    [(0, "sv", 1440, 900), (1, "en", 1440, 900), (2, "sv", 390, 844), (3, "en", 390, 844)],
    ids=["swedish-desk", "english-desk", "swedish-phone", "english-phone"],
)
def test_the_guides_invoice_is_sent_paid_and_balanced(
    company: int,
    language: str,
    width: int,
    height: int,
    open_window: Callable[..., Walk],
    stack: Stack,
) -> None:
    walk = open_window(language=language, width=width, height=height)
    walk.sign_in(EMAIL, PASSWORD)

    walk_the_guide(walk, stack, company=company)


def test_the_same_on_the_embedded_default_without_any_server(
    browser: Browser, tmp_path: Path
) -> None:
    with Stack(
        tmp_path, embedded=True, broker=False, companies=1, env={"TIME_FACTOR": "0.1"}
    ) as stack:
        stack.start()
        stack.manage("seed_demo", "--password", PASSWORD)
        walk = Walk.begin(browser, app_url=stack.app_url, sandbox_url=stack.sandbox.url)
        walk.sign_in(EMAIL, PASSWORD)

        walk_the_guide(walk, stack, company=0)

        walk.context.close()
        assert not walk.noted
