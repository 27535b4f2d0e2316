"""The cash method: sales and VAT enter the books with the money, part by part."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line


@pytest.fixture
def books(api: Api) -> Api:
    """A company that uses the cash method in 2024."""
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"method": "cash"}})
    return api


def pay(api: Api, invoice: Any, amount: object, day: str = "2024-10-12") -> Any:
    path = f"invoices/{invoice['id']}/payments"
    body = {"date": day, "sumBaseCurrency": amount, "bookkeepingAccountNumber": 1930}
    payment = api.ok("POST", path, body)
    return api.ok("POST", f"{path}/{payment['id']}/record")


def settle(api: Api, invoice: Any, kind: str, amount: object, **details: object) -> Any:
    path = f"invoices/{invoice['id']}/settlements"
    details |= {"date": "2024-10-12", "sumBaseCurrency": amount}
    body = {"type": kind, "invoiceSettlementDetails": details}
    return f"{path}/{api.ok('POST', path, body)['id']}/record"


def balances(api: Api) -> dict[int, Decimal]:
    found = api.sandbox.books(api.company_id)["balances"]
    return {int(account): Decimal(balance) for account, balance in found.items() if float(balance)}


def test_nothing_is_booked_when_the_invoice_is_issued(books: Api):
    invoice = books.published()

    refusal = books.refused("POST", f"invoices/{invoice['id']}/record", status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert books.entries() == []


def test_a_payment_books_the_sale_and_its_vat(books: Api):
    invoice = books.published(line(), line(taxRate=6, unitPrice=100))

    pay(books, invoice, 1356)

    assert books.entries() == [{1930: 1356, 3011: -1000, 2611: -250, 3013: -100, 2631: -6}]


def test_parts_add_up_to_the_whole_sale(books: Api):
    invoice = books.published(line(unitPrice=100.01), line(taxRate=6, unitPrice=33.33))
    whole = Decimal(str(invoice["totalAmount"]))

    for amount in (51.11, 51.12, float(whole) - 102.23):
        pay(books, invoice, round(amount, 2))
        assert all(sum(entry.values()) == 0 for entry in books.entries())

    assert balances(books) == {
        1930: whole,
        3011: Decimal("-100.01"),
        2611: Decimal("-25.00"),
        3013: Decimal("-33.33"),
        2631: Decimal("-2.00"),
    }


def test_a_part_is_booked_in_proportion_on_every_account(books: Api):
    invoice = books.published(line(), line(taxRate=0, unitPrice=750))

    pay(books, invoice, 500)

    assert books.entries() == [
        {1930: 500, 3011: -250, 2611: Decimal("-62.5"), 3014: Decimal("-187.5")}
    ]


def test_a_fee_belongs_to_what_was_received(books: Api):
    invoice = books.published()
    pay(books, invoice, 1230)

    books.ok("POST", settle(books, invoice, "bankFee", 20))

    assert balances(books) == {1930: 1230, 6570: 20, 3011: -1000, 2611: -250}


@pytest.mark.parametrize("amount", [30, -30])
def test_currency_differences_are_not_booked(books: Api, amount: int):
    invoice = books.published(line(unitPrice=100), currency="EUR", currencyRate=10)
    pay(books, invoice, 1250 - amount)

    refusal = books.refused("POST", settle(books, invoice, "currency", amount), status=400)

    assert refusal["code"] == "validation-error"
    received = Decimal(1250 - amount)
    sold, tax = received * 4 / 5, received / 5
    assert books.entries() == [{1930: received, 3011: -sold, 2611: -tax}]
    assert books.ok("GET", f"invoices/{invoice['id']}")["status"] == "paid"


def test_a_lost_claim_was_never_in_the_books(books: Api):
    invoice = books.published()
    made = books.sandbox.settle_invoice(
        books.company_id, invoice["id"], "badDebt", "1250", date="2024-12-01"
    )

    path = f"invoices/{invoice['id']}/settlements/{made['id']}/record"
    assert books.call("POST", path).status == 400
    assert books.entries() == []


def test_what_is_paid_beyond_the_sale_is_owed_back(books: Api):
    invoice = books.published()

    pay(books, invoice, 1000)
    pay(books, invoice, 350)

    assert balances(books) == {1930: 1350, 3011: -1000, 2611: -250, 1510: -100}


def test_a_credited_part_is_never_booked(books: Api):
    invoice = books.published(line(), line(taxRate=6, unitPrice=100))
    note = books.ok("POST", f"invoices/{invoice['id']}/credit")
    lines = [note["lineItems"][1]]
    changes = {"lineItems": lines, "creditDate": "2024-10-11", "dueDate": "2024-10-11"}
    books.ok("PUT", f"credit-notes/{note['id']}", note | changes)
    books.ok("POST", f"credit-notes/{note['id']}/publish")
    assert books.call("POST", f"credit-notes/{note['id']}/record").status == 400

    pay(books, invoice, 1250)

    assert books.entries() == [{1930: 1250, 3011: -1000, 2611: -250}]
    assert books.ok("GET", f"invoices/{invoice['id']}")["status"] == "paid"


def test_a_credit_after_a_part_payment_leaves_the_right_sale(books: Api):
    invoice = books.published(line(), line(taxRate=6, unitPrice=1000))
    pay(books, invoice, 1155)
    note = books.ok("POST", f"invoices/{invoice['id']}/credit")
    books.ok("PUT", f"credit-notes/{note['id']}", note | {"lineItems": [note["lineItems"][1]]})
    books.ok("POST", f"credit-notes/{note['id']}/publish")

    pay(books, invoice, 95)

    assert balances(books) == {1930: 1250, 3011: -1000, 2611: -250}


def test_the_year_of_the_invoice_decides_the_method(books: Api):
    """A sale of a cash-method year is booked when it is paid, also in a year of the other kind."""
    pay(books, books.published(), 1250, day="2025-01-20")
    later = books.published(invoiceDate="2025-01-10", dueDate="2025-02-10")
    books.ok("POST", f"invoices/{later['id']}/record")

    assert books.entries() == [
        {1930: 1250, 3011: -1000, 2611: -250},
        {1510: 1250, 3011: -1000, 2611: -250},
    ]


def test_with_automatic_recording_only_the_money_is_booked(books: Api):
    books.sandbox.change_company(books.company_id, automaticRecording=True)
    invoice = books.published()
    assert invoice["journalEntryRef"] is None
    path = f"invoices/{invoice['id']}/payments"
    body = {"date": "2024-10-12", "sumBaseCurrency": 1250, "bookkeepingAccountNumber": 1930}

    assert books.ok("POST", path, body)["journalEntryRef"]

    assert books.entries() == [{1930: 1250, 3011: -1000, 2611: -250}]
