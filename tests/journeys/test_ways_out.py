"""Every way out: here, when work is done or at once, and from Bokio's side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.journeys.database import query
from tests.journeys.steps import at_bokio, draft, one_invoice
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

CREATE = "post-invoice"
CUSTOMERS = ("556016-0680", "556036-0793")


def tokens(stack: Stack, connection_id: str) -> int:
    [(count,)] = query(
        stack,
        "SELECT count(*) FROM connections_tokengrant WHERE connection_id = %s",
        connection_id,
    )
    return int(count)


def test_a_company_is_disconnected_here_when_its_work_is_done(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    invoice = draft(member, connection_id)
    stack.worker.terminate()  # a call that is held would come to its deadline on a slow machine
    member.press("send")
    member.go(f"/companies/{connection_id}/")
    member.page.get_by_role("link", name="Koppla bort företaget").click()
    expect(member.page.get_by_role("group")).to_contain_text("1 pågående körning")
    expect(member.page.get_by_label("Gör klart först")).to_be_checked()
    assert member.barriers() == []

    member.press("disconnect")

    heading = member.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"{company.name} kopplas bort")
    expect(member.page.get_by_role("status").filter(has_text="1 körning")).to_be_visible()
    assert member.barriers() == []
    assert len(at_bokio(stack, company)) == 1
    stack.worker.start()
    expect(heading).to_have_text(f"{company.name} är bortkopplat")
    assert member.barriers() == []
    assert one_invoice(stack, company)["status"] != "draft"
    assert at_bokio(stack, company) == []
    assert tokens(stack, connection_id) == 0
    assert company.name not in member.companies()
    member.go(invoice)
    expect(member.page.locator("#invoice")).to_contain_text("Arbete")


def test_a_company_is_disconnected_at_once_and_what_is_queued_is_cancelled(
    open_window: Callable[..., Walk], company: Company, stack: Stack
) -> None:
    walk = open_window(language="en", theme="dark", width=390, height=844)
    walk.be_signed_in(EMAIL, PASSWORD)
    connection_id = walk.be_given(company.id, company.name)
    drafts = [draft(walk, connection_id, org_number=each) for each in CUSTOMERS]
    held = stack.sandbox.add_fault(CREATE, "hold_before", company=company.id)
    for path in drafts:
        walk.go(path)
        walk.press("send")
        expect(walk.page.locator(".flow-progress")).to_be_visible()
    stack.sandbox.wait_held(held)
    walk.go(f"/companies/{connection_id}/disconnect/")
    expect(walk.page.get_by_role("group")).to_contain_text("2 runs under way")
    walk.page.get_by_label("Stop it").check()

    walk.press("disconnect")
    stack.sandbox.release(held)

    heading = walk.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"{company.name} is disconnected")
    assert walk.barriers() == []
    books = stack.sandbox.books(company.id)
    assert [each["status"] for each in books["invoices"]] == ["draft"]
    assert books["journalEntries"] == []
    assert at_bokio(stack, company) == []
    assert tokens(stack, connection_id) == 0
    states = query(
        stack,
        "SELECT state FROM flows_flow WHERE kind = 'send_invoice' AND connection_id = %s",
        connection_id,
    )
    assert states == [("cancelled",)] * 2


def test_a_connection_that_is_ended_at_bokio_is_found_by_the_sweep_and_told(
    open_window: Callable[..., Walk], company: Company, stack: Stack
) -> None:
    walk = open_window(language="en", theme="dark", width=390, height=844)
    walk.be_signed_in(EMAIL, PASSWORD)
    connection_id = walk.be_given(company.id, company.name)
    walk.page.goto(f"{walk.sandbox_url}/companies/{company.id}/integrations")
    walk.page.locator(".offer button.secondary").click()
    expect(walk.page.locator(".offer a.primary")).to_be_visible()
    assert at_bokio(stack, company) == []

    # A day later, for which a worker looks when it starts.
    query(stack, "DELETE FROM connections_rollcall")
    stack.worker.restart()

    walk.go("/companies/notices/")
    notice = walk.page.get_by_role("listitem").filter(has_text=company.name)
    walk.reload_until(notice)
    expect(notice).to_contain_text("The connection was ended in Bokio.")
    assert walk.barriers() == []
    walk.go("/companies/?q=" + company.name.replace(" ", "+"))
    expect(walk.page.get_by_role("row", name=company.name)).to_contain_text("Ended in Bokio")
    assert walk.barriers() == []
    walk.go(f"/companies/{connection_id}/")
    expect(walk.page.locator(".next-step")).to_contain_text("The connection was ended in Bokio.")

    walk.press("reconnect")
    walk.consent_again()

    expect(walk.page.get_by_role("heading", level=1)).to_have_text(
        f"{company.name} is connected again"
    )
    assert len(at_bokio(stack, company)) == 1
