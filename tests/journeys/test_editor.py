"""The invoice editor: refusals on their fields, exact totals, keys, and two people at once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.journeys.conftest import COLLEAGUE, PASSWORD, Company
from tests.journeys.database import query
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

Line = tuple[str, str, str]  # quantity, price, VAT in per cent
NASTY: list[tuple[str, list[Line], str]] = [
    ("thirds", [("0,333", "100", "25")] * 3, "124,88"),
    ("half an öre", [("0,5", "0,01", "25")], "0,01"),
    ("half an öre less", [("1", "100,10", "25"), ("0,5", "−0,05", "25")], "125,09"),
    (
        "every rate",
        [
            ("3", "33,33", "25"),
            ("7", "14,29", "12"),
            ("1,5", "66,67", "6"),
            ("2", "50", "0"),
        ],
        "443,03",
    ),
    ("a rate below nothing", [("1", "1 000", "25"), ("3", "-33,33", "6")], "1\u00a0144,01"),
]

DISCOUNTS: list[tuple[str, str, list[str]]] = [
    ("percent", "12,5", ["−12,50", "−4,17"]),
    ("amount", "100", ["−75,00", "−25,00"]),
    ("amount", "0,01", ["−0,01"]),
]
NEW_ITEM = """
INSERT INTO invoicing_item (tenant_id, connection_id, remote_id, type, product, description, unit,
  unit_price, tax_rate, account)
