"""The rules of Bokio: what is refused, with which pointers, and what stays as it was."""

from decimal import Decimal

import pytest

from tests.sandbox.conftest import Api, line


def test_every_field_error_of_an_invoice_comes_at_once(api: Api):
    bad = line(taxRate=24, description="  ", quantity="two")

    pointers = api.pointers(
        "POST", "invoices", {"lineItems": [line(), bad], "dueDate": "2024-02-30"}
    )

    assert sorted(pointers) == [
        "#/dueDate",
        "#/invoiceDate",
        "#/lineItems/1/description",
        "#/lineItems/1/quantity",
        "#/lineItems/1/taxRate",
    ]
    assert api.sandbox.books(api.company_id)["invoices"] == []


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


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": NaN}'])
def test_a_body_that_is_no_json_object_is_refused(api: Api, body: bytes):
    path = f"/v1/companies/{api.company_id}/customers"

    reply = api.sandbox.request("POST", path, token=api.token, body=body)

    assert (reply.status, reply.json["errors"][0]["field"]) == (400, "#")


def test_unknown_fields_are_ignored_but_counted(api: Api):
    api.customer(favouriteColour="blue")

    assert api.sandbox.calls()["unknownFields"] == {"#/favouriteColour": 1}


@pytest.mark.parametrize("account", [3011, 9999])
def test_an_account_must_exist_and_differ_from_the_automatic_one(api: Api, account: int):
    body = {"invoiceDate": "2024-10-10", "lineItems": [line(bookkeepingAccountNumber=account)]}

    assert api.pointers("POST", "invoices", body) == ["#/lineItems/0/bookkeepingAccountNumber"]


def test_vat_is_rounded_half_up_once_per_rate(api: Api):
    lines = [line(unitPrice=0.1, taxRate=25), line(unitPrice=0.1, taxRate=25)]
    lines.append(line(quantity=3, unitPrice=0.335, taxRate=12))

    draft = api.draft(*lines)

    assert draft["totalTax"] == Decimal("0.17")  # 25 % of 0.20, and 12 % of 1.01
    assert draft["totalAmount"] == Decimal("1.38")


def test_only_a_draft_can_be_changed_and_deleted(api: Api):
    invoice = api.published()
    path = f"invoices/{invoice['id']}"
    body = {"invoiceDate": "2024-10-10", "lineItems": [line()]}

    for method, where, sent in (
        ("PUT", path, body),
        ("DELETE", path, None),
        ("POST", f"{path}/line-items", line()),
        ("POST", f"{path}/publish", None),
    ):
        refusal = api.refused(method, where, sent, status=400)
        assert refusal["code"] == "operation-not-allowed"
    assert api.ok("GET", path) == invoice


def test_a_draft_can_be_replaced_keeping_line_ids_and_deleted(api: Api):
    draft = api.draft(metadata={"ref": "a"})
    path = f"invoices/{draft['id']}"
    kept = draft["lineItems"][0]["id"]

    changed = api.ok(
        "PUT",
        path,
        {
            "invoiceDate": "2024-10-11",
            "lineItems": [line(id=kept, unitPrice=2000), line()],
            "metadata": {"ref": "b"},
        },
    )

    assert [row["id"] == kept for row in changed["lineItems"]] == [True, False]
    assert changed["totalAmount"] == 3750
    assert api.ok("GET", "invoices?query=metadata.ref==a")["totalItems"] == 0
    assert api.ok("GET", "invoices?query=metadata.ref==b")["totalItems"] == 1
    api.ok("DELETE", path)
    assert api.call("GET", path).status == 404


def test_publishing_needs_a_customer_with_an_address(api: Api):
    nobody = api.ok("POST", "invoices", {"invoiceDate": "2024-10-10", "lineItems": [line()]})
    homeless = api.draft(customerRef={"id": api.customer(address=None)})

    for draft in (nobody, homeless):
        refusal = api.refused("POST", f"invoices/{draft['id']}/publish", status=400)
        assert "errors" not in refusal


def test_a_draft_takes_no_payment_and_is_not_recorded(api: Api):
    path = f"invoices/{api.draft()['id']}"
    payment = {"date": "2024-10-12", "sumBaseCurrency": 1, "bookkeepingAccountNumber": 1930}

    assert api.call("POST", f"{path}/payments", payment).status == 400
    assert api.call("POST", f"{path}/record").status == 400
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


