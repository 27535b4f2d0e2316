"""Suppliers: what is kept of them, how they can be paid, and who may delete them."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.others import another_integration


def add(api: Api, **changes: object) -> Any:
    return api.ok("POST", "suppliers", {"name": "Kaffebönan AB"} | changes)


WHOLE = {
    "name": "Kaffebönan AB",
    "orgNumber": "556000-4615",
    "vatNumber": "SE556000461501",
    "currency": "EUR",
    "address": {
        "line1": "Kajen 1",
        "line2": None,
        "city": "Göteborg",
        "postalCode": "411 01",
        "country": "NO",
    },
    "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5050-1055"},
}


def test_a_supplier_comes_back_as_it_was_sent(api: Api):
    made = api.ok("POST", "suppliers", WHOLE)

    assert made == WHOLE | {"id": made["id"]}
    assert api.ok("GET", f"suppliers/{made['id']}") == made


def test_a_name_is_enough_and_the_currency_is_kronor(api: Api):
    made = add(api)

    assert (made["name"], made["currency"]) == ("Kaffebönan AB", "SEK")
    assert {"address", "paymentDetails"}.isdisjoint(made)


def test_an_address_without_a_country_is_swedish(api: Api):
    made = add(api, address={"city": "Göteborg"})

    assert (made["address"]["city"], made["address"]["country"]) == ("Göteborg", "SE")


def test_replacing_a_supplier_leaves_nothing_of_the_old_one(api: Api):
    made = api.ok("POST", "suppliers", WHOLE)

    changed = api.ok("PUT", f"suppliers/{made['id']}", {"name": "Tebladet AB"})

    assert changed == {
        "id": made["id"],
        "name": "Tebladet AB",
        "orgNumber": "",
        "vatNumber": "",
        "currency": "SEK",
    }


@pytest.mark.parametrize(
    "details",
    [
        {"type": "bankgiro", "bankgiroNumber": "123-4567"},
        {"type": "plusgiro", "plusgiroNumber": "28 65 43-4"},
        {"type": "transfer", "clearingNumber": "8327-9", "accountNumber": "123 456 789-0"},
        {"type": "internationalPayment", "iban": "SE4550000000058398257466", "bic": "SWEDSESS"},
    ],
)
def test_each_way_to_pay_has_its_own_numbers(api: Api, details: dict[str, str]):
    assert add(api, paymentDetails=details)["paymentDetails"] == details


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"name": " "}, ["#/name"]),
        ({"currency": "XXX"}, ["#/currency"]),
        ({"address": {"country": "Sverige"}}, ["#/address/country"]),
        ({"paymentDetails": {}}, ["#/paymentDetails/type"]),
        ({"paymentDetails": {"type": "cash"}}, ["#/paymentDetails/type"]),
        ({"paymentDetails": {"type": "bankgiro"}}, ["#/paymentDetails/bankgiroNumber"]),
        (
            {"paymentDetails": {"type": "bankgiro", "bankgiroNumber": "12-34567"}},
            ["#/paymentDetails/bankgiroNumber"],
        ),
        (
            {"paymentDetails": {"type": "transfer", "clearingNumber": "12", "accountNumber": "x"}},
            ["#/paymentDetails/clearingNumber", "#/paymentDetails/accountNumber"],
        ),
        (
            {"paymentDetails": {"type": "internationalPayment", "iban": "SE1", "bic": "SWED"}},
            ["#/paymentDetails/iban", "#/paymentDetails/bic"],
        ),
    ],
)
def test_a_supplier_that_is_wrong_is_refused_where_it_is_wrong(
    api: Api, changes: dict[str, object], pointers: list[str]
):
    found = api.pointers("POST", "suppliers", {"name": "Kaffebönan AB"} | changes)

    assert set(pointers) <= set(found)
    assert api.ok("GET", "suppliers")["totalItems"] == 0


@pytest.mark.parametrize(
    "name, right, wrong",
    [
        ("bankgiro", {"bankgiroNumber": "5050-1055"}, {"bankgiroNumber": "5050-1056"}),
        ("plusgiro", {"plusgiroNumber": "28 65 43-4"}, {"plusgiroNumber": "28 65 43-5"}),
        (
            "internationalPayment",
            {"iban": "SE45 5000 0000 0583 9825 7466", "bic": "SWEDSESS"},
            {"iban": "SE45 5000 0000 0583 9825 7467", "bic": "SWEDSESS"},
        ),
    ],
)
def test_a_switch_has_check_digits_checked(
    api: Api, name: str, right: dict[str, str], wrong: dict[str, str]
):
    for strict, numbers, status in ((False, wrong, 200), (True, right, 200), (True, wrong, 400)):
        api.sandbox.set_switches(check_digits=strict)
        body = {"name": "Kaffebönan AB", "paymentDetails": {"type": name} | numbers}
        assert api.call("POST", "suppliers", body).status == status


@pytest.mark.parametrize(
    "query, hits",
    [
        ("name==Kaffebönan AB", 1),
        ("name~bladet", 1),
        ("orgNumber==556000-4615", 1),
        ("vatNumber~SE", 1),
        ("vatNumber!=SE556000461501", 1),
    ],
)
def test_suppliers_are_found_by_each_property(api: Api, query: str, hits: int):
    api.ok("POST", "suppliers", WHOLE)
    add(api, name="Tebladet AB")

    assert api.ok("GET", f"suppliers?query={quote(query)}")["totalItems"] == hits


def test_a_supplier_with_invoices_cannot_be_deleted(api: Api):
    path = f"suppliers/{(made := add(api))['id']}"
    invoice = api.ok(
        "POST",
        "supplier-invoices",
        {
            "supplierRef": {"id": made["id"]},
            "invoiceDate": "2024-10-01",
            "dueDate": "2024-10-31",
            "totalAmount": 100,
        },
    )

    assert api.refused("DELETE", path, status=400)["code"] == "operation-not-allowed"
    api.ok("DELETE", f"supplier-invoices/{invoice['id']}")
    assert api.call("DELETE", path).status == 204
    assert api.refused("GET", path, status=404)["code"] == "not-found"


def test_a_supplier_that_nobody_made_is_not_found(api: Api):
    for path in (f"suppliers/{uuid.uuid4()}", "suppliers/x"):
        assert api.refused("PUT", path, WHOLE, status=404)["code"] == "not-found"


def test_a_supplier_is_deleted_by_its_maker_and_changed_by_anybody(api: Api):
    path = f"suppliers/{add(api)['id']}"
    other = another_integration(api)

    assert other.refused("DELETE", path, status=400)["code"] == "operation-not-allowed"
    assert other.ok("PUT", path, {"name": "Tebladet AB"})["name"] == "Tebladet AB"
    assert api.call("DELETE", path).status == 204
