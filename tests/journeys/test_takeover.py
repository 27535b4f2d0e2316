"""A company that moves from one workspace to another by a new consent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD, STRANGER, Company
from tests.journeys.steps import at_bokio, draft, expect_recorded
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

END = "delete-connection-by-id"


@pytest.fixture
def stranger(people: None, open_window: Callable[..., Walk]) -> Walk:
    """Somebody of another workspace, in English, in the dark."""
    walk = open_window(language="en", theme="dark")
    walk.be_signed_in(STRANGER, PASSWORD)
    return walk


def test_a_consent_in_another_workspace_moves_the_company_and_leaves_its_history(
    member: Walk, stranger: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    invoice = draft(member, connection_id)
    member.press("send")
    expect_recorded(member)
    ended = stack.sandbox.count(END)

    stranger.go("/companies/connect/")
    expect(stranger.page.locator("main")).to_contain_text("moves to this one")
    assert stranger.barriers() == []
    moved_id = stranger.connect(company.id, company.name)

    shown = stranger.page.locator("main")
    expect(shown).to_contain_text("The company moved here from another workspace.")
    assert "Lagerkvist" not in stranger.page.locator("body").inner_text()
    assert stranger.barriers() == []
    assert moved_id != connection_id
    assert stack.sandbox.count(END) == ended
    assert len(at_bokio(stack, company)) == 1
    lists = stranger.page.locator(".copy-lists li")
    expect(lists.filter(has_text="Invoices").locator(".end")).to_have_text("1")

    stranger.go("/companies/notices/")
    notice = stranger.page.get_by_role("listitem").filter(has_text=company.name)
    expect(notice).to_contain_text("Moved here from another workspace")

    assert company.name not in member.companies()
    member.go("/companies/notices/")
    notice = member.page.get_by_role("listitem").filter(has_text=company.name).first
    expect(notice).to_contain_text("Flyttat till en annan arbetsyta")
    assert "Ek Redovisning" not in member.page.locator("body").inner_text()
    assert member.barriers() == []
    member.go(invoice)
    expect(member.page.locator("#invoice")).to_contain_text("Arbete")
    for walk, hidden in (
        (member, f"/companies/{connection_id}/"),
        (member, f"/companies/{moved_id}/"),
        (stranger, f"/companies/{connection_id}/"),
        (stranger, invoice),
    ):
        walk.statuses.add(404)
        answer = walk.page.goto(walk.app_url + hidden)
        assert answer is not None
        assert answer.status == 404
