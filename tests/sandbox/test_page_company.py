"""What a person sets up and sees of a company on its pages, and who works there."""

import re
from decimal import Decimal

from tests.sandbox.conftest import Api, line
from tests.sandbox.others import BANK_SCOPES
from tests.sandbox.visitor import Page, Visitor
from tests.support.sandbox import SandboxProcess


def _settings(visitor: Visitor, api: Api, **changes: object) -> Page:
    page = visitor.get(f"/companies/{api.company_id}/settings")
    return visitor.send(page, "", **changes)


def test_automatic_bookkeeping_is_switched_on_by_hand(visitor: Visitor, api: Api):
    _settings(visitor, api, automatic_recording="on")

    invoice = api.published()

    assert invoice["journalEntryRef"]
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)


def test_rounding_is_switched_on_by_hand(visitor: Visitor, api: Api):
    _settings(visitor, api, whole_krona_rounding="on")

    assert api.draft(line(unitPrice=100.3))["totalAmount"] == 125


def test_a_lapsed_plan_refuses_every_call_until_it_is_renewed(visitor: Visitor, api: Api):
    page = visitor.get(f"/companies/{api.company_id}/settings")

    visitor.send(page, "/lapse")

    refusal = api.refused("GET", "invoices", status=403)
    assert refusal["error"] == "price_plan_feature_required"
    _settings(visitor, api, plan="business")
    assert api.call("GET", "invoices").status == 200


def test_settings_that_make_no_sense_are_refused(visitor: Visitor, api: Api):
    page = _settings(visitor, api, payment_days="-1", plan="business")

    assert page.status == 422
    assert "The settings are saved." not in page.text


def test_a_fiscal_year_is_closed_reopened_and_given_another_method(visitor: Visitor, api: Api):
    invoice = api.published()
    [year] = api.ok("GET", "fiscal-years?query=startDate==2024-01-01")["items"]
    page = visitor.get(f"/companies/{api.company_id}/years")

    page = visitor.send(page, f"/years/{year['id']}", action="close")
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)
    page = visitor.send(page, f"/years/{year['id']}", action="open")
    page = visitor.send(page, f"/years/{year['id']}", action="cash")
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)
    visitor.send(page, f"/years/{year['id']}", action="accrual")

    assert api.call("POST", f"invoices/{invoice['id']}/record").status == 200


def test_the_ledger_of_an_account_runs_on_over_its_pages(visitor: Visitor, api: Api):
    items = [
        {"account": 1930, "debit": 10.10, "credit": 0},
        {"account": 3001, "debit": 0, "credit": 10.10},
    ]
    for number in range(60):
        body = {"title": f"Entry {number}", "date": "2024-05-02", "items": items}
        api.ok("POST", "journal-entries", body)

    first = visitor.get(f"/companies/{api.company_id}/accounts/1930")
    second = visitor.get(f"/companies/{api.company_id}/accounts/1930?page=2")

    assert "505.00" in first.text
    assert "Brought forward" in second.text
    assert [amount in second.text for amount in ("505.00", "515.10", "606.00")] == [True] * 3
    balances = visitor.get(f"/companies/{api.company_id}/accounts").text
    assert "606.00" in balances
    assert re.search(r'<th scope="row">Sum</th><td class="num">0.00</td>', balances)


def test_invoices_are_found_by_state_number_and_customer(visitor: Visitor, api: Api):
    api.draft(customerRef={"id": api.customer(name="Björkbacken AB")})
    api.published(customerRef={"id": api.customer(name="Solrosen AB")})
    address = f"/companies/{api.company_id}/invoices"

    def found(query: str) -> set[str]:
        text = visitor.get(f"{address}?{query}").text
        return {name for name in ("Björkbacken AB", "Solrosen AB") if f"<td>{name}</td>" in text}

    assert found("") == {"Björkbacken AB", "Solrosen AB"}
    assert found("state=draft") == {"Björkbacken AB"}
    assert found("state=overdue") == found("q=1001") == found("q=solros") == {"Solrosen AB"}
    assert found("q=9999") == found("state=paid") == set()
    assert found("q=%00&page=nonsense&customer=99999999999999999999") == {
        "Björkbacken AB",
        "Solrosen AB",
    }