SELECT tenant_id, id, 'item-1', 'salesItem', 'goods', 'Kabel EKK', 'meter', 12.50, 25, 3001
FROM connections_connection WHERE id = %s
"""

WATCH_TOTALS = """() => {
  window.totalsSeen = [];
  const look = () => window.totalsSeen.push(document.querySelector("[data-total=total]").innerText);
  new MutationObserver(look).observe(document.querySelector("#preview"), {childList: true});
}"""


def new_invoice(walk: Walk, connection_id: str) -> None:
    walk.go(f"/invoices/new/?company={connection_id}")


def value_of(walk: Walk, place: int, name: str) -> str:
    return walk.line(place).locator(f"[data-part={name}]").input_value()


def descriptions(walk: Walk) -> list[str]:
    fields = walk.page.locator("tbody[data-line] [data-part=description]")
    return [field.input_value() for field in fields.all()]


def expect_saved(walk: Walk) -> None:
    walk.page.wait_for_url("**/invoices/*-*/edit/")
    expect(walk.page.get_by_text("Utkastet är sparat.")).to_be_visible()


def error_of(walk: Walk, place: int, name: str) -> Locator:
    field = walk.line(place).locator(f"[data-part={name}]")
    return walk.page.locator(f"#{field.get_attribute('id')}_error")


def test_mistakes_stand_on_their_fields_and_in_the_list_on_top_which_has_the_focus(
    member: Walk, connection_id: str
) -> None:
    member.statuses.add(422)
    new_invoice(member, connection_id)
    member.type_line(0, description="", quantity="2,5", unit_price="100")
    member.type_line(1, description="Resa", quantity="3", unit_price="tusen")
    member.page.locator("[name=your_reference]").fill("Jane Doe")

    member.press("save")

    mistakes = member.page.locator(".error-summary")
    expect(mistakes).to_be_focused()
    expect(mistakes.locator("a")).to_have_count(2)
    expect(error_of(member, 0, "description")).to_have_text("Skriv vad raden gäller.")
    expect(error_of(member, 1, "unit_price")).to_contain_text("1 234,50")
    assert value_of(member, 0, "quantity") == "2,5"
    assert (value_of(member, 1, "quantity"), value_of(member, 1, "unit_price")) == ("3", "tusen")
    assert member.page.locator("[name=your_reference]").input_value() == "Jane Doe"
    mistakes.locator("a").nth(1).click()
    expect(member.line(1).locator("[data-part=unit_price]")).to_be_focused()
    assert not member.barriers()

    member.type_line(0, description="Arbete")
    member.type_line(1, unit_price="1000")
    member.press("save")

    expect_saved(member)
    assert descriptions(member) == ["Arbete", "Resa"]
    assert member.page.locator("[name=your_reference]").input_value() == "Jane Doe"


def test_a_wrong_check_digit_is_told_at_the_number_and_the_lines_stay(
    member: Walk, connection_id: str
) -> None:
    new_invoice(member, connection_id)
    member.type_line(0, description="Arbete", unit_price="100")
    details = member.page.locator("#new-customer")
    details.locator("summary").click()
    values = {
        "name": "Älvkonsult AB",
        "org_number": "556016-0681",
        "line1": "Kajen 1",
        "postal_code": "411 04",
        "city": "Göteborg",
    }
    for name, value in values.items():
        details.locator(f"[name=new-{name}]").fill(value)

    member.press("create_customer")

    wrong = member.page.locator("#id_new-org_number_error")
    expect(wrong).to_have_text("Kontrollsiffran i organisationsnumret stämmer inte.")
    expect(member.page.locator(".error-summary")).to_be_focused()
    assert descriptions(member) == ["Arbete"]

    details.locator("[name=new-org_number]").fill("556016-0680")
    member.press("create_customer")

    expect(member.page.locator("#customer-line")).to_contain_text("Kajen 1")
    assert member.page.locator("[name=customer_text]").input_value() == "Älvkonsult AB"
    assert descriptions(member) == ["Arbete"]


def test_bokios_refusal_stands_on_its_field_and_the_same_run_goes_on_once_it_is_corrected(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    new_invoice(member, connection_id)
    member.fill_customer("556016-0680")
    member.type_line(0, description="Resa", product="services", unit_price="500")
    # The account that Bokio itself would choose, which Bokio refuses to be told.
    member.type_line(1, description="Virke", product="goods", unit_price="1000", account="3001")
    member.press("send")
    correct = member.page.get_by_role("link", name="Rätta fakturan")
    expect(correct).to_be_visible()
    runs = "SELECT id FROM flows_flow WHERE kind = 'send_invoice' AND connection_id = %s"
    refused = query(stack, runs, connection_id)
    assert stack.sandbox.books(company.id)["invoices"] == []

    correct.click()

    expect(error_of(member, 1, "account")).to_contain_text("Bokio: ")
    expect(member.page.locator(".error-summary a")).to_have_count(1)
    expect(member.page.locator(".error-summary")).to_be_focused()
    assert not member.barriers()
    member.type_line(1, account="")
    member.publish_and_record()

    [invoice] = stack.sandbox.books(company.id)["invoices"]
    assert invoice["status"] != "draft"
    assert len(invoice["lineItems"]) == 2
    assert len(refused) == 1
    assert query(stack, runs, connection_id) == refused


def test_totals_while_typing_are_those_of_the_server(member: Walk, connection_id: str) -> None:
    parts = "#totals dd:visible, #totals [data-rate-net]:visible, [data-net]"
    for name, lines, total in NASTY:
        new_invoice(member, connection_id)
        for place, (quantity, price, rate) in enumerate(lines):
            member.type_line(
                place, description=name, quantity=quantity, unit_price=price, tax_rate=rate
            )
        expect(member.page.locator("[data-total=total]")).to_have_text(f"{total}\u00a0kr")
        while_typing = member.page.locator(parts).all_inner_texts()

        member.press("save")

        expect_saved(member)
        assert member.page.locator(parts).all_inner_texts() == while_typing, name


def test_a_discount_is_taken_off_each_rate_alike_while_typing_and_by_the_server(
    member: Walk, connection_id: str
) -> None:
    shown = "#totals dd:visible, [data-discount]:visible [data-discount-net]"
    for kind, amount, off in DISCOUNTS:
        new_invoice(member, connection_id)
        member.type_line(0, description="Arbete", unit_price="100", tax_rate="25")
        member.type_line(1, description="Bok", unit_price="33,33", tax_rate="6")
        member.page.locator("[name=discount_kind]").select_option(kind)
        member.page.locator("[name=discount]").fill(amount)
        rows = member.page.locator("[data-discount]:visible [data-discount-net]")
        expect(rows).to_have_text(off)
        while_typing = member.page.locator(shown).all_inner_texts()

        member.press("save")

        expect_saved(member)
        assert member.page.locator(shown).all_inner_texts() == while_typing
        assert descriptions(member) == ["Arbete", "Bok"]


def test_an_item_fills_its_line_by_keys_alone(
    member: Walk, connection_id: str, stack: Stack
) -> None:
    query(stack, NEW_ITEM, connection_id)
    new_invoice(member, connection_id)
    member.line(0).locator("[data-part=description]").press_sequentially("kabel")
    expect(member.line(0).locator(".combo-option")).to_have_count(1)

    member.page.keyboard.press("ArrowDown")
    member.page.keyboard.press("Enter")

    expect(member.line(0).locator("[data-part=quantity]")).to_be_focused()
    assert descriptions(member) == ["Kabel EKK"]
    assert (value_of(member, 0, "unit"), value_of(member, 0, "account")) == ("meter", "3001")
    expect(member.page.locator("[data-total=net]")).to_have_text("12,50")
    assert not member.barriers()


def test_a_draft_saves_itself_half_typed_and_two_people_in_it_are_told(
    member: Walk, connection_id: str, people: None, open_window: Callable[..., Walk]
) -> None:
    new_invoice(member, connection_id)
    member.page.locator("[name=your_reference]").fill("Jane Doe")
    member.type_line(0, description="Arbete", unit_price="tusen")

    expect(member.page.locator("#save-state")).to_contain_text("Sparat")

    member.page.wait_for_url("**/invoices/*-*/edit/")
    address = member.page.url.removeprefix(member.app_url)
    colleague = open_window()
    colleague.sign_in(COLLEAGUE, PASSWORD)
    colleague.go(address)
    assert value_of(colleague, 0, "unit_price") == "tusen"
    assert colleague.page.locator("[name=your_reference]").input_value() == "Jane Doe"
    expect(colleague.page.locator("#others")).to_contain_text("har också utkastet öppet")
    assert not colleague.barriers()


def test_lines_are_added_moved_copied_and_saved_by_keys_alone(
    member: Walk, connection_id: str, stack: Stack
) -> None:
    keyboard = member.page.keyboard
    new_invoice(member, connection_id)
    member.line(0).locator("[data-part=description]").focus()
    keyboard.type("Ett")
    keyboard.press("Enter")
    expect(member.line(1).locator("[data-part=description]")).to_be_focused()
    keyboard.type("Två")
    member.line(1).locator("[data-part=unit_price]").focus()
    keyboard.type("20")
    keyboard.press("Alt+ArrowUp")
    expect(member.line(0).locator("[data-part=unit_price]")).to_be_focused()
    assert descriptions(member) == ["Två", "Ett"]
    keyboard.press("Alt+k")
    assert descriptions(member) == ["Två", "Två", "Ett"]
    assert value_of(member, 1, "unit_price") in {"20", "20,00"}
    member.line(2).locator("[data-part=unit_price]").focus()
    keyboard.type("10")

    keyboard.press("Control+s")

    expect_saved(member)
    assert descriptions(member) == ["Två", "Två", "Ett"]
    saved = query(
        stack,
        "SELECT line.description, line.unit_price FROM invoicing_lineitem line"
        " JOIN invoicing_invoice invoice ON invoice.id = line.invoice_id"
        " WHERE invoice.connection_id = %s ORDER BY line.position",
        connection_id,
    )
    assert [(text, Decimal(price)) for text, price in saved] == [
        ("Två", Decimal(20)),
        ("Två", Decimal(20)),
        ("Ett", Decimal(10)),
    ]


def test_of_two_who_edit_one_draft_the_later_sees_both_versions_and_loses_nothing(
    member: Walk, connection_id: str, people: None, open_window: Callable[..., Walk]
) -> None:
    new_invoice(member, connection_id)
    member.type_line(0, description="Arbete", unit_price="100")
    member.press("save")
    expect_saved(member)
    address = member.page.url.removeprefix(member.app_url)
    colleague = open_window()
    colleague.sign_in(COLLEAGUE, PASSWORD)
    colleague.go(address)
    colleague.type_line(0, unit_price="150")
    colleague.press("save")
    expect_saved(colleague)

    member.statuses.add(409)
    member.type_line(0, description="Arbete i maj")
    member.page.locator("[name=your_reference]").fill("Jane Doe")
    member.press("save")

    warning = member.page.get_by_role("alert").filter(has_text="Jämför innan du sparar över")
    expect(warning).to_contain_text("Oskar Berglund")
    differences = member.page.locator("table", has_text="Jane Doe")
    expect(differences).to_contain_text("Arbete: 1 × 150,00")
    expect(differences).to_contain_text("Arbete i maj: 1 × 100,00")
    assert descriptions(member) == ["Arbete i maj"]
    assert member.page.locator("[name=your_reference]").input_value() == "Jane Doe"
    assert not member.barriers()

    member.press("save")

    expect_saved(member)
    assert value_of(member, 0, "unit_price") == "100,00"
    assert descriptions(member) == ["Arbete i maj"]


def test_who_types_on_while_a_preview_is_under_way_sees_the_last_one(
    member: Walk, connection_id: str
) -> None:
    new_invoice(member, connection_id)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    member.page.route("**/preview/**", hold)
    with member.page.expect_request("**/preview/**"):
        member.type_line(0, description="Arbete", unit_price="100")
    for price in ("200", "300"):
        member.line(0).locator("[data-part=unit_price]").fill(price)
        member.page.wait_for_timeout(400)  # longer than the page waits before it asks
    assert len(held) == 1

    held[0].continue_()

    expect(member.page.locator("#preview .entry tfoot")).to_contain_text("375,00")
    expect(member.page.locator("[data-total=total]")).to_have_text("375,00\u00a0kr")


def test_an_answer_older_than_what_is_typed_never_shows_its_totals(
    member: Walk, connection_id: str
) -> None:
    new_invoice(member, connection_id)
    held: list[Route] = []
    member.page.route("**/preview/**", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it
    with member.page.expect_request("**/preview/**"):
        member.type_line(0, description="Arbete", unit_price="100")
    member.line(0).locator("[data-part=unit_price]").fill("300")
    expect(member.page.locator("[data-total=total]")).to_have_text("375,00\u00a0kr")
    member.page.evaluate(WATCH_TOTALS)

    held[0].continue_()

    expect(member.page.locator("#preview .entry tfoot")).to_contain_text("125,00")
    assert set(member.page.evaluate("window.totalsSeen")) == {"375,00\u00a0kr"}
