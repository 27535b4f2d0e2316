"""The invoice of Bokio's own guide, step by step over HTTP, with its bodies as printed."""

from decimal import Decimal

import pytest

from tests.sandbox.conftest import Api

CUSTOMER = {
    "type": "company",
    "address": {
        "line1": "Älvsborgsvägen 10",
        "city": "Göteborg",
        "postalCode": "123 45",
        "country": "SE",
    },
    "name": "John Doe",
    "vatNumber": "SE1234567890",
    "orgNumber": "123456-7890",
    "paymentTerms": "30",
}
LINE = {
    "itemType": "salesItem",
    "productType": "goods",
    "unitType": "hour",
    "quantity": 180,
    "description": "Consultancy services",
    "unitPrice": 290,
    "taxRate": 25,
}
DISCOUNT = {
    "itemType": "salesItem",
    "productType": "goods",
    "unitType": "hour",
    "quantity": 1,
    "description": "New User Discount",
    "unitPrice": -500,
    "taxRate": 25,
    "bookkeepingAccountNumber": 3730,
}
SETTLEMENT = {
    "type": "bankFee",
    "invoiceSettlementDetails": {
        "reason": "bankFee",
        "date": "2024-10-15",
        "sumBaseCurrency": 15.5,
    },
}
PAYMENT = {"date": "2024-11-01", "sumBaseCurrency": 64609.5, "bookkeepingAccountNumber": 1940}


def _published(api: Api) -> str:
    customer = api.ok("POST", "customers", CUSTOMER)
    assert customer["contactsDetails"] == []
    assert customer["language"] == "sv"
    invoice = api.ok(
        "POST",
        "invoices",
        {
            "type": "invoice",
            "customerRef": {"id": customer["id"]},
            "currency": "SEK",
            "currencyRate": 1,
            "lineItems": [LINE],
            "invoiceDate": "2024-10-10",
            "dueDate": "2024-10-10",
        },
    )
    assert (invoice["totalAmount"], invoice["totalTax"]) == (65250, 13050)
    assert invoice["status"] == "draft"
    path = f"invoices/{invoice['id']}"
    api.ok("POST", f"{path}/line-items", DISCOUNT)
    published = api.ok("POST", f"{path}/publish")
    assert published["totalAmount"] == 64625
    assert published["paymentReference"] == "10017"
    return path


def _entry(api: Api, document: dict[str, dict[str, str]]) -> dict[int, Decimal]:
    entry = api.ok("GET", f"journal-entries/{document['journalEntryRef']['id']}")
    return {item["account"]: Decimal(item["debit"] - item["credit"]) for item in entry["items"]}


@pytest.mark.parametrize("first", ["payment", "settlement"])
def test_the_guides_invoice_ends_paid_with_balanced_books_in_either_order(api: Api, first: str):
    path = _published(api)

    recorded = api.ok("POST", f"{path}/record")
    assert _entry(api, recorded) == {1510: 64625, 3730: 500, 3001: -52200, 2611: -12925}

    bodies = {"payment": PAYMENT, "settlement": SETTLEMENT}
    for kind in [first, *(kind for kind in bodies if kind != first)]:
        made = api.ok("POST", f"{path}/{kind}s", bodies[kind])
        assert made["journalEntryRef"] is None
        done = api.ok("POST", f"{path}/{kind}s/{made['id']}/record")
        expected = (
            {1940: Decimal("64609.5"), 1510: Decimal("-64609.5")}
            if kind == "payment"
            else {6570: Decimal("15.5"), 1510: Decimal("-15.5")}
        )
        assert _entry(api, done) == expected

    invoice = api.ok("GET", path)
    assert (invoice["status"], invoice["paidAmount"]) == ("paid", Decimal("64609.5"))
    books = api.sandbox.books(api.company_id)
    assert books["invoices"][0]["outstanding"] == "0.00"
    assert books["balances"] == {
        "1510": "0.00",
        "1940": "64609.50",
        "2611": "-12925.00",
        "3001": "-52200.00",
        "3730": "500.00",
        "6570": "15.50",
    }


def test_recording_twice_is_refused_without_an_errors_list_and_books_nothing(api: Api):
    path = _published(api)
    api.ok("POST", f"{path}/record")

    refusal = api.refused("POST", f"{path}/record", status=400)

    assert refusal["code"] == "validation-error"
    assert "errors" not in refusal
    assert len(api.sandbox.books(api.company_id)["journalEntries"]) == 1
