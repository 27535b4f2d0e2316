"""Supplier invoices: sums and currency, documents, and that only their maker changes them."""

import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import make
from tests.sandbox.files import upload
from tests.sandbox.others import another_integration


@pytest.fixture
def supplier(api: Api) -> str:
    return str(api.ok("POST", "suppliers", {"name": "Kaffebönan AB"})["id"])


def invoice(supplier: str, **changes: object) -> dict[str, Any]:
    body = {
        "supplierRef": {"id": supplier},
        "invoiceNumber": "F-17",
        "invoiceDate": "2024-10-01",
        "dueDate": "2024-10-31",
        "totalAmount": 1250.5,
    }
    return body | changes


def add(api: Api, supplier: str, **changes: object) -> Any:
    return api.ok("POST", "supplier-invoices", invoice(supplier, **changes))


def test_an_invoice_is_wholly_unpaid_at_first(api: Api, supplier: str):
    made = add(api, supplier)

    assert made == {
        "id": made["id"],
        "supplierRef": {"id": supplier, "name": "Kaffebönan AB"},
        "invoiceNumber": "F-17",
        "invoiceDate": "2024-10-01",
        "dueDate": "2024-10-31",
        "totalAmount": Decimal("1250.5"),
        "remainingAmount": Decimal("1250.5"),
        "currency": "SEK",
        "currencyRate": 1,
        "lineItems": [],
        "journalEntryRef": None,
        "uploadRefs": [],
    }
    assert api.ok("GET", f"supplier-invoices/{made['id']}") == made


def test_the_currency_is_that_of_the_supplier(api: Api):
    foreign = api.ok("POST", "suppliers", {"name": "Café SARL", "currency": "EUR"})
    made = add(api, foreign["id"])
    api.ok("PUT", f"suppliers/{foreign['id']}", {"name": "Café SARL", "currency": "USD"})

    again = api.ok("PUT", f"supplier-invoices/{made['id']}", invoice(foreign["id"]))

    assert made["currency"] == again["currency"] == "EUR"
    assert made["currencyRate"] > 1


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"supplierRef": None}, ["#/supplierRef/id"]),
        ({"supplierRef": {"id": str(uuid.uuid4())}}, ["#/supplierRef/id"]),
        ({"invoiceDate": None, "dueDate": "soon"}, ["#/invoiceDate", "#/dueDate"]),
        ({"totalAmount": "1250"}, ["#/totalAmount"]),
        ({"totalAmount": 1.005}, ["#/totalAmount"]),
        ({"lineItems": {}}, ["#/lineItems"]),
        (
            {"lineItems": [{"bookkeepingAccountNumber": 1}]},
            ["#/lineItems/0/bookkeepingAccountNumber"],
        ),
    ],
)
def test_an_invoice_that_is_wrong_is_refused_where_it_is_wrong(
    api: Api, supplier: str, changes: dict[str, object], pointers: list[str]
):
    body = invoice(supplier, **changes)

    assert api.pointers("POST", "supplier-invoices", body) == pointers
    assert api.ok("GET", "supplier-invoices")["totalItems"] == 0


def test_lines_come_back_with_their_numbers_as_they_were(api: Api, supplier: str):
    line = {
        "description": "Bönor, mörkrostade",
        "unitType": "säck",
        "quantity": Decimal("2.5"),
        "unitPrice": Decimal("0.1"),
        "taxRate": 12,
        "bookkeepingAccountNumber": 4010,
        "projectId": str(uuid.uuid4()),
    }
    sent = line | {"quantity": 2.5, "unitPrice": 0.1}

    made = add(api, supplier, lineItems=[sent, {"description": "Frakt"}])

    assert made["lineItems"] == [line, {"description": "Frakt"}]


def test_a_changed_total_changes_what_remains(api: Api, supplier: str):
    path = f"supplier-invoices/{add(api, supplier)['id']}"

    changed = api.ok("PUT", path, invoice(supplier, totalAmount=1000, invoiceNumber="F-18"))

    assert (changed["totalAmount"], changed["remainingAmount"]) == (1000, 1000)
    assert api.ok("GET", path) == changed


