"""To Bokio's consent page and back, and every way in which that can go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD, STRANGER, Company
from tests.journeys.database import query
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

LIST_INVOICES = "get-invoice"


@pytest.fixture
def nothing_is_kept(member: Walk, stack: Stack) -> Iterator[None]:
    """The test leaves neither a company in the list nor a connection or token in the database."""
    before = member.companies(), kept(stack)
    yield
    assert (member.companies(), kept(stack)) == before


def kept(stack: Stack) -> list[tuple[object, ...]]:
    return query(
        stack,
        "SELECT (SELECT count(*) FROM connections_connection),"
        " (SELECT count(*) FROM connections_tokengrant)",
    )


def expect_failure(walk: Walk, title: str) -> None:
    """The page says what happened, and its address gives nothing away."""
    expect(walk.page.get_by_role("heading", level=1)).to_have_text(title)
    assert walk.page.url.startswith(f"{walk.app_url}/companies/connect/failed/")
    assert "?" not in walk.page.url


def test_app_and_sandbox_stay_signed_in_side_by_side_under_a_strict_policy(
    member: Walk, company: Company
) -> None:
    member.connect(company.id, company.name)

    assert "?" not in member.page.url
    cookies = {cookie["name"] for cookie in member.context.cookies()}
    assert {"bokio_app_session", "sandbox_session"} <= cookies
    assert company.name in member.companies()
    assert len(member.policies) > 4
    for policy in member.policies:
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    member.page.goto(f"{member.sandbox_url}/connections")
    expect(member.page.locator("button.person")).to_have_count(0)
    expect(member.page.locator("main")).to_contain_text(company.name)


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_consent_that_is_refused_leaves_nothing(member: Walk) -> None:
    member.ask_for_consent()
    member.page.locator("button[value=refuse]").click()

    expect_failure(member, "Företaget anslöts inte")


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_made_up_state_leads_nowhere(member: Walk) -> None:
    member.come_back(code="made-up", state="made-up")

    expect_failure(member, "Återkomsten hör inte till dig")


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_state_of_another_persons_browser_leads_nowhere(
    member: Walk, people: None, open_window: Callable[..., Walk]
) -> None:
    member.ask_for_consent()
    stranger = open_window()
    stranger.sign_in(STRANGER, PASSWORD)

    stranger.come_back(code="any", state=member.asked_state)

    expect_failure(stranger, "Återkomsten hör inte till dig")


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_consent_given_too_late_is_not_used(member: Walk, company: Company, stack: Stack) -> None:
    member.ask_for_consent()
    query(
        stack,
        "UPDATE connections_connectattempt SET expires_at = '2020-01-01 00:00:00+00:00'"
        " WHERE used_at IS NULL",
    )

    member.answer_consent(company.id)

    expect_failure(member, "Anslutningen tog för lång tid")


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_code_that_is_spent_already_is_not_accepted(
    member: Walk, company: Company, stack: Stack
) -> None:
    code = stack.sandbox.authorize_directly(company.id)
    first = stack.sandbox.token_request(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": stack.sandbox.redirect_uri,
        }
    )
    assert first.status == 200
    member.ask_for_consent()

    member.come_back(code=code, state=member.asked_state)

    expect_failure(member, "Bokio godtog inte anslutningen")


def test_the_way_back_works_once(member: Walk, company: Company, stack: Stack) -> None:
    member.connect(company.id, company.name)
    [address] = member.callbacks
    before = member.companies(), kept(stack)

    member.page.goto(address)

    expect_failure(member, "Återkomsten är redan använd")
    assert (member.companies(), kept(stack)) == before


def test_connecting_a_company_again_renews_it_and_adds_none(member: Walk, company: Company) -> None:
    first = member.connect(company.id, company.name)
    before = member.companies()

    again = member.connect(company.id, company.name)

    expect(member.page.get_by_role("heading", level=1)).to_have_text(
        f"{company.name} är anslutet igen"
    )
    assert member.page.url.endswith(f"/companies/{first}/renewed/")
    assert again == first
    assert member.companies() == before


def test_the_first_reading_is_seen_while_it_goes_on(
    member: Walk, company: Company, stack: Stack
) -> None:
    held = stack.sandbox.add_fault(LIST_INVOICES, "hold_before", company=company.id)
    member.connect(company.id, company.name)
    stack.sandbox.wait_held(held)
    lists = member.page.locator(".copy-lists li")
    expect(lists.filter(has_text=re.compile(r"^\s*Fakturor")).locator(".g-running")).to_be_visible()
    assert member.barriers() == []
    member.page.evaluate("window.loadedOnce = true")

    stack.sandbox.release(held)

    expect(lists.filter(has_text="Hämtat")).to_have_count(3)
    expect(lists.filter(has_text="Artiklar")).to_contain_text("Behörigheten saknas.")
    customers = lists.filter(has_text="Kunder").locator(".end")
    assert int(customers.inner_text()) == len(stack.sandbox.books(company.id)["customers"])
    assert member.page.evaluate("window.loadedOnce")
    assert member.barriers() == []
