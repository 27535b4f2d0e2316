"""Credit notes: what is left to credit, what a note does to its invoice, and what it books."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line

BILLS = (1510, 2611, 2631, 3002, 3011, 3013, 3740)


def credit(api: Api, invoice: Any) -> Any:
    return api.ok("POST", f"invoices/{invoice['id']}/credit")


def change(api: Api, note: Any, lines: list[dict[str, Any]], **changes: object) -> Any:
    return api.ok("PUT", f"credit-notes/{note['id']}", note | {"lineItems": lines} | changes)


def publish(api: Api, note: Any) -> Any:
    return api.ok("POST", f"credit-notes/{note['id']}/publish")


def balances(api: Api) -> dict[int, Decimal]:
    return {account: balance for account in BILLS if (balance := api.balance(account))}


def outstanding(api: Api) -> Decimal:
    invoice = api.sandbox.books(api.company_id)["invoices"][0]
    return Decimal(invoice["outstanding"])


def test_a_note_is_drafted_over_the_whole_invoice(api: Api):
    address = {"line1": "Kaj 2", "city": "Ystad", "postalCode": "271 39", "country": "SE"}
    text = {"description": "Tack!", "itemType": "descriptionOnlyItem"}
    invoice = api.published(
        line(quantity=4),
        text,
        orderNumberReference="O-1",
        metadata={"ref": "a"},
        deliveryAddress=address,
    )

    note = credit(api, invoice)

    assert (note["status"], note["invoiceNumber"], note["journalEntryRef"]) == ("draft", None, None)
    assert note["invoiceRef"] == {"id": invoice["id"], "invoiceNumber": invoice["invoiceNumber"]}
    same = ("lineItems", "customerRef", "totalAmount", "totalTax", "currency", "metadata")
    assert {key: note[key] for key in same} == {key: invoice[key] for key in same}
    assert (note["orderNumberReference"], note["deliveryAddress"]["city"]) == ("O-1", "Ystad")
    assert note["billingAddress"] == invoice["billingAddress"]
    assert api.ok("GET", f"credit-notes/{note['id']}") == note
    changed = api.ok("GET", f"invoices/{invoice['id']}")
    assert changed == invoice | {"creditNoteRefs": [{"id": note["id"]}]}


def test_publishing_gives_a_number_of_the_invoices_and_credits_them(api: Api):
    invoice = api.published()
    note = credit(api, invoice)
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "overdue"

    published = publish(api, note)

    assert published["status"] == "published"
    assert int(published["invoiceNumber"]) == int(invoice["invoiceNumber"]) + 1
    assert published["publishedDateTime"]
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "credited"
    assert outstanding(api) == 0
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


def test_recording_writes_the_opposite_of_the_invoices_entry(api: Api):
    invoice = api.published(
        line(quantity=3, unitPrice=333.33),
        line(taxRate=6, unitPrice=99.99),
        line(taxRate=12, productType="goods", unitPrice=49.5, bookkeepingAccountNumber=3730),
    )
    api.ok("POST", f"invoices/{invoice['id']}/record")
    note = publish(api, credit(api, invoice))

    recorded = api.ok("POST", f"credit-notes/{note['id']}/record")

    entries = api.sandbox.books(api.company_id)["journalEntries"]
    sale, taken = ({i["account"]: i["debit"] - i["credit"] for i in e["items"]} for e in entries)
    assert {account: -amount for account, amount in taken.items()} == sale
    assert entries[1]["id"] == recorded["journalEntryRef"]["id"]
    assert entries[1]["date"] == note["creditDate"]
    refusal = api.refused("POST", f"credit-notes/{note['id']}/record", status=400)
    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)


def test_a_part_of_the_quantity_can_be_credited_and_then_the_rest(api: Api):
    invoice = api.published(line(quantity=4), line(taxRate=6, unitPrice=100))
    first, second = invoice["lineItems"]
    api.ok("POST", f"invoices/{invoice['id']}/record")
    note = change(
        api, credit(api, invoice), [first | {"quantity": 3, "description": "Tre av fyra"}]
    )
    assert (note["totalAmount"], note["totalTax"]) == (3750, 750)
    publish(api, note)
    api.ok("POST", f"credit-notes/{note['id']}/record")
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "overdue"
    assert outstanding(api) == 1250 + 106
    assert balances(api) == {1510: 1356, 3011: -1000, 2611: -250, 3013: -100, 2631: -6}

    rest = credit(api, invoice)

    assert [row["quantity"] for row in rest["lineItems"]] == [1, 1]
    assert [row["id"] for row in rest["lineItems"]] == [first["id"], second["id"]]
    publish(api, rest)
    api.ok("POST", f"credit-notes/{rest['id']}/record")
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "credited"
    assert outstanding(api) == 0
    assert balances(api) == {}
    refusal = api.refused("POST", f"invoices/{invoice['id']}/credit", status=400)
    assert refusal["code"] == "operation-not-allowed"


def test_a_note_takes_back_what_was_booked_though_the_customer_has_changed(api: Api):
    abroad = {"line1": "Kai 3", "city": "Hamburg", "postalCode": "20095", "country": "DE"}
    customer = api.customer(vatNumber="DE136695976", address=abroad)
    invoice = api.published(line(taxRate=0), customerRef={"id": customer})
    api.ok("POST", f"invoices/{invoice['id']}/record")
    api.ok("PUT", f"customers/{customer}", {"name": "Ohne", "type": "private"})

    note = publish(api, credit(api, invoice))
    api.ok("POST", f"credit-notes/{note['id']}/record")

    assert api.entries() == [{1510: 1000, 3308: -1000}, {3308: 1000, 1510: -1000}]
    assert note["lineItems"] == invoice["lineItems"]


def test_parts_add_up_to_the_invoice_whatever_each_is_rounded_to(api: Api):
    invoice = api.published(
        line(quantity=3, unitPrice=33.37),
        currency="EUR",
        currencyRate=11.4567,
        totalRoundingEnabled=False,
    )
    api.ok("POST", f"invoices/{invoice['id']}/record")

    for _ in range(3):
        lines = [invoice["lineItems"][0] | {"quantity": 1}]
        note = publish(api, change(api, credit(api, invoice), lines))
        api.ok("POST", f"credit-notes/{note['id']}/record")

    assert outstanding(api) == 0
    assert balances(api) == {}
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "credited"
    assert note["totalTax"] == Decimal("8.35")  # 25.03 on the invoice, 8.34 on each other part


def test_a_note_of_part_of_the_price_lowers_what_is_open(api: Api):
    invoice = api.published(line(quantity=2))
    lines = [invoice["lineItems"][0] | {"unitPrice": 100}]

    note = publish(api, change(api, credit(api, invoice), lines))

    assert note["totalAmount"] == 250
    assert outstanding(api) == 2250


@pytest.mark.parametrize(
    "changed, pointer",
    [
        ({"quantity": 5}, "#/lineItems/0/quantity"),
        ({"quantity": 0}, "#/lineItems/0/quantity"),
        ({"quantity": -1}, "#/lineItems/0/quantity"),
        ({"quantity": None}, "#/lineItems/0/quantity"),
        ({"unitPrice": 1000.01}, "#/lineItems/0/unitPrice"),
        ({"unitPrice": -1}, "#/lineItems/0/unitPrice"),
        ({"taxRate": 12}, "#/lineItems/0/taxRate"),
        ({"id": 1}, "#/lineItems/0/id"),
        ({"id": None}, "#/lineItems/0/id"),
        ({"itemType": "descriptionOnlyItem"}, "#/lineItems/0/itemType"),
        ({"description": ""}, "#/lineItems/0/description"),
    ],
)
def test_a_line_credits_no_more_than_is_left_of_the_invoices_line(
    api: Api, changed: dict[str, object], pointer: str
):
    note = credit(api, api.published(line(quantity=4)))
    body = note | {"lineItems": [note["lineItems"][0] | changed]}

    assert api.pointers("PUT", f"credit-notes/{note['id']}", body) == [pointer]
    assert api.ok("GET", f"credit-notes/{note['id']}") == note


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"id": str(uuid.uuid4())}, ["#/id"]),
        ({"currency": "EUR"}, ["#/currency"]),
        ({"currencyRate": 2}, ["#/currencyRate"]),
        ({"creditDate": None, "dueDate": None}, ["#/creditDate", "#/dueDate"]),
        ({"creditDate": "2024-10-11", "dueDate": "2024-10-10"}, ["#/dueDate"]),
        ({"lineItems": []}, ["#/lineItems"]),
        ({"metadata": {"1": "a"}}, ["#/metadata/1"]),
    ],
)
def test_a_bad_note_is_refused_with_its_fields(
    api: Api, changes: dict[str, object], pointers: list[str]
):
    note = credit(api, api.published())

    assert api.pointers("PUT", f"credit-notes/{note['id']}", note | changes) == pointers


def test_the_same_line_is_credited_once_in_a_note(api: Api):
    note = credit(api, api.published(line(quantity=4)))
    half = note["lineItems"][0] | {"quantity": 2}

    body = note | {"lineItems": [half, half]}

    assert api.pointers("PUT", f"credit-notes/{note['id']}", body) == ["#/lineItems/1/id"]


def test_a_discount_alone_is_not_taken_back(api: Api):
    """Crediting a discount would raise what is owed; crediting all but it, more than was owed."""
    discount = line(unitPrice=-500, bookkeepingAccountNumber=3730)
    note = credit(api, api.published(line(), discount))
    sold, reduced = note["lineItems"]

    for lines in ([reduced], [sold]):
        body = note | {"lineItems": lines}
        assert api.pointers("PUT", f"credit-notes/{note['id']}", body) == ["#/lineItems"]


def test_of_two_drafts_over_the_same_lines_only_one_is_published(api: Api):
    invoice = api.published()
    first, second = credit(api, invoice), credit(api, invoice)
    refs = api.ok("GET", f"invoices/{invoice['id']}")["creditNoteRefs"]
    assert refs == [{"id": first["id"]}, {"id": second["id"]}]
    publish(api, second)

    refusal = api.refused("POST", f"credit-notes/{first['id']}/publish", status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert outstanding(api) == 0
    api.ok("DELETE", f"credit-notes/{first['id']}")
    refs = api.ok("GET", f"invoices/{invoice['id']}")["creditNoteRefs"]
    assert refs == [{"id": second["id"]}]


def test_only_a_published_invoice_is_credited(api: Api):
    draft = api.draft()

    refusal = api.refused("POST", f"invoices/{draft['id']}/credit", status=400)

    assert refusal["code"] == "operation-not-allowed"
    assert api.call("POST", f"invoices/{uuid.uuid4()}/credit").status == 404
    assert api.ok("GET", "credit-notes")["totalItems"] == 0


def test_only_a_draft_can_be_changed_published_and_deleted(api: Api):
    note = publish(api, credit(api, api.published()))
    path = f"credit-notes/{note['id']}"

    for method, where in (("PUT", path), ("DELETE", path), ("POST", f"{path}/publish")):
        refusal = api.refused(method, where, note, status=400)
        assert refusal["code"] == "operation-not-allowed"
    assert api.ok("GET", path) == note


def test_only_a_published_note_is_recorded_and_downloaded(api: Api):
    note = credit(api, api.published())
    path = f"credit-notes/{note['id']}"

    refusal = api.refused("POST", f"{path}/record", status=400)
    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert api.refused("GET", f"{path}/download", status=400)["code"] == "operation-not-allowed"
    publish(api, note)

    reply = api.call("GET", f"{path}/download")
    assert reply.headers["Content-Type"] == "application/pdf"
    assert b"Kreditfaktura" in reply.body
    api.ok("POST", f"{path}/record")


def test_a_closed_fiscal_year_takes_no_credit_note(api: Api):
    note = credit(api, api.published())
    note = change(api, note, note["lineItems"], creditDate="2024-10-12", dueDate="2024-10-12")
    publish(api, note)
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    assert api.call("POST", f"credit-notes/{note['id']}/record").status == 400
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


def test_with_automatic_recording_a_note_is_recorded_as_it_is_published(api: Api):
    api.sandbox.change_company(api.company_id, automaticRecording=True)

    note = publish(api, credit(api, api.published()))

    assert note["journalEntryRef"]
    assert api.call("POST", f"credit-notes/{note['id']}/record").status == 400
    assert balances(api) == {}


def test_what_a_credit_leaves_can_be_paid(api: Api):
    invoice = api.published(line(quantity=2))
    lines = [invoice["lineItems"][0] | {"quantity": 1}]
    publish(api, change(api, credit(api, invoice), lines))
    payment = {"date": "2024-10-12", "sumBaseCurrency": 1250, "bookkeepingAccountNumber": 1930}

    api.ok("POST", f"invoices/{invoice['id']}/payments", payment)

    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "paid"
    assert outstanding(api) == 0


@pytest.mark.parametrize(
    "query, found",
    [
        ("status==draft", [1]),
        ("status==published", [0]),
        ("metadata.ref==a", [0]),
        ("metadata.contains~b", [1]),
        ("metadata.ref!=a", [1]),
        ("totalAmount>1250", [1]),
        ("projectReference==P", [0]),
        ("currency==SEK&&dueDate>=2024-01-01", [0, 1]),
        ("type==invoice", [0, 1]),
    ],
)
def test_credit_notes_are_found_by_their_properties(api: Api, query: str, found: list[int]):
    first = api.published(metadata={"ref": "a"}, projectReference="P")
    second = api.published(line(quantity=2), metadata={"contains": "abc"})
    notes = [publish(api, credit(api, first)), credit(api, second)]

    listed = api.ok("GET", f"credit-notes?query={query.replace('&', '%26')}")["items"]

    assert [note["id"] for note in listed] == [notes[place]["id"] for place in found]


def test_credit_notes_are_found_by_their_customer(api: Api):
    customer = api.customer()
    note = credit(api, api.published(customerRef={"id": customer}))
    credit(api, api.published())

    listed = api.ok("GET", f"credit-notes?query=customerRef=={customer}")["items"]

    assert listed == [note]


def test_a_page_of_credit_notes_holds_twenty(api: Api):
    invoice = api.published(line(quantity=30))
    for _ in range(21):
        credit(api, invoice)

    page = api.ok("GET", "credit-notes")

    assert (len(page["items"]), page["totalItems"], page["totalPages"]) == (20, 21, 2)


def test_published_notes_are_among_the_invoices_as_the_switch_says(api: Api):
    invoice = api.published(metadata={"ref": "a"})
    credit(api, invoice)
    note = publish(api, credit(api, invoice))

    listed = api.ok("GET", "invoices?pageSize=1&page=2")
    assert [row["id"] for row in listed["items"]] == [note["id"]]
    assert (listed["totalItems"], listed["totalPages"]) == (2, 2)
    row = api.ok("GET", "invoices?query=status==credit%26%26metadata.ref==a")["items"][0]
    assert (row["invoiceNumber"], row["totalAmount"]) == (note["invoiceNumber"], 1250)
    api.sandbox.set_switches(credit_notes_among_invoices=False)
    assert [row["id"] for row in api.ok("GET", "invoices")["items"]] == [invoice["id"]]


def test_a_note_that_does_not_exist_is_not_found(api: Api):
    for path in (f"credit-notes/{uuid.uuid4()}", "credit-notes/x"):
        assert api.call("GET", path).status == 404
        assert api.call("PUT", path, {}).status == 404
        assert api.call("DELETE", path).status == 404
        for step in ("publish", "record"):
            assert api.call("POST", f"{path}/{step}").status == 404
        assert api.call("GET", f"{path}/download").status == 404
