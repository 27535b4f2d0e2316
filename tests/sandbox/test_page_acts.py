"""What a person does with invoices on the pages, and what the API and the books then hold."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line
from tests.sandbox.visitor import Page, Visitor


def _open(visitor: Visitor, api: Api, invoice: Any) -> Page:
    return visitor.get(f"/companies/{api.company_id}/invoices/{invoice['id']}")


def _invoice(api: Api, invoice: Any) -> Any:
    return api.ok("GET", f"invoices/{invoice['id']}")


def test_a_draft_is_published_and_recorded_by_hand(visitor: Visitor, api: Api):
    draft = api.draft()

    page = visitor.send(_open(visitor, api, draft), "/act", action="publish")
    visitor.send(page, "/act", action="record")

    invoice = _invoice(api, draft)
    assert (invoice["status"], invoice["invoiceNumber"]) == ("overdue", "1001")
    assert invoice["journalEntryRef"]
    assert api.balance(1510) == Decimal(1250)


def test_a_draft_is_deleted_by_hand(visitor: Visitor, api: Api):
    draft = api.draft()

    visitor.send(_open(visitor, api, draft), "/act", action="delete")

    assert api.call("GET", f"invoices/{draft['id']}").status == 404


def test_publishing_twice_is_refused_on_the_page(visitor: Visitor, api: Api):
    draft = api.draft()
    page = _open(visitor, api, draft)
    api.ok("POST", f"invoices/{draft['id']}/publish")

    refused = visitor.send(page, "/act", action="publish")

    assert refused.status == 409
    assert "Nothing was changed" in refused.text
    assert _invoice(api, draft)["invoiceNumber"] == "1001"


def test_a_part_is_paid_on_any_day_to_any_account_and_recorded(visitor: Visitor, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")

    page = visitor.send(
        _open(visitor, api, invoice),
        "/pay",
        amount="1 000,50",
        date="2024-12-01",
        account=1940,
        record="on",
    )

    assert page.status == 200
    [payment] = api.ok("GET", f"invoices/{invoice['id']}/payments")["items"]
    assert (payment["date"], Decimal(str(payment["sumBaseCurrency"]))) == (
        "2024-12-01",
        Decimal("1000.50"),
    )
    assert payment["journalEntryRef"]
    assert api.balance(1940) == Decimal("1000.50")
    assert api.balance(1510) == Decimal("249.50")


def test_more_than_is_owed_can_be_paid(visitor: Visitor, api: Api):
    invoice = api.published()

    visitor.send(_open(visitor, api, invoice), "/pay", amount="2000")

    assert _invoice(api, invoice)["status"] == "overPaid"


def test_a_payment_that_cannot_be_recorded_changes_nothing_and_keeps_what_was_typed(
    visitor: Visitor, api: Api
):
    invoice = api.published()
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    page = visitor.send(
        _open(visitor, api, invoice), "/pay", amount="321.45", date="2024-11-20", record="on"
    )

    assert page.status == 409
    assert 'value="321.45"' in page.text
    assert 'value="2024-11-20"' in page.text
    assert api.sandbox.books(api.company_id)["payments"] == []


@pytest.mark.parametrize("amount", ["0", "-5", "1,234", "a lot", ""])
def test_an_impossible_amount_is_named_on_its_field(visitor: Visitor, api: Api, amount: str):
    invoice = api.published()

    page = visitor.send(_open(visitor, api, invoice), "/pay", amount=amount)

    assert page.status == 422
    assert 'aria-invalid="true"' in page.text
    assert f'value="{amount}"' in page.text or not amount
    assert api.sandbox.books(api.company_id)["payments"] == []


def test_a_payment_is_deleted_by_hand(visitor: Visitor, api: Api):
    invoice = api.published()
    page = visitor.send(_open(visitor, api, invoice), "/pay", record=None)
    assert _invoice(api, invoice)["status"] == "paid"
    [payment] = api.ok("GET", f"invoices/{invoice['id']}/payments")["items"]

    visitor.send(page, f"/payments/{payment['id']}", action="delete")

    assert _invoice(api, invoice)["status"] == "overdue"
    assert api.sandbox.books(api.company_id)["payments"] == []


def test_a_recorded_payment_is_not_deleted(visitor: Visitor, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")
    page = visitor.send(_open(visitor, api, invoice), "/pay", record="on")
    [payment] = api.ok("GET", f"invoices/{invoice['id']}/payments")["items"]

    refused = visitor.send(page, f"/payments/{payment['id']}", action="delete")

    assert refused.status == 409
    assert len(api.sandbox.books(api.company_id)["payments"]) == 1


def test_a_bad_debt_is_booked_and_closes_the_invoice(visitor: Visitor, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")

    visitor.send(
        _open(visitor, api, invoice), "/settle", type="badDebt", amount="1250", record="on"
    )

    assert _invoice(api, invoice)["status"] == "paid"
    assert api.balance(1510) == 0
    assert api.balance(6351) == Decimal(1250)


def test_a_balance_adjustment_closes_the_invoice_and_is_never_booked(visitor: Visitor, api: Api):
    invoice = api.published()

    visitor.send(
        _open(visitor, api, invoice),
        "/settle",
        type="balanceAdjustment",
        amount="1250",
        record="on",
    )

    assert _invoice(api, invoice)["status"] == "paid"
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


def test_a_service_fee_needs_its_vat(visitor: Visitor, api: Api):
    invoice = api.published()

    page = visitor.send(
        _open(visitor, api, invoice), "/settle", type="paymentServiceFee", amount="10"
    )

    assert page.status == 422
    assert "Say where the payment service is." in page.text


def test_a_settlement_is_recorded_after_the_fact(visitor: Visitor, api: Api):
    invoice = api.published()
    api.ok("POST", f"invoices/{invoice['id']}/record")
    page = visitor.send(
        _open(visitor, api, invoice), "/settle", type="bankFee", amount="15.50", record=None
    )
    [settlement] = api.ok("GET", f"invoices/{invoice['id']}/settlements")["items"]

    visitor.send(page, f"/settlements/{settlement['id']}", action="record")

    assert api.balance(6570) == Decimal("15.50")


def test_an_invoice_is_credited_in_part(visitor: Visitor, api: Api):
    invoice = api.published(line(quantity=4))
    api.ok("POST", f"invoices/{invoice['id']}/record")
    page = visitor.send_to(_open(visitor, api, invoice), "/act", "/credit")
    line_id = str(invoice["lineItems"][0]["id"])
    page = visitor.send(page, "/change", **{line_id: "1"})
    page = visitor.send(page, "/act", action="publish")
    visitor.send(page, "/act", action="record")

    [found] = api.ok("GET", "credit-notes")["items"]
    assert (found["status"], found["totalAmount"]) == ("published", 1250)
    assert api.balance(1510) == Decimal(3750)


def test_more_than_is_left_is_not_credited(visitor: Visitor, api: Api):
    invoice = api.published(line(quantity=4))
    page = visitor.send_to(_open(visitor, api, invoice), "/act", "/credit")
    line_id = str(invoice["lineItems"][0]["id"])

    page = visitor.send(page, "/change", **{line_id: "5"})

    assert page.status == 422
    assert 'value="5"' in page.text
    [found] = api.ok("GET", "credit-notes")["items"]
    assert found["lineItems"][0]["quantity"] == 4


def test_a_draft_is_changed_behind_the_applications_back(visitor: Visitor, api: Api):
    draft = api.draft(line(description="Before"), line(description="Stays"))
    page = visitor.get(f"/companies/{api.company_id}/invoices/{draft['id']}/edit")

    page = visitor.send(
        page,
        "",
        due_date="2024-12-24",
        **{"lines-0-description": "After", "lines-0-price": "1 250,50", "lines-0-quantity": "2"},
    )

    assert page.status == 200
    changed = _invoice(api, draft)
    assert changed["dueDate"] == "2024-12-24"
    first, second = changed["lineItems"]
    assert (first["description"], first["unitPrice"], first["quantity"]) == ("After", 1250.5, 2)
    assert [first["id"], second["id"]] == [each["id"] for each in draft["lineItems"]]
    assert second == draft["lineItems"][1]
    assert changed["totalAmount"] == 4376.25


def test_a_draft_keeps_its_exact_prices_when_something_else_is_changed(visitor: Visitor, api: Api):
    draft = api.draft(line(unitPrice=0.12345, quantity=1000.125))
    page = visitor.get(f"/companies/{api.company_id}/invoices/{draft['id']}/edit")

    page = visitor.send(page, "", due_date="2024-12-24")

    assert page.status == 200
    changed = _invoice(api, draft)
    assert changed["dueDate"] == "2024-12-24"
    assert changed["lineItems"] == draft["lineItems"]
    assert changed["totalAmount"] == draft["totalAmount"]


def test_a_line_with_an_emptied_description_is_taken_away(visitor: Visitor, api: Api):
    draft = api.draft(line(description="Goes"), line(description="Stays"))
    page = visitor.get(f"/companies/{api.company_id}/invoices/{draft['id']}/edit")

    visitor.send(page, "", **{"lines-0-description": "", "lines-0-price": ""})

    assert [each["description"] for each in _invoice(api, draft)["lineItems"]] == ["Stays"]


def test_a_draft_that_was_published_meanwhile_is_not_changed(visitor: Visitor, api: Api):
    draft = api.draft()
    page = visitor.get(f"/companies/{api.company_id}/invoices/{draft['id']}/edit")
    api.ok("POST", f"invoices/{draft['id']}/publish")

    page = visitor.send(page, "", **{"lines-0-description": "Too late"})

    assert page.status == 409
    assert 'value="Too late"' in page.text
    assert _invoice(api, draft)["lineItems"][0]["description"] == "Konsulttimmar"


def test_a_draft_that_makes_no_sense_is_refused_field_by_field(visitor: Visitor, api: Api):
    page = visitor.get(f"/companies/{api.company_id}/invoices/new")

    page = visitor.send(
        page,
        "",
        invoice_date="2024-10-10",
        due_date="2024-10-01",
        **{"lines-0-description": "No price", "lines-1-price": "10"},
    )

    assert page.status == 422
    assert "The due date is before the invoice date." in page.text
    assert "Give the price of one, without VAT." in page.text
    assert "A line with a price needs a description." in page.text
    assert api.sandbox.books(api.company_id)["invoices"] == []


def test_a_person_writes_an_invoice_that_no_application_made(visitor: Visitor, api: Api):
    api.customer(name="Solrosen AB")
    page = visitor.get(f"/companies/{api.company_id}/invoices/new")
    customer = page.text.split(">Solrosen AB<")[0].rsplit('value="', 1)[1].split('"')[0]

    page = visitor.send(
        page,
        "",
        customer=customer,
        **{
            "lines-0-description": "Målning",
            "lines-0-quantity": "1,5",
            "lines-0-price": "800",
            "lines-1-description": "Tack!",
            "lines-1-sold": "",
        },
    )
    visitor.send(page, "/act", action="publish")

    [invoice] = api.ok("GET", "invoices")["items"]
    assert (invoice["status"], invoice["totalAmount"]) == ("published", 1500)
    assert [each["itemType"] for each in invoice["lineItems"]] == [
        "salesItem",
        "descriptionOnlyItem",
    ]
    ids = [each["id"] for each in invoice["lineItems"]]
    assert len(set(ids)) == 2


def test_an_act_needs_the_form_of_the_page(visitor: Visitor, api: Api):
    draft = api.draft()

    page = visitor.post(f"/companies/{api.company_id}/invoices/{draft['id']}/act", action="publish")

    assert page.status == 403
    assert _invoice(api, draft)["status"] == "draft"


def test_an_unknown_act_is_no_page(visitor: Visitor, api: Api):
    page = _open(visitor, api, api.draft())

    assert visitor.send(page, "/act", action="burn").status == 404


def test_the_documents_of_an_invoice_are_downloads(visitor: Visitor, api: Api):
    invoice = api.published()

    page = visitor.get(f"/companies/{api.company_id}/invoices/{invoice['id']}/pdf")

    assert page.content.startswith(b"%PDF-")
    assert page.headers["Content-Disposition"] == 'attachment; filename="faktura-1001.pdf"'