@pytest.mark.parametrize(
    "change, pointer",
    [
        ({"sumBaseCurrency": 0}, "#/sumBaseCurrency"),
        ({"sumBaseCurrency": 1.005}, "#/sumBaseCurrency"),
        ({"bookkeepingAccountNumber": 3001}, "#/bookkeepingAccountNumber"),
        ({"bookkeepingAccountNumber": None}, "#/bookkeepingAccountNumber"),
        ({"date": "yesterday"}, "#/date"),
    ],
)
def test_a_bad_payment_is_refused_with_its_field(api: Api, change: dict[str, object], pointer: str):
    invoice = api.published()
    body = {"date": "2024-10-12", "sumBaseCurrency": 5, "bookkeepingAccountNumber": 1930}

    assert api.pointers("POST", f"invoices/{invoice['id']}/payments", body | change) == [pointer]


def _pay(api: Api, path: str, amount: float) -> None:
    body = {"date": "2024-10-12", "sumBaseCurrency": amount, "bookkeepingAccountNumber": 1930}
    api.ok("POST", f"{path}/payments", body)


def test_the_status_follows_payments_and_the_calendar(api: Api):
    today = api.sandbox.control("GET", "clock")["today"]
    invoice = api.published(invoiceDate=today, dueDate=today)
    path = f"invoices/{invoice['id']}"

    def status() -> str:
        found = api.ok("GET", path)["status"]
        listed = api.ok("GET", f"invoices?query=status=={found}")
        assert [row["id"] for row in listed["items"]] == [invoice["id"]]
        return str(found)

    assert status() == "published"
    _pay(api, path, 250)
    assert status() == "underPaid"
    api.sandbox.move_clock(2 * 86400)
    api.token = api.sandbox.tokens_for(api.company_id).access_token
    assert status() == "overdue"
    _pay(api, path, 1000)
    assert status() == "paid"
    _pay(api, path, 1)
    assert status() == "overPaid"


def test_a_closed_fiscal_year_takes_no_entries(api: Api):
    path = f"invoices/{api.published()['id']}"
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    refusal = api.refused("POST", f"{path}/record", status=400)

    assert refusal["code"] == "validation-error"
    assert "errors" not in refusal
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


def test_a_date_outside_every_fiscal_year_takes_no_entries(api: Api):
    path = f"invoices/{api.published(invoiceDate='2019-05-05', dueDate='2019-06-05')['id']}"

    assert api.call("POST", f"{path}/record").status == 400


def test_under_the_cash_method_sales_and_vat_come_with_the_payment(api: Api):
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"method": "cash"}})
    path = f"invoices/{api.published()['id']}"
    assert api.call("POST", f"{path}/record").status == 400
    _pay(api, path, 625)
    payment = api.ok("GET", f"{path}/payments")["items"][0]

    api.ok("POST", f"{path}/payments/{payment['id']}/record")

    assert [api.balance(account) for account in (1930, 3011, 2611, 1510)] == [625, -500, -125, 0]


def test_with_automatic_recording_our_own_record_call_is_refused(api: Api):
    api.sandbox.change_company(api.company_id, automaticRecording=True)
    invoice = api.published()

    assert invoice["journalEntryRef"]
    assert api.call("POST", f"invoices/{invoice['id']}/record").status == 400
    assert api.balance(1510) == 1250


@pytest.mark.parametrize(
    "kind, amount, scheme, accounts",
    [
        ("currency", 20, None, {7960: 20, 1510: -20}),
        ("currency", -20, None, {3960: -20, 1510: 20}),
        ("paymentServiceFee", 20, "eu", {1510: -20, 2645: 5, 2614: -5}),
        ("paymentServiceFee", 20, "domestic", {1510: -20}),
    ],
)
def test_settlements_are_recorded_by_their_type(
    api: Api, kind: str, amount: int, scheme: str | None, accounts: dict[int, int]
):
    path = f"invoices/{api.published()['id']}"
    details = {"date": "2024-10-12", "sumBaseCurrency": amount}
    if scheme:
        details["vatScheme"] = scheme
    body = {"type": kind, "invoiceSettlementDetails": details}
    settlement = api.ok("POST", f"{path}/settlements", body)

    api.ok("POST", f"{path}/settlements/{settlement['id']}/record")

    assert {account: api.balance(account) for account in accounts} == accounts
    balances = api.sandbox.books(api.company_id)["balances"]
    assert sum(Decimal(balance) for balance in balances.values()) == 0


