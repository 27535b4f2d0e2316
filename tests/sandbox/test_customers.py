"""Customers: what is refused, what they keep, and how they are found."""

import pytest

from tests.sandbox.conftest import Api


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"name": "", "type": "company"}, "#/name"),
        ({"name": "A"}, "#/type"),
        ({"name": "A", "type": "trust"}, "#/type"),
        ({"name": "A", "type": "company", "address": {"country": "XX"}}, "#/address/country"),
        ({"name": 5, "type": "company"}, "#/name"),
        ({"name": "A", "type": "private", "language": "fi"}, "#/language"),
    ],
)
def test_a_bad_customer_is_refused_with_its_field(api: Api, body: object, pointer: str):
    assert pointer in api.pointers("POST", "customers", body)


def test_a_british_customer_needs_a_part_of_the_country(api: Api):
    address = {"line1": "A 1", "city": "B", "postalCode": "1", "country": "GB"}
    body = {"name": "A", "type": "company", "address": address}

    assert api.pointers("POST", "customers", body) == ["#/address/countrySubdivision"]
    address["countrySubdivision"] = "SCT"
    assert api.ok("POST", "customers", body)["address"] == address | {"line2": None}


def test_contacts_keep_their_ids_and_new_ones_get_their_own(api: Api):
    ann = {"name": "Ann", "email": "ann@example.com", "phone": "1", "isDefault": True}
    customer_id = api.customer(contactsDetails=[ann | {"id": "made-up"}])
    path = f"customers/{customer_id}"
    [first] = api.ok("GET", path)["contactsDetails"]
    assert first["id"] != "made-up"
    bo = {"name": "Bo", "email": "", "phone": "", "isDefault": False}
    body = {"name": "A", "type": "company", "contactsDetails": [bo, first | {"phone": "2"}]}

    changed = api.ok("PUT", path, body)["contactsDetails"]

    assert changed[1] == first | {"phone": "2"}
    assert changed[0] == bo | {"id": changed[0]["id"]}
    draft = api.draft(customerRef={"id": customer_id}, contactDetailRef={"id": first["id"]})
    expected = {"id": first["id"], "email": "ann@example.com", "phone": "2"}
    assert draft["contactDetailRef"] == expected


def test_a_customer_with_invoices_is_not_deleted(api: Api):
    customer = api.customer()
    path = f"customers/{customer}"
    draft = api.draft(customerRef={"id": customer})
    assert api.refused("DELETE", path, status=400)["code"] == "operation-not-allowed"

    api.ok("DELETE", f"invoices/{draft['id']}")
    api.ok("DELETE", path)

    assert api.call("GET", path).status == 404


def test_customers_are_found_by_their_number(api: Api):
    customer = api.customer(customerNumber="K-17")
    api.customer(customerNumber="K-18")

    found = api.ok("GET", "customers?query=customerNumber==K-17")["items"]

    assert [(row["id"], row["customerNumber"]) for row in found] == [(customer, "K-17")]
    draft = api.draft(customerRef={"id": customer})
    assert draft["customerRef"] == {"id": customer, "name": "John Doe", "customerNumber": "K-17"}
