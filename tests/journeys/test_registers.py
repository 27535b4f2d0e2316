"""Customers and items: made, changed and deleted at Bokio, and both sides where they differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.support.forms import submit
from tests.support.processes import Stack
from tests.support.walk import MAJA, Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

NUMBER = "556016-0680"


def customers(stack: Stack, company: Company) -> list[Any]:
    """Those of the books that the journey has made."""
    rows = stack.sandbox.books(company.id)["customers"]
    return [each for each in rows if each["orgNumber"] == NUMBER]


def write_customer(walk: Walk, connection_id: str) -> None:
    """Fill in a new customer with two contacts."""
    walk.go(f"/customers/company/{connection_id}/new/")
    for name, value in (
        ("name", "Älvkonsult AB"),
        ("org_number", NUMBER),
        ("line1", "Storgatan 1"),
        ("postal_code", "111 22"),
        ("city", "Stockholm"),
        ("contact-0-name", "Anna Alm"),
        ("contact-0-email", "anna@example.com"),
        ("contact-1-name", "Bo Björk"),
        ("contact-1-phone", "070-123 45 67"),
    ):
        walk.page.locator(f"[name='{name}']").fill(value)


def allow_items(walk: Walk, company: Company, connection_id: str) -> None:
    """Have the company allow the item register, where that is not what the test looks at."""
    url = f"{walk.app_url}/companies/{connection_id}/more/?scope=items:write"
    shown = submit(walk.context, walk.context.request.get(url), "feature")
    if person := MAJA.search(shown.text()):
        shown = submit(walk.context, shown, person=person[1])
    submit(walk.context, shown, decision="allow", company=company.id)


def test_a_customer_is_made_changed_and_deleted_at_bokio(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    page = member.page
    write_customer(member, connection_id)
    page.locator("button[value=send]").click()
    expect(page.locator("h1 + .badge")).to_have_text("Finns i Bokio")
    assert member.barriers() == []

    [made] = customers(stack, company)
    contacts = [(each["name"], each["isDefault"]) for each in made["contactsDetails"]]
    assert contacts == [("Anna Alm", True), ("Bo Björk", False)]

    page.keyboard.press("e")
    page.wait_for_url("**/edit/")
    assert member.barriers() == []
    page.locator("[name=name]").fill("Älvkonsult Nord AB")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Älvkonsult Nord AB")
    [changed] = customers(stack, company)
    assert changed["name"] == "Älvkonsult Nord AB"
    assert [each["id"] for each in changed["contactsDetails"]] == [
        each["id"] for each in made["contactsDetails"]
    ]

    page.locator("[data-dialog=delete-customer]").click()
    page.locator("#delete-customer .removal").click()
    expect(page.locator("h1 + .badge")).to_have_text("Borttagen i Bokio")
    assert customers(stack, company) == []


def test_what_somebody_changed_in_bokio_is_shown_beside_the_change_and_saved_knowingly(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    page = member.page
    write_customer(member, connection_id)
    page.locator("button[value=send]").click()
    expect(page.locator("h1 + .badge")).to_have_text("Finns i Bokio")
    [made] = customers(stack, company)
    page.keyboard.press("e")
    page.wait_for_url("**/edit/")
    token = stack.sandbox.private_token(company.id)
    theirs = {**made, "name": "Deras AB"}
    for name in ("id", "modifiedDateTime"):
        theirs.pop(name, None)
    path = f"/v1/companies/{company.id}/customers/{made['id']}"
    assert stack.sandbox.request("PUT", path, token=token, json_body=theirs).status == 200

    page.locator("[name=name]").fill("Mitt AB")
    page.keyboard.press("Control+Enter")
    read = page.locator("form[action$='/read/'] .btn.primary")
    read.click()
    compare = page.locator(".next-step a.primary")
    expect(compare).to_contain_text("Jämför")
    compare.click()
    expect(page.locator("td.differs")).to_have_text(["Deras AB", "Mitt AB"])
    assert member.barriers() == []
    assert customers(stack, company)[0]["name"] == "Deras AB"
    page.keyboard.press("Control+Enter")

    expect(page.locator("h1")).to_have_text("Mitt AB")
    assert customers(stack, company)[0]["name"] == "Mitt AB"


def test_what_bokio_refuses_comes_back_on_its_field_and_goes_on_corrected(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    page = member.page
    write_customer(member, connection_id)
    page.locator("[name=country]").fill("XX")
    page.locator("button[value=send]").click()
    page.locator(".next-step a.primary").click()

    expect(page.locator("#id_country_error")).to_contain_text("Bokio:")
    assert page.locator("[name='contact-1-name']").input_value() == "Bo Björk"
    page.locator("[name=country]").fill("SE")
    page.keyboard.press("Control+Enter")

    expect(page.locator("h1 + .badge")).to_have_text("Finns i Bokio")
    assert len(customers(stack, company)) == 1


def test_a_probable_duplicate_is_told_while_it_is_typed_and_found_in_the_list(
    member: Walk, connection_id: str
) -> None:
    page = member.page
    member.statuses.add(409)
    write_customer(member, connection_id)
    page.locator("button[value=keep]").click()
    expect(page.locator("h1")).to_have_text("Älvkonsult AB")

    write_customer(member, connection_id)
    page.locator("[name=org_number]").fill("")
    page.locator("[name=name]").fill("Älv Konsult Aktiebolag")
    page.locator("[name=city]").focus()
    expect(page.locator("#twins .note")).to_contain_text("Älvkonsult AB")
    page.locator("button[value=keep]").click()
    expect(page.locator("#twins .note")).to_contain_text("Älvkonsult AB")
    page.locator("button[value=keep]").click()
    expect(page.locator("h1")).to_have_text("Älv Konsult Aktiebolag")

    member.go(f"/customers/company/{connection_id}/")
    page.keyboard.press("/")
    page.keyboard.type("konsult")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".twin")).to_have_count(2)
    assert "q=konsult" in page.url
    assert member.barriers() == []


def test_an_item_is_made_changed_and_deleted_without_a_mouse(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    page = member.page
    allow_items(member, company, connection_id)

    def items() -> list[Any]:
        rows = stack.sandbox.books(company.id)["items"]
        return [each for each in rows if each["description"].startswith("Byggledning")]

    member.go(f"/items/company/{connection_id}/")
    assert member.barriers() == []
    page.keyboard.press("n")
    page.wait_for_url("**/new/")
    page.locator("[name=description]").focus()
    page.keyboard.type("Byggledning")
    page.locator("[name=unit_price]").focus()
    page.keyboard.type("1 250,50")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Byggledning")
    [made] = items()
    assert made["unitPrice"] == 1250.5
    assert member.barriers() == []

    page.locator("[name=description]").fill("Byggledning, timme")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Byggledning, timme")
    assert [each["description"] for each in items()] == ["Byggledning, timme"]

    page.locator("[data-dialog=delete-item]").press("Enter")
    page.locator("#delete-item .removal").press("Enter")
    expect(page.locator("h1 + .badge")).to_have_text("Borttagen i Bokio")
    assert items() == []


def test_customers_are_kept_without_scripts(
    open_window: Callable[..., Walk], company: Company, connection_id: str, stack: Stack
) -> None:
    walk = open_window(javascript=False, width=390, height=844)
    walk.be_signed_in(EMAIL, PASSWORD)
    page = walk.page
    write_customer(walk, connection_id)
    page.locator("button[value=send]").click()
    walk.reload_until(page.locator("h1 + .badge", has_text="Finns i Bokio"))

    walk.go(f"/customers/company/{connection_id}/")
    page.locator("#register-q").fill("älvkonsult")
    page.locator("form[role=search] button").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert len(customers(stack, company)) == 1
