"""Items: what they hold, what is refused, and what becomes of them on an invoice."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line


def sales_item(**changes: object) -> dict[str, Any]:
    standard = {
        "description": "Fasadfärg 10 liter",
        "itemType": "salesItem",
        "productType": "goods",
        "unitType": "piece",
        "unitPrice": 990.5,
        "taxRate": 25,
        "bookkeepingAccountNumber": None,
    }
    return standard | changes


def make(api: Api, **changes: object) -> Any:
    return api.ok("POST", "items", sales_item(**changes))


def test_an_item_is_kept_replaced_and_deleted(api: Api):
    item = make(api)
    path = f"items/{item['id']}"
    assert item == sales_item(id=item["id"], unitPrice=Decimal("990.5"))
    assert api.ok("GET", path) == item

    changed = api.ok("PUT", path, sales_item(unitPrice=1000, bookkeepingAccountNumber=3730))

    assert api.ok("GET", path) == changed
    assert (changed["unitPrice"], changed["bookkeepingAccountNumber"]) == (1000, 3730)
    api.ok("DELETE", path)
    for method in ("GET", "PUT", "DELETE"):
        assert api.call(method, path, sales_item()).status == 404


def test_a_price_may_be_finer_than_a_hundredth(api: Api):
    item = make(api, unitPrice=0.4525)

    assert item["unitPrice"] == Decimal("0.4525")
    assert api.ok("GET", "items?query=unitPrice==0.4525")["items"] == [item]
    assert api.ok("GET", f"items/{item['id']}") == item


def test_an_item_of_text_has_nothing_but_its_text(api: Api):
    item = api.ok("POST", "items", {"description": "Tack", "itemType": "descriptionOnlyItem"})
    path = f"items/{item['id']}"

    assert set(item) == {"id", "description", "itemType"}
    assert api.ok("PUT", path, sales_item())["unitPrice"] == Decimal("990.5")
    text = {"description": "Tack!", "itemType": "descriptionOnlyItem"}
    assert api.ok("PUT", path, text) == text | {"id": item["id"]}


@pytest.mark.parametrize(
    "change, pointer",
    [
        ({"description": ""}, "#/description"),
        ({"description": "x" * 501}, "#/description"),
        ({"itemType": None}, "#/itemType"),
        ({"productType": "ideas"}, "#/productType"),
        ({"unitType": "furlong"}, "#/unitType"),
        ({"unitPrice": None}, "#/unitPrice"),
        ({"unitPrice": "12"}, "#/unitPrice"),
        ({"unitPrice": 0.0000001}, "#/unitPrice"),
        ({"taxRate": 24}, "#/taxRate"),
        ({"taxRate": 0.25}, "#/taxRate"),
        ({"bookkeepingAccountNumber": 9998}, "#/bookkeepingAccountNumber"),
    ],
)
def test_a_bad_item_is_refused_with_its_field(api: Api, change: dict[str, object], pointer: str):
    assert api.pointers("POST", "items", sales_item() | change) == [pointer]
    assert api.ok("GET", "items")["totalItems"] == 0


@pytest.mark.parametrize(
    "query, found",
    [
        ("description~lunch", ["lunch"]),
        ("itemType==descriptionOnlyItem", ["text"]),
        ("productType==services", ["hour"]),
        ("unitType==hour", ["hour"]),
        ("unitPrice>=500&&unitPrice<1000", ["hour"]),
        ("taxRate==12", ["lunch"]),
        ("taxRate!=25&&itemType==salesItem", ["lunch"]),
    ],
)
def test_items_are_found_by_their_properties(api: Api, query: str, found: list[str]):
    make(api, description="hour", productType="services", unitType="hour", unitPrice=500)
    make(api, description="lunch", taxRate=12, unitPrice=125)
    api.ok("POST", "items", {"description": "text", "itemType": "descriptionOnlyItem"})

    listed = api.ok("GET", f"items?query={query.replace('&', '%26')}")["items"]

    assert [item["description"] for item in listed] == found


def test_a_line_takes_the_items_values_and_keeps_its_own_price_and_quantity(api: Api):
    item = make(api, bookkeepingAccountNumber=3730, taxRate=12)
    reference = {"id": item["id"]}
    whole = line(
        description="Something else", taxRate=6, itemRef=reference, unitPrice=800, quantity=3
    )
    least = {"itemType": "salesItem", "itemRef": reference, "quantity": 2}

    first, second = api.draft(whole, least)["lineItems"]

    expected = {
        "description": item["description"],
        "productType": "goods",
        "unitType": "piece",
        "taxRate": 12,
        "bookkeepingAccountNumber": 3730,
        "itemRef": {"id": item["id"], "description": item["description"]},
    }
    assert {key: first[key] for key in expected} == expected
    assert {key: second[key] for key in expected} == expected
    assert (first["quantity"], first["unitPrice"]) == (3, 800)
    assert (second["quantity"], second["unitPrice"]) == (2, Decimal("990.5"))


def test_a_line_of_text_takes_the_items_text(api: Api):
    text = api.ok("POST", "items", {"description": "Tack!", "itemType": "descriptionOnlyItem"})

    lines = api.draft(line(), {"itemType": "descriptionOnlyItem", "itemRef": {"id": text["id"]}})

    assert lines["lineItems"][1]["description"] == "Tack!"


def test_what_is_on_an_invoice_outlives_the_item(api: Api):
    item = make(api)
    draft = api.draft({"itemType": "salesItem", "itemRef": {"id": item["id"]}, "quantity": 1})

    api.ok("DELETE", f"items/{item['id']}")

    assert api.ok("GET", f"invoices/{draft['id']}") == draft


def test_a_line_can_refer_only_to_an_item_of_its_own_type(api: Api):
    text = api.ok("POST", "items", {"description": "Tack!", "itemType": "descriptionOnlyItem"})
    lines = [line(itemRef={"id": given}) for given in (str(uuid.uuid4()), text["id"])]
    body = {"invoiceDate": "2024-10-10", "lineItems": lines}

    assert api.pointers("POST", "invoices", body) == [
        "#/lineItems/0/itemRef/id",
        "#/lineItems/1/itemRef/id",
    ]
