"""An owner invites a colleague, who signs up by the link, works, and is removed again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD, Company
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

ADDRESS = "anna.ek@example.com"


def link_from_mailbox(walk: Walk) -> str:
    """The link that was mailed to the colleague, read in a window beside."""
    mailbox = walk.context.new_page()
    mailbox.goto(f"{walk.app_url}/mailbox/")
    mailbox.get_by_role("listitem").filter(has_text=ADDRESS).first.get_by_role("link").click()
    found = re.search(r"http\S+/invitation/\S+", mailbox.inner_text("main"))
    assert found, mailbox.inner_text("main")
    mailbox.close()
    return found[0]


def test_an_invited_colleague_signs_up_sees_the_listed_company_and_is_removed(
    member: Walk, unused_companies: Iterator[Company], open_window: Callable[..., Walk]
) -> None:
    given, hidden = next(unused_companies), next(unused_companies)
    connection_id = member.be_given(given.id, given.name)
    member.be_given(hidden.id, hidden.name)
    page = member.page
    member.go("/companies/members/")
    page.get_by_role("link", name="Bjud in en kollega").click()
    assert member.barriers() == []
    page.get_by_label("E-post").fill(ADDRESS)
    page.get_by_label("Bara de som är valda nedan").check()
    page.get_by_label(given.name).check()
    page.get_by_role("button", name="Skicka inbjudan").click()
    expect(page.get_by_role("row", name=ADDRESS)).to_contain_text("1 av")
    assert member.barriers() == []

    colleague = open_window()
    colleague.page.goto(link_from_mailbox(colleague))
    expect(colleague.page.get_by_role("heading", level=1)).to_contain_text("Byrån Lagerkvist")
    assert colleague.barriers() == []
    colleague.page.get_by_label("Ditt namn").fill("Anna Ek")
    colleague.page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    colleague.page.get_by_role("button", name="Skapa kontot och gå med").click()
    colleague.page.wait_for_url(f"{colleague.app_url}/")
    assert colleague.companies() == [given.name]
    assert "Medlemmar" not in colleague.page.inner_text("nav >> nth=0")

    member.go("/companies/members/")
    page.get_by_role("row", name="Anna Ek").get_by_role("link", name="Välj företag").click()
    assert member.barriers() == []
    page.get_by_role("button", name="Ta bort Anna Ek").click()
    expect(page.get_by_role("row", name="Anna Ek")).to_have_count(0)

    colleague.statuses.add(403)
    colleague.go(f"/companies/{connection_id}/")
    expect(colleague.page.get_by_role("heading", level=1)).to_have_text(
        "Du hör inte till någon arbetsyta"
    )
    assert given.name not in colleague.page.content()
