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
    "body", [b"", b"{", b"[]", b'{"name": NaN}', b'{"name": 1e99999999999999999999}']
)
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


def test_the_title_of_an_entry_is_cut_where_a_name_makes_it_too_long(api: Api):
    customer = {"id": api.customer(name="Å" * 200)}
    path = f"invoices/{api.published(customerRef=customer)['id']}"

    entry = api.ok("POST", f"{path}/record")["journalEntryRef"]["id"]

    title = api.ok("GET", f"journal-entries/{entry}")["title"]
    assert (len(title), title[:11]) == (200, "Kundfaktura")


def test_a_date_outside_every_fiscal_year_takes_no_entries(api: Api):
    path = f"invoices/{api.published(invoiceDate='2019-05-05', dueDate='2019-06-05')['id']}"

    assert api.call("POST", f"{path}/record").status == 400


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


@pytest.mark.parametrize(
    "quantity, price", [(10**9, 10**9), (9999999999, 9999999999), (10**10, 1), (1, -(10**10))]
)
def test_amounts_beyond_all_use_are_refused(api: Api, quantity: int, price: int):
    body = {"invoiceDate": "2024-10-10", "lineItems": [line(quantity=quantity, unitPrice=price)]}

    assert all(
        pointer.startswith("#/lineItems") for pointer in api.pointers("POST", "invoices", body)
    )


def test_prices_and_quantities_are_as_exact_as_a_double(api: Api):
    draft = api.draft(line(quantity=0.30000000000000004, unitPrice=0.005))

    assert draft["lineItems"][0]["quantity"] == Decimal("0.30000000000000004")
    assert draft["totalAmount"] == 0


def test_an_invoice_of_less_than_nothing_is_not_published(api: Api):
    draft = api.draft(line(unitPrice=-10))

    refusal = api.refused("POST", f"invoices/{draft['id']}/publish", status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)


def test_whether_publishing_needs_an_account_for_the_payment_is_a_switch(api: Api):
    api.sandbox.change_company(api.company_id, paymentAccounts=[])
    path = f"invoices/{api.draft()['id']}/publish"
    assert api.call("POST", path).status == 400

    api.sandbox.set_switches(publish_needs_payment_account=False)

    assert api.ok("POST", path)["invoiceNumber"] == "1001"


def test_whether_publishing_needs_an_address_is_a_switch(api: Api):
    draft = api.draft(customerRef={"id": api.customer(address=None)})
    api.sandbox.set_switches(publish_needs_address=False)

    assert "billingAddress" not in api.ok("POST", f"invoices/{draft['id']}/publish")


@pytest.mark.parametrize("terms, due", [("10", "2024-10-20"), ("vid leverans", "2024-11-09")])
def test_the_due_date_follows_the_terms_of_the_customer_or_the_company(
    api: Api, terms: str, due: str
):
    customer = api.customer(paymentTerms=terms)

    draft = api.draft(customerRef={"id": customer}, dueDate=None)

    assert draft["dueDate"] == due


def test_what_was_paid_is_told_in_the_currency_of_the_invoice(api: Api):
    invoice = api.published(currency="EUR", currencyRate=11.5)
    path = f"invoices/{invoice['id']}"

    _pay(api, path, 1150)

    found = api.ok("GET", path)
    assert (found["totalAmount"], found["paidAmount"]) == (1250, 100)
    assert api.sandbox.books(api.company_id)["invoices"][0]["outstanding"] == "13225.00"


def test_whole_kronor_follow_the_company_unless_the_invoice_says_otherwise(api: Api):
    api.sandbox.change_company(api.company_id, wholeKronaRounding=True)

    rounded = api.draft(line(unitPrice=100.30))
    exact = api.draft(line(unitPrice=100.30), totalRoundingEnabled=False)

    assert (rounded["totalAmount"], exact["totalAmount"]) == (125, Decimal("125.38"))
    assert rounded["totalTax"] == exact["totalTax"] == Decimal("25.08")


def test_a_delivery_address_need_not_be_complete(api: Api):
    draft = api.draft(deliveryAddress={"line1": "Lastkajen", "city": "Kil"})

    shown = draft["deliveryAddress"]
    assert (shown["line1"], shown["city"], shown["line2"]) == ("Lastkajen", "Kil", None)


@pytest.mark.parametrize(
    "query, found",
    [
        ("type==invoice", 1),
        ("type==cashInvoice", 0),
        ("type!=cashInvoice", 1),
        ("projectId==6f8ad1b5-0b53-4d3a-8a4f-7b7d6f7b5a11", 0),
        ("projectId!=6f8ad1b5-0b53-4d3a-8a4f-7b7d6f7b5a11", 1),
        ("orderNumberReference==O-7", 1),
        ("buyerReference==O-7", 0),
    ],
)
def test_invoices_are_found_by_what_they_say(api: Api, query: str, found: int):
    api.draft(orderNumberReference="O-7")

    assert api.ok("GET", f"invoices?query={query}")["totalItems"] == found


@pytest.mark.parametrize(
    "metadata, pointer",
    [
        ({"1st": "a"}, "#/metadata/1st"),
        ({"a-b": "a"}, "#/metadata/a-b"),
        ({"k" * 26: "a"}, f"#/metadata/{'k' * 26}"),
        ({"k": "a" * 251}, "#/metadata/k"),
        ({"k": 5}, "#/metadata/k"),
        ({f"k{place}": "a" for place in range(11)}, "#/metadata"),
    ],
)
def test_metadata_keeps_to_its_limits(api: Api, metadata: dict[str, object], pointer: str):
    body = {"invoiceDate": "2024-10-10", "lineItems": [line()], "metadata": metadata}

    assert api.pointers("POST", "invoices", body) == [pointer]
