"""A page that follows its run, and everything that could start the same work twice."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import COLLEAGUE, PASSWORD, Company
from tests.journeys.database import query
from tests.journeys.steps import PUBLISH, draft, expect_recorded, one_invoice
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

AT_ONCE = 20
HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
FORM = "form => Object.fromEntries(new FormData(form))"


def steps(page: Page) -> Locator:
    return page.locator(".flow-progress li")


def expect_steps(page: Page, *words: str) -> None:
    """The words that screen readers hear of the steps, in their order."""
    expect(page.locator(".flow-progress li .grow > .visually-hidden")).to_have_text(
        [f": {word}" for word in words]
    )


def post_at_once(walk: Walk, path: str, form: dict[str, str]) -> list[int]:
    """Send the same form from many threads at the same moment, as this person's browser would."""
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in walk.context.cookies())
    body = urllib.parse.urlencode(form).encode()

    def post(_number: int) -> int:
        request = urllib.request.Request(  # noqa: S310  # always http on loopback
            walk.app_url + path, data=body, headers={"Cookie": cookies}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return int(answer.status)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(post, range(AT_ONCE)))


def test_the_page_shows_each_step_while_bokio_works_without_being_loaded_again(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    draft(member, connection_id)
    held = stack.sandbox.add_fault(PUBLISH, "hold_before")
    member.press("send")
    member.page.wait_for_url("**/invoices/*-*/")
    member.page.evaluate("window.loadedOnce = true")

    stack.sandbox.wait_held(held)

    expect_steps(member.page, "klart", "klart", "pågår", "väntar")
    stack.sandbox.release(held)
    expect_recorded(member)
    assert member.page.evaluate("window.loadedOnce")
    assert one_invoice(stack, company)["status"] != "draft"


def test_reloading_double_clicks_and_a_second_person_make_no_second_invoice(
    member: Walk,
    company: Company,
    connection_id: str,
    people: None,
    open_window: Callable[..., Walk],
    stack: Stack,
) -> None:
    path = draft(member, connection_id)
    colleague = open_window()
    colleague.be_signed_in(COLLEAGUE, PASSWORD)
    colleague.go(path)
    colleague.page.evaluate(HIDE, True)  # so it goes on showing what it has shown
    held = stack.sandbox.add_fault(PUBLISH, "hold_before")

    member.page.get_by_role("button", name=member.word("send")).first.dblclick()
    stack.sandbox.wait_held(held)
    expect(steps(member.page)).to_have_count(4)  # a reload on top of the clicks' own way ends both
    member.page.reload()
    colleague.press("send")
    expect(steps(colleague.page)).to_have_count(4)
    member.page.reload()
    stack.sandbox.release(held)

    expect_recorded(member)
    expect_recorded(colleague)
    one_invoice(stack, company)
    runs = query(
        stack,
        "SELECT id FROM flows_flow WHERE kind = 'send_invoice' AND connection_id = %s",
        connection_id,
    )
    assert len(runs) == 1


def test_forms_that_arrive_twenty_times_at_once_do_their_work_once(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    path = draft(member, connection_id)
    form = member.page.locator(f"form[action='{path}send/']").evaluate(FORM)
    assert set(post_at_once(member, f"{path}send/", form)) == {200}
    member.page.reload()
    expect_recorded(member)
    one_invoice(stack, company)

    member.page.locator("a[href*='/payments/invoice/']").first.click()
    expect(member.page.locator("#payment")).to_be_visible()
    paying = member.page.url.removeprefix(member.app_url)
    form = member.page.locator("#payment").evaluate(FORM)
    assert form["request_key"]
    assert set(post_at_once(member, paying, form)) == {200}

    member.go(path)
    expect(member.page.locator("h1 + *").first).to_contain_text(member.word("paid"))
    books = stack.sandbox.books(company.id)
    assert len(books["payments"]) == 1
    assert len(books["journalEntries"]) == 2


def test_a_new_invoices_form_that_arrives_twenty_times_at_once_makes_one_invoice(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    address = f"/invoices/new/?company={connection_id}"
    member.go(address)
    member.fill_customer("556016-0680")
    member.type_line(0, description="Arbete", quantity="2", unit_price="1000")
    form = member.page.locator("#editor").evaluate(FORM) | {"action": "send"}

    assert set(post_at_once(member, address, form)) == {200}

    [(invoice_id,)] = query(
        stack, "SELECT id FROM invoicing_invoice WHERE connection_id = %s", connection_id
    )
    member.go(f"/invoices/{invoice_id}/")
    expect_recorded(member)
    one_invoice(stack, company)


def test_a_worker_killed_in_mid_run_leaves_one_of_everything(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    draft(member, connection_id)
    held = stack.sandbox.add_fault(PUBLISH, "hold_after")
    member.press("send")
    stack.sandbox.wait_held(held)
    expect_steps(member.page, "klart", "klart", "pågår", "väntar")

    stack.worker.kill()
    stack.sandbox.release(held)
    stack.worker.start()

    expect_recorded(member)
    number = one_invoice(stack, company)["invoiceNumber"]
    expect(member.page.get_by_role("heading", level=1)).to_contain_text(str(number))
    assert stack.sandbox.balance(company.id, 1510) == 2500