def test_the_books_of_a_company_where_one_does_not_work_are_no_page(visitor: Visitor, api: Api):
    page = visitor.get("/people")
    visitor.send(page, "", name="Siv Ek", email="siv@example.com", companies=None)

    visitor.sign_in("Siv Ek")

    assert visitor.get(f"/companies/{api.company_id}").status == 404
    assert visitor.get(f"/companies/{api.company_id}/entries").status == 404
    assert "You work at no company yet." in visitor.get("/").text


def test_a_bank_payment_is_signed_and_then_paid(visitor: Visitor, sandbox: SandboxProcess):
    company = sandbox.companies()[0]["id"]
    api = Api(sandbox, company, sandbox.tokens_for(company, BANK_SCOPES).access_token)
    body = {
        "amount": 1200,
        "paymentDate": sandbox.control("GET", "clock")["today"],
        "recipientRef": {
            "kind": "bankgiro",
            "recipientName": "Kvarnby AB",
            "bankgiroNumber": "5805-6201",
            "ocr": "8810425",
        },
    }
    first, second = (api.ok("POST", "bank-payments", body) for _ in range(2))
    address = f"/companies/{api.company_id}/bank-payments"
    page = visitor.get(address)

    visitor.send(page, first["id"], action="sign")
    visitor.send(page, second["id"], action="reject")

    def states() -> list[str]:
        rows = (api.ok("GET", f"bank-payments/{each['id']}") for each in (first, second))
        return [row["status"] for row in rows]

    assert states() == ["onTheWay", "rejected"]
    visitor.send(page, second["id"], action="sign")
    visitor.send(page, first["id"], action="paid")
    assert states() == ["paid", "rejected"]


def test_an_uploaded_document_is_handed_out_as_a_download(visitor: Visitor, api: Api):
    content = b"%PDF-1.4 <script>alert(1)</script>"
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="hyra.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n--x--\r\n"
    )
    reply = api.sandbox.request(
        "POST",
        f"/v1/companies/{api.company_id}/uploads",
        token=api.token,
        body=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    page = visitor.get(f"/companies/{api.company_id}/uploads/{reply.json['id']}")

    assert page.content == content
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_sum_on_the_page_is_the_one_of_the_books(visitor: Visitor, api: Api):
    for _ in range(3):
        api.published()

    page = visitor.get(f"/companies/{api.company_id}/invoices")

    invoices = api.sandbox.books(api.company_id)["invoices"]
    total = sum(Decimal(each["outstanding"]) for each in invoices)
    assert f"{total:,.2f}" in page.text


# Companies and people


def test_a_company_is_made_and_can_be_connected_at_once(visitor: Visitor, sandbox: SandboxProcess):
    page = visitor.get("/companies/new")

    page = visitor.send(page, "", name="Nyströms Kafé AB", org_number="5591234567", method="cash")

    [company] = [each for each in sandbox.companies() if each["name"] == "Nyströms Kafé AB"]
    assert page.address.endswith(f"/companies/{company['id']}")
    token = sandbox.tokens_for(company["id"]).access_token
    api = Api(sandbox, company["id"], token)
    assert api.published()["invoiceNumber"]
    years = api.ok("GET", "fiscal-years")["items"]
    assert {year["accountingMethod"] for year in years} == {"cash"}


def test_a_company_without_a_name_is_refused(visitor: Visitor, sandbox: SandboxProcess):
    before = len(sandbox.companies())

    page = visitor.send(visitor.get("/companies/new"), "", name=" ", org_number="55-1")

    assert page.status == 422
    assert 'value="55-1"' in page.text
    assert len(sandbox.companies()) == before


def test_who_works_where_is_changed(visitor: Visitor, api: Api):
    page = visitor.get("/people")
    oskar = next(address for address in re.findall(r'action="(/people/[0-9a-f-]+)"', page.text)[1:])

    visitor.send(page, oskar, companies=[])

    assert "Maja Lindqvist" in visitor.get("/people").text
    visitor.sign_in("Oskar Berglund")
    assert visitor.get(f"/companies/{api.company_id}").status == 404
