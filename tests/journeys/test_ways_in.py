"""Every way in, as people walk it: marketplace, invitation, a token of the company's own, tabs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import COLLEAGUE, PASSWORD, Company
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def code_from_mailbox(walk: Walk, address: str) -> str:
    """The code that was mailed to the address, read in a window beside."""
    mailbox = walk.context.new_page()
    mailbox.goto(f"{walk.app_url}/mailbox/")
    mailbox.get_by_role("listitem").filter(has_text=address).first.get_by_role("link").click()
    found = re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{4}\b|\b[A-Z0-9]{6}\b", mailbox.inner_text("main"))
    assert found, mailbox.inner_text("main")
    mailbox.close()
    return found[0]


def test_the_marketplace_leads_somebody_without_an_account_to_a_connected_company_and_back(
    open_window: Callable[..., Walk], company: Company, stack: Stack
) -> None:
    visitor = open_window()
    page, address = visitor.page, f"ceo-{company.id[:8]}@example.com"
    page.goto(f"{visitor.sandbox_url}/companies/{company.id}/integrations")
    visitor.be_at_bokio()
    page.goto(f"{visitor.sandbox_url}/companies/{company.id}/integrations")
    page.locator(".offer a.primary").click()

    page.get_by_role("link", name="Skapa ett konto").click()
    assert visitor.barriers() == []
    page.get_by_label("Ditt namn").fill("Anna Ek")
    page.get_by_label("Din byrå eller ditt företag").fill("Ek Redovisning")
    page.get_by_label("E-post").fill(address)
    page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Skapa kontot").click()
    code = page.get_by_label("Kod")
    expect(code).to_be_visible()
    assert visitor.barriers() == []
    code.fill(code_from_mailbox(visitor, address))
    page.get_by_role("button", name="Bekräfta").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Anslut företaget du kom från")
    expect(page.locator("main")).to_contain_text("Ek Redovisning")
    assert visitor.barriers() == []
    visitor.press("connect")
    expect(page.locator("input[name=company]")).to_have_count(1)
    page.locator("button[value=allow]").click()

    page.wait_for_url(f"{visitor.sandbox_url}/{company.id}/integrations/**")
    expect(page.locator(".offer")).to_contain_text("Ansluten")
    visitor.go("/companies/")
    visitor.reload_until(visitor.page.get_by_role("link", name=company.name))
    assert visitor.companies() == [company.name]


def test_a_client_connects_by_an_invitation_and_sees_a_thank_you_alone(
    member: Walk, company: Company, open_window: Callable[..., Walk]
) -> None:
    member.go("/companies/invite/")
    assert member.barriers() == []
    member.page.get_by_label("Företag", exact=True).fill(company.name)
    member.page.get_by_label("E-post till den som").fill("client@example.com")
    member.page.get_by_role("button", name="Skapa länken").click()
    link = member.page.locator("main code").inner_text()
    assert member.barriers() == []
    member.go("/companies/")
    row = member.page.get_by_role("row", name=company.name)
    expect(row.get_by_role("button", name="Dra tillbaka")).to_be_visible()

    client = open_window()
    client.page.goto(link)
    assert link.rpartition("/")[2] not in client.page.url
    expect(client.page.get_by_role("heading", level=1)).to_contain_text("Byrån Lagerkvist")
    assert client.barriers() == []
    client.press("connect")
    client.be_at_bokio()
    client.page.locator("button[value=refuse]").click()
    expect(client.page.get_by_role("heading", level=1)).to_have_text("Företaget anslöts inte")
    client.page.get_by_role("link", name="Till inbjudan").click()
    client.press("connect")
    client.answer_consent(company.id)

    expect(client.page.get_by_role("heading", level=1)).to_have_text("Tack")
    assert client.barriers() == []
    assert "Lagerkvist" not in client.page.inner_text("body")
    member.go("/companies/")
    member.reload_until(member.page.get_by_role("link", name=company.name))
    expect(member.page.get_by_role("button", name="Dra tillbaka")).to_have_count(0)
    again = open_window()
    again.statuses.add(410)
    again.page.goto(link)
    expect(again.page.get_by_role("heading", level=1)).to_have_text("Inbjudan gäller inte längre")


def test_two_tabs_each_connect_the_company_chosen_in_them(
    member: Walk, unused_companies: Iterator[Company]
) -> None:
    first, second = next(unused_companies), next(unused_companies)
    member.ask_for_consent()
    tab = member.context.new_page()
    tab.goto(f"{member.app_url}/companies/connect/")
    tab.get_by_role("button", name=member.word("connect")).click()
    member.be_at_bokio(tab)

    for page, chosen in ((tab, second), (member.page, first)):
        page.locator(f"input[name=company][value='{chosen.id}']").check()
        page.locator("button[value=allow]").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(chosen.name)

    assert {first.name, second.name} <= set(member.companies())


def test_a_token_of_the_companys_own_is_tried_while_one_looks(
    member: Walk, company: Company, stack: Stack
) -> None:
    token = stack.sandbox.private_token(company.id)
    member.go("/companies/private/")
    assert member.barriers() == []
    member.page.get_by_label("Företaget i Bokio").fill(f"https://app.bokio.se/{company.id}/")
    member.page.get_by_label("Token", exact=True).fill(token)
    member.page.get_by_role("button", name="Prova token").click()

    expect(member.page.get_by_role("heading", level=1)).to_contain_text(company.name)
    assert member.barriers() == []
    assert token not in member.page.content()
    assert company.name in member.companies()
    expect(member.page.get_by_role("row", name=company.name)).to_contain_text("Med token")


def test_an_owner_gives_a_colleague_one_company_and_they_see_no_other(
    member: Walk,
    people: None,
    unused_companies: Iterator[Company],
    open_window: Callable[..., Walk],
) -> None:
    given, hidden = next(unused_companies), next(unused_companies)
    for each in (given, hidden):
        member.connect(each.id, each.name)
    member.go("/companies/members/")
    assert member.barriers() == []
    row = member.page.get_by_role("row", name="Oskar Berglund")
    row.get_by_role("link", name="Välj företag").click()
    assert member.barriers() == []
    member.page.get_by_label("Bara de som är valda nedan").check()
    member.page.get_by_label(given.name).check()
    member.page.get_by_role("button", name="Spara").click()
    expect(member.page.get_by_role("row", name="Oskar Berglund")).to_contain_text("1 av")

    colleague = open_window()
    colleague.be_signed_in(COLLEAGUE, PASSWORD)
    seen = colleague.companies()
    colleague.go("/")

    assert seen == [given.name]
    assert hidden.name not in colleague.page.inner_text("body")
    member.go("/companies/members/")
    row.get_by_role("link", name="Välj företag").click()
    member.page.get_by_label("Alla företag, även de som kommer senare").check()
    member.page.get_by_role("button", name="Spara").click()
    assert hidden.name in colleague.companies()
