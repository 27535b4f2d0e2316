"""Switches of the sales side: what each does, without a claim about which way Bokio is."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line

PAYMENT = {"date": "2024-10-12", "sumBaseCurrency": 1250, "bookkeepingAccountNumber": 1930}
FEE = {
    "type": "bankFee",
    "invoiceSettlementDetails": {"date": "2024-10-12", "sumBaseCurrency": 1250},
}


def _invoice(api: Api) -> tuple[str, Decimal]:
    """The status of the only invoice, and what is open of it."""
    found = api.sandbox.books(api.company_id)["invoices"][0]
    return found["status"], Decimal(found["outstanding"])


@pytest.mark.parametrize("what, body", [("payments", PAYMENT), ("settlements", FEE)])
def test_a_draft_takes_money_as_the_switch_says(api: Api, what: str, body: dict[str, Any]):
    path = f"invoices/{api.draft()['id']}"
    assert api.call("POST", f"{path}/{what}", body).status == 400
    api.sandbox.set_switches(drafts_take_payments=True)

    api.ok("POST", f"{path}/{what}", body)

    assert _invoice(api) == ("draft", 0)
    assert api.ok("POST", f"{path}/publish")["status"] == "paid"


def test_a_draft_with_something_in_the_books_cannot_be_deleted(api: Api):
    api.sandbox.set_switches(drafts_take_payments=True)
    path = f"invoices/{api.draft()['id']}"
    payment = api.ok("POST", f"{path}/payments", PAYMENT)
    api.ok("POST", f"{path}/payments/{payment['id']}/record")

    refusal = api.refused("DELETE", path, status=400)

    assert refusal["code"] == "operation-not-allowed"
    assert api.ok("GET", f"{path}/payments/{payment['id']}")["journalEntryRef"]


@pytest.mark.parametrize("what, body", [("payments", PAYMENT), ("settlements", FEE)])
def test_what_is_not_recorded_counts_as_the_switch_says(api: Api, what: str, body: dict[str, Any]):
    api.sandbox.set_switches(unrecorded_counts=False)
    path = f"invoices/{api.published()['id']}/{what}"

    forgotten = api.ok("POST", path, body)
    api.ok("DELETE", f"{path}/{forgotten['id']}")
    made = api.ok("POST", path, body)
    assert _invoice(api) == ("overdue", 1250)
    api.ok("POST", f"{path}/{made['id']}/record")
    assert _invoice(api) == ("paid", 0)

    api.sandbox.set_switches(delete_recorded=True)
    api.ok("DELETE", f"{path}/{made['id']}")
    assert _invoice(api) == ("overdue", 1250)


def test_a_balance_adjustment_counts_always(api: Api):
    api.sandbox.set_switches(unrecorded_counts=False)
    invoice = api.published()
    made = api.sandbox.settle_invoice(
        api.company_id, invoice["id"], "balanceAdjustment", "1250", date="2024-12-01"
    )
    assert _invoice(api) == ("paid", 0)

    api.ok("DELETE", f"invoices/{invoice['id']}/settlements/{made['id']}")

    assert _invoice(api) == ("overdue", 1250)


@pytest.mark.parametrize("copied", [True, False])
def test_a_credit_note_has_the_invoices_metadata_as_the_switch_says(api: Api, copied: bool):
    api.sandbox.set_switches(credit_notes_copy_metadata=copied)
    invoice = api.published(metadata={"ref": "a"})

    note = api.ok("POST", f"invoices/{invoice['id']}/credit")

    assert note["metadata"] == ({"ref": "a"} if copied else {})


@pytest.mark.parametrize("in_sek, paid", [(False, 100), (True, 1150)])
def test_the_money_of_what_was_paid_is_a_switch(api: Api, in_sek: bool, paid: int):
    api.sandbox.set_switches(paid_amount_in_sek=in_sek)
    path = f"invoices/{api.published(currency='EUR', currencyRate=11.5)['id']}"

    api.ok("POST", f"{path}/payments", PAYMENT | {"sumBaseCurrency": 1150})

    assert api.ok("GET", path)["paidAmount"] == paid


@pytest.mark.parametrize("refused", [True, False])
def test_recording_under_the_cash_method_answers_as_the_switch_says(api: Api, refused: bool):
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"method": "cash"}})
    api.sandbox.set_switches(cash_invoice_record_refused=refused)
    path = f"invoices/{api.published()['id']}"

    reply = api.call("POST", f"{path}/record")

    assert reply.status == (400 if refused else 200)
    assert api.ok("GET", path)["journalEntryRef"] is None
    assert api.entries() == []


@pytest.mark.parametrize("refused", [True, False])
def test_a_page_of_more_than_a_hundred_is_answered_as_the_switch_says(api: Api, refused: bool):
    api.sandbox.set_switches(large_pages_refused=refused)
    api.draft(line())

    reply = api.call("GET", "invoices?pageSize=101")

    assert reply.status == (400 if refused else 200)


@pytest.mark.parametrize(
    "what, body",
    [
        ("payments", {"amount": "1.005"}),
        ("payments", {"amount": "much"}),
        ("payments", {"amount": 0}),
        ("settlements", {"amount": 1, "type": "gift"}),
        ("settlements", {"amount": 1, "type": "paymentServiceFee"}),
        ("settlements", {"amount": 1, "type": "bankFee", "vatScheme": "eu"}),
    ],
)
def test_a_person_cannot_register_what_the_books_cannot_hold(
    api: Api, what: str, body: dict[str, Any]
):
    path = f"companies/{api.company_id}/invoices/{api.published()['id']}/{what}"

    reply = api.sandbox.request("POST", f"/_sandbox/{path}", json_body=body)

    assert (reply.status, bool(reply.json["error"])) == (400, True)
    assert _invoice(api) == ("overdue", 1250)
