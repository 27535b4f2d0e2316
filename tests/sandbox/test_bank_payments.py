"""Payments from the bank account: who is paid how, all or none, and that nobody signs for us."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.others import BANK_SCOPES, another_application
from tests.support.sandbox import SandboxProcess

BANKGIRO = {
    "kind": "bankgiro",
    "recipientName": "Kaffebönan AB",
    "bankgiroNumber": "5050-1055",
    "ocr": "10017",
}
TRANSFER = {
    "kind": "transfer",
    "recipientName": "Maja Lindqvist",
    "recipientReference": "Utlägg 4",
    "clearingNumber": "8327-9",
    "accountNumber": "1234567890",
}


def connect(sandbox: SandboxProcess) -> Api:
    company = sandbox.companies()[0]["id"]
    return Api(sandbox, company, sandbox.tokens_for(company, BANK_SCOPES).access_token)


@pytest.fixture
def bank(sandbox: SandboxProcess) -> Api:
    return connect(sandbox)


def payment(**changes: object) -> dict[str, Any]:
    body = {"amount": 2500.5, "paymentDate": "2100-08-25", "recipientRef": BANKGIRO}
    return body | changes


def order(bank: Api, **changes: object) -> Any:
    return bank.ok("POST", "bank-payments", payment(**changes))


@pytest.mark.parametrize("recipient", [BANKGIRO, TRANSFER])
def test_an_ordered_payment_waits_to_be_signed(bank: Api, recipient: dict[str, str]):
    made = order(bank, recipientRef=recipient, ownNote="Bönor")

    assert made == {
        "id": made["id"],
        "status": "readyToSign",
        "createdDateTime": made["createdDateTime"],
        "amount": Decimal("2500.5"),
        "paymentDate": "2100-08-25",
        "ownNote": "Bönor",
        "recipientRef": recipient,
    }
    assert dt.datetime.fromisoformat(made["createdDateTime"]).tzinfo is not None
    assert bank.ok("GET", f"bank-payments/{made['id']}") == made
    assert bank.balance(1930) == 0


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"amount": None}, ["#/amount"]),
        ({"amount": 0}, ["#/amount"]),
        ({"amount": -5}, ["#/amount"]),
        ({"amount": 0.001}, ["#/amount"]),
        ({"paymentDate": "25/8"}, ["#/paymentDate"]),
        ({"recipientRef": None}, ["#/recipientRef"]),
        ({"recipientRef": BANKGIRO | {"kind": "swish"}}, ["#/recipientRef/kind"]),
        ({"recipientRef": BANKGIRO | {"recipientName": ""}}, ["#/recipientRef/recipientName"]),
        ({"recipientRef": BANKGIRO | {"message": "Hej"}}, ["#/recipientRef/ocr"]),
        ({"recipientRef": BANKGIRO | {"ocr": None}}, ["#/recipientRef/ocr"]),
        ({"recipientRef": BANKGIRO | {"ocr": "12a"}}, ["#/recipientRef/ocr"]),
        (
            {"recipientRef": BANKGIRO | {"bankgiroNumber": "1"}},
            ["#/recipientRef/bankgiroNumber"],
        ),
        (
            {"recipientRef": {"kind": "transfer", "recipientName": "Maja"}},
            ["#/recipientRef/clearingNumber", "#/recipientRef/accountNumber"],
        ),
    ],
)
def test_an_order_that_is_wrong_is_refused_where_it_is_wrong(
    bank: Api, changes: dict[str, object], pointers: list[str]
):
    assert bank.pointers("POST", "bank-payments", payment(**changes)) == pointers
    assert bank.ok("GET", "bank-payments")["totalItems"] == 0


def test_a_message_may_stand_in_for_the_ocr_reference(bank: Api):
    recipient = BANKGIRO | {"message": "Faktura 17"}
    del recipient["ocr"]

    assert order(bank, recipientRef=recipient)["recipientRef"] == recipient


def test_many_payments_are_ordered_at_once(bank: Api):
    bodies = [payment(amount=amount) for amount in (1, 2, 3)]

    made = bank.ok("POST", "bank-payments/bulk", {"payments": bodies})

    assert [row["amount"] for row in made] == [1, 2, 3]
    assert bank.ok("GET", "bank-payments")["items"] == made


def test_one_wrong_payment_of_many_stops_them_all(bank: Api):
    wrong = payment(recipientRef=BANKGIRO | {"bankgiroNumber": "?"})
    bodies = [wrong, payment(amount=0), payment()]

    found = bank.pointers("POST", "bank-payments/bulk", {"payments": bodies})

    assert found == ["#/payments/0/recipientRef/bankgiroNumber", "#/payments/1/amount"]
    assert bank.ok("GET", "bank-payments")["totalItems"] == 0


@pytest.mark.parametrize("count", [0, 101])
def test_a_bulk_holds_one_to_a_hundred(bank: Api, count: int):
    body = {"payments": [payment()] * count}

    assert bank.pointers("POST", "bank-payments/bulk", body) == ["#/payments"]
    assert bank.ok("GET", "bank-payments")["totalItems"] == 0


@pytest.mark.parametrize(
    "query, hits",
    [
        ("amount==1200.00", 1),
        ("amount>1200", 1),
        ("status==readyToSign", 2),
        ("status!=readyToSign", 0),
        ("paymentDate==2100-08-26", 1),
        ("paymentDate<=2100-08-25T00:00:00Z", 1),
        ("createdDateTime>=2024-01-01", 2),
        ("createdDateTime<2024-01-01T00:00:00Z", 0),
    ],
)
def test_payments_are_found_by_each_property(bank: Api, query: str, hits: int):
    order(bank, amount=1200, paymentDate="2100-08-26")
    order(bank)

    assert bank.ok("GET", f"bank-payments?query={quote(query)}")["totalItems"] == hits


def test_a_switch_has_check_digits_checked(bank: Api):
    bank.sandbox.set_switches(check_digits=True)
    wrong = BANKGIRO | {"bankgiroNumber": "5050-1056", "ocr": "10018"}

    assert order(bank)["recipientRef"] == BANKGIRO
    assert bank.pointers("POST", "bank-payments", payment(recipientRef=wrong)) == [
        "#/recipientRef/bankgiroNumber",
        "#/recipientRef/ocr",
    ]


def test_a_switch_refuses_days_that_have_passed(sandbox: SandboxProcess):
    sandbox.control("POST", "clock", {"now": "2100-08-25T12:00:00+00:00"})
    bank = connect(sandbox)
    assert order(bank, paymentDate="2100-08-24")["paymentDate"] == "2100-08-24"

    sandbox.set_switches(past_bank_payments=False)

    assert order(bank)["paymentDate"] == "2100-08-25"
    late = payment(paymentDate="2100-08-24")
    assert bank.pointers("POST", "bank-payments", late) == ["#/paymentDate"]


def test_a_switch_wants_a_bank_account(bank: Api):
    bank.sandbox.set_switches(bank_payment_needs_account=True)

    for path, body in (
        ("bank-payments", payment()),
        ("bank-payments/bulk", {"payments": [payment()]}),
    ):
        refusal = bank.refused("POST", path, body, status=400)
        assert refusal["code"] == "operation-not-allowed"
    assert bank.ok("GET", "bank-payments")["totalItems"] == 0


def test_a_payment_that_nobody_ordered_is_not_found(bank: Api):
    for path in (f"bank-payments/{uuid.uuid4()}", "bank-payments/x"):
        assert bank.refused("GET", path, status=404)["code"] == "not-found"


def test_payments_of_another_integration_are_out_of_sight(bank: Api):
    path = f"bank-payments/{order(bank)['id']}"
    other = another_application(bank, BANK_SCOPES)

    assert other.refused("GET", path, status=404)["code"] == "not-found"
    assert other.ok("GET", "bank-payments")["totalItems"] == 0
    order(other)
    assert bank.ok("GET", "bank-payments")["totalItems"] == 1