@pytest.mark.parametrize(
    "kind, details, pointer",
    [
        ("bankFee", {"date": "2024-10-12", "sumBaseCurrency": -5}, "sumBaseCurrency"),
        ("paymentServiceFee", {"date": "2024-10-12", "sumBaseCurrency": 5}, "vatScheme"),
        ("bankFee", {"sumBaseCurrency": 5}, "date"),
    ],
)
def test_a_bad_settlement_is_refused_with_its_field(
    api: Api, kind: str, details: dict[str, object], pointer: str
):
    path = f"invoices/{api.published()['id']}/settlements"
    body = {"type": kind, "invoiceSettlementDetails": details}

    assert api.pointers("POST", path, body) == [f"#/invoiceSettlementDetails/{pointer}"]


def test_a_payment_can_be_deleted_until_it_is_recorded(api: Api):
    path = f"invoices/{api.published()['id']}"
    _pay(api, path, 1250)
    payment = f"{path}/payments/{api.ok('GET', f'{path}/payments')['items'][0]['id']}"
    api.ok("POST", f"{payment}/record")
    assert api.refused("DELETE", payment, status=400)["code"] == "operation-not-allowed"
    _pay(api, path, 10)
    second = f"{path}/payments/{api.ok('GET', f'{path}/payments')['items'][1]['id']}"

    api.ok("DELETE", second)

    assert api.call("GET", second).status == 404
    assert api.ok("GET", path)["status"] == "paid"


@pytest.mark.parametrize(
    "country, changes, sold, account",
    [
        ("SE", {}, {"taxRate": 25}, 3011),
        ("SE", {}, {"taxRate": 12, "productType": "goods"}, 3002),
        ("DE", {"vatNumber": "DE123456789"}, {"taxRate": 0}, 3308),
        ("DE", {"vatNumber": "DE123456789"}, {"taxRate": 0, "productType": "goods"}, 3108),
        ("NO", {}, {"taxRate": 0}, 3305),
        ("US", {}, {"taxRate": 0, "productType": "goods"}, 3105),
        ("FI", {"type": "private"}, {"taxRate": 25, "productType": "goods"}, 3106),
        ("FI", {"type": "private"}, {"taxRate": 6}, 3013),
    ],
)
def test_the_sales_account_follows_customer_rate_and_product(
    api: Api, country: str, changes: dict[str, object], sold: dict[str, object], account: int
):
    address = {"line1": "A 1", "city": "B", "postalCode": "1", "country": country}
    customer = api.customer(address=address, **changes)
    invoice = api.published(line(**sold), customerRef={"id": customer})

    api.ok("POST", f"invoices/{invoice['id']}/record")

    assert api.balance(account) == -1000


def test_the_plan_of_the_company_can_close_the_api(api: Api):
    api.sandbox.change_company(api.company_id, plan="basic")

    reply = api.call("GET", "company-information")

    assert (reply.status, reply.json["error"]) == (403, "price_plan_feature_required")


def test_a_published_invoice_can_be_downloaded_as_a_pdf(api: Api):
    draft = api.draft()
    assert api.call("GET", f"invoices/{draft['id']}/download").status == 400
    api.ok("POST", f"invoices/{draft['id']}/publish")

    reply = api.call("GET", f"invoices/{draft['id']}/download")

    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.body.startswith(b"%PDF-1.4")


def test_what_a_person_does_in_bokio_is_seen_by_the_application(api: Api):
    draft = api.draft()
    api.sandbox.act_on_invoice(api.company_id, draft["id"], "publish")
    api.sandbox.pay_invoice(api.company_id, draft["id"], "1250.00", date="2024-10-20")

    assert api.ok("GET", f"invoices/{draft['id']}")["status"] == "paid"