def test_a_document_comes_with_the_invoice_or_later(api: Api, supplier: str):
    first, second = upload(api), upload(api)
    made = add(api, supplier, uploadRef={"id": first["id"]})
    path = f"supplier-invoices/{made['id']}"

    added = api.ok("POST", f"{path}/uploads", {"id": second["id"]})

    assert added == {"id": second["id"]}
    assert made["uploadRefs"] == [{"id": first["id"]}]
    assert api.ok("GET", path)["uploadRefs"] == [{"id": first["id"]}, {"id": second["id"]}]


def test_a_document_of_something_else_is_refused(api: Api, supplier: str):
    on_entry = upload(api, journalEntryId=make(api)["id"])["id"]
    on_invoice = upload(api)["id"]
    path = f"supplier-invoices/{add(api, supplier, uploadRef={'id': on_invoice})['id']}"

    for taken in (on_entry, on_invoice):
        body = invoice(supplier, uploadRef={"id": taken})
        assert api.pointers("POST", "supplier-invoices", body) == ["#/uploadRef/id"]
        assert api.pointers("POST", f"{path}/uploads", {"id": taken}) == ["#/id"]
    assert api.ok("GET", "supplier-invoices")["totalItems"] == 1


def test_a_document_that_nobody_sent_is_not_found(api: Api, supplier: str):
    unknown = {"id": str(uuid.uuid4())}
    path = f"supplier-invoices/{add(api, supplier)['id']}/uploads"

    assert api.refused("POST", path, unknown, status=404)["code"] == "not-found"
    body = invoice(supplier, uploadRef=unknown)
    assert api.refused("POST", "supplier-invoices", body, status=404)["code"] == "not-found"
    assert api.ok("GET", "supplier-invoices")["totalItems"] == 1
    assert api.pointers("POST", path, {}) == ["#/id"]


def test_a_deleted_invoice_lets_its_document_go(api: Api, supplier: str):
    document = {"id": upload(api)["id"]}
    path = f"supplier-invoices/{add(api, supplier, uploadRef=document)['id']}"

    assert api.call("DELETE", path).status == 204

    assert api.refused("GET", path, status=404)["code"] == "not-found"
    assert add(api, supplier, uploadRef=document)["uploadRefs"] == [document]


PROJECT = "0b8f2f43-7d7c-4c8e-9e53-3a40f6a4c0de"


@pytest.mark.parametrize(
    "query, hits",
    [
        ("supplierRef.id=={supplier}", 1),
        ("supplierRef.id!={supplier}", 1),
        ("invoiceNumber~17", 1),
        ("totalAmount>=1250.50", 1),
        ("totalAmount<1250.5", 1),
        ("currency==SEK", 2),
        ("invoiceDate==2024-10-01", 1),
        ("dueDate>2024-10-31&&currency==SEK", 1),
        (f"projectId=={PROJECT}", 1),
        (f"projectId!={PROJECT}", 1),
    ],
)
def test_invoices_are_found_by_each_property(api: Api, supplier: str, query: str, hits: int):
    other = api.ok("POST", "suppliers", {"name": "Tebladet AB"})["id"]
    add(api, supplier, lineItems=[{"projectId": PROJECT}])
    later = {"invoiceDate": "2024-10-02", "dueDate": "2024-11-01"}
    add(api, other, invoiceNumber="2", totalAmount=9, **later)
    query = quote(query.format(supplier=supplier))

    assert api.ok("GET", f"supplier-invoices?query={query}")["totalItems"] == hits
    refusal = api.refused("GET", "supplier-invoices?query=projectId==x", status=400)
    assert refusal["errors"][0]["field"] == "query"


def test_only_who_added_an_invoice_may_change_it(api: Api, supplier: str):
    made = add(api, supplier)
    path = f"supplier-invoices/{made['id']}"
    document = {"id": upload(api)["id"]}
    other = another_integration(api)

    for method, where, body in (
        ("PUT", path, invoice(supplier, totalAmount=1)),
        ("DELETE", path, None),
        ("POST", f"{path}/uploads", document),
    ):
        refusal = other.refused(method, where, body, status=400)
        assert refusal["code"] == "operation-not-allowed"
    assert other.ok("GET", path) == made
