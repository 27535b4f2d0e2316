"""One good call of each operation of the sandbox; `test_sandbox_contract.py` makes them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract import consent
from tests.contract.world import CUSTOMER, DAY, ENTRY, ITEM, PAYMENT, SALE, SETTLEMENT, TEXT, World
from tests.support.sandbox import Reply

Good = Callable[[World], Reply]

GOOD: dict[str, Good] = {}
"""By operation id. The last call that a function makes is the one of the operation."""


def good(operation: str) -> Callable[[Good], Good]:
    def register(case: Good) -> Good:
        GOOD[operation] = case
        return case

    return register


def _call(operation: str, method: str, path: Callable[[World], str], body: Any = None) -> None:
    """A call that needs no more than its path names; `body` may be made from the world."""

    def case(world: World) -> Reply:
        target = path(world)
        return world.call(method, target, body(world) if callable(body) else body)

    GOOD[operation] = case


def at(path: str) -> Callable[[World], str]:
    return lambda _: path


def below(make: Callable[[World], str], rest: str) -> Callable[[World], str]:
    return lambda world: f"{make(world)}/{rest}"


def _parent(make: Callable[[World], str]) -> Callable[[World], str]:
    return lambda world: make(world).rsplit("/", 1)[0]


def invoice_body(world: World) -> dict[str, Any]:
    path = world.customer()
    contact = world.ok("GET", path)["contactsDetails"][0]["id"]
    return {
        "customerRef": {"id": path.removeprefix("customers/")},
        "contactDetailRef": {"id": contact},
        "invoiceDate": DAY,
        "lineItems": [SALE, TEXT],
        "deliveryAddress": CUSTOMER["address"],
        "metadata": {"op_key": "a"},
    }


# Company and books
_call("get-company-information-with-id", "GET", at("company-information"))
_call("get-fiscal-years", "GET", at("fiscal-years"))
_call("get-fiscal-year-with-id", "GET", World.fiscal_year)
_call("get-chart-of-accounts", "GET", at("chart-of-accounts?query=account>=3000"))
_call("get-account-with-number", "GET", at("chart-of-accounts/1930"))
_call(
    "download-sie-file",
    "GET",
    lambda world: world.fiscal_year().replace("fiscal-years", "sie") + "/download",
)

# Customers and items
_call("post-customer", "POST", at("customers"), CUSTOMER)
_call("get-customer", "GET", at("customers?query=name==John%20Doe"))
_call("get-customers-customerId", "GET", World.customer)
_call("put-customer", "PUT", World.customer, {"name": "Anna", "type": "private"})
_call("delete-customer", "DELETE", World.customer)
_call("post-item", "POST", at("items"), ITEM)
_call("get-items", "GET", at("items?query=taxRate==25&pageSize=2"))
_call("get-items-itemId", "GET", World.item)
_call("put-item", "PUT", World.item, TEXT)
_call("delete-item", "DELETE", World.item)

# Invoices
_call("post-invoice", "POST", at("invoices"), invoice_body)
_call("get-invoice", "GET", at("invoices?query=status==draft%26%26metadata.op_key==a"))
_call("get-invoices-invoiceId", "GET", World.published)
_call("put-invoice", "PUT", World.draft, invoice_body)
_call("delete-invoice-with-id", "DELETE", World.draft)
_call("post-invoice-lineItem", "POST", below(World.draft, "line-items"), SALE)
_call("post-invoices-invoiceId-publish", "POST", below(World.draft, "publish"))
_call("record-invoice-with-id", "POST", below(World.published, "record"))
_call("download-invoice", "GET", below(World.published, "download"))
_call("get-invoice-attachments", "GET", _parent(World.attachment))
_call("get-invoice-attachment", "GET", World.attachment)
_call("delete-invoice-attachment", "DELETE", World.attachment)
_call("download-invoice-attachment", "GET", below(World.attachment, "download"))


@good("post-invoice-attachment")
def _attach(world: World) -> Reply:
    return world.send_file(f"{world.draft()}/attachments", "Bilaga å.png")


# Payments, settlements, credit notes
_call("post-invoice-payment", "POST", below(World.published, "payments"), PAYMENT)
_call("get-invoice-payments", "GET", _parent(World.payment))
_call("get-invoice-payment", "GET", World.payment)
_call("delete-invoice-payment", "DELETE", World.payment)
_call("record-invoice-payment-with-id", "POST", below(World.payment, "record"))
_call("post-invoice-settlement", "POST", below(World.published, "settlements"), SETTLEMENT)
_call("get-invoice-settlements", "GET", _parent(World.settlement))
_call("get-invoice-settlement", "GET", World.settlement)
_call("delete-invoice-settlement", "DELETE", World.settlement)
_call("record-invoice-settlement-with-id", "POST", below(World.settlement, "record"))
_call("post-invoices-invoiceId-credit", "POST", below(World.published, "credit"))
_call("get-credit-note-v1", "GET", World.credit_note)
_call("delete-credit-note-with-id", "DELETE", World.credit_note)
_call("publish-credit-note-v1", "POST", below(World.credit_note, "publish"))
_call("record-credit-note-with-id", "POST", below(World.published_credit_note, "record"))
_call("download-credit-note", "GET", below(World.published_credit_note, "download"))


@good("list-credit-notes-v1")
def _list_credit_notes(world: World) -> Reply:
    world.credit_note()
    return world.call("GET", "credit-notes?query=status==draft")


@good("update-credit-note-v1")
def _credit_a_part(world: World) -> Reply:
    path = world.credit_note()
    note = world.ok("GET", path)
    note["lineItems"][0]["quantity"] = 0.5
    kept = ("id", "currency", "creditDate", "dueDate", "lineItems")
    return world.call("PUT", path, {key: _plain(note[key]) for key in kept})


def _plain(value: Any) -> Any:
    """The same with floats again, as a sender without `Decimal` would have it."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value if value is None or isinstance(value, str | int) else float(value)


# Journal entries, comments, tags
_call("post-journalentry", "POST", at("journal-entries"), ENTRY)
_call("get-journalentry", "GET", at("journal-entries?query=title~material"))
_call("get-journalentries-journalId", "GET", World.entry)
_call("reverse-journalentry", "POST", below(World.entry, "reverse"))
_call("post-journal-entry-comment", "POST", below(World.entry, "comments"), {"content": "Ja"})
_call("get-journal-entry-comments", "GET", _parent(World.comment))
_call("get-journal-entry-comment", "GET", World.comment)
_call("put-journal-entry-comment", "PUT", World.comment, {"content": "Nej"})
_call("delete-journal-entry-comment", "DELETE", World.comment)
_call("get-tag-groups", "GET", at("tag-groups?query=dimensionNumber>0"))
_call("get-tag-group-by-id", "GET", World.tag_group)
_call("delete-tag-group", "DELETE", World.tag_group)
_call("post-tag-group-tag", "POST", below(World.tag_group, "tags"), {"name": "Umeå"})
_call("put-tag-group-tag", "PUT", World.tag, {"name": "Kiruna"})
_call("delete-tag-group-tag", "DELETE", World.tag)


@good("post-tag-group")
def _new_tag_group(world: World) -> Reply:
    alias = world.free_alias()
    return world.call("POST", "tag-groups", {"name": f"Ort {alias}", "alias": alias})


@good("put-tag-group")
def _rename_tag_group(world: World) -> Reply:
    path, alias = world.tag_group(), world.free_alias()
    return world.call("PUT", path, {"name": f"Region {alias}", "alias": alias})


@good("put-journalentry-tags")
def _tag_rows(world: World) -> Reply:
    entry, tag = world.entry(), world.tag().rsplit("/", 1)[1]
    tags = [{"tagId": tag, "weight": 0.5}]
    world.ok("PUT", f"{entry}/tags", {"tags": tags})
    world.ok("GET", f"journal-entries?tagId={tag}")
    world.ok("PUT", f"{entry}/tags", {"tags": []})
    row = world.ok("GET", entry)["items"][0]["id"]
    return world.call("PUT", f"{entry}/tags", {"items": [{"id": row, "tags": tags}]})


# Uploads, suppliers, bank payments
_call("get-uploads", "GET", at("uploads?query=description==Kvitto"))
_call("get-upload", "GET", World.upload)
_call("download-upload", "GET", below(World.upload, "download"))
_call("post-supplier", "POST", at("suppliers"), {"name": "Kontoret AB"})
_call("get-suppliers", "GET", at("suppliers?query=name~Kontor"))
_call("get-supplier-by-id", "GET", World.supplier)
_call("delete-supplier", "DELETE", World.supplier)
_call("post-supplier-invoice", "POST", at("supplier-invoices"), World.supplier_invoice_body)
_call("get-supplier-invoices", "GET", at("supplier-invoices?query=totalAmount>1"))
_call("get-supplier-invoice-by-id", "GET", World.supplier_invoice)
_call("put-supplier-invoice", "PUT", World.supplier_invoice, World.supplier_invoice_body)
_call("delete-supplier-invoice", "DELETE", World.supplier_invoice)
_call("post-bank-payment", "POST", at("bank-payments"), World.bank_payment_body)
_call("get-bank-payments-limited", "GET", at("bank-payments?query=status==readyToSign"))
_call("get-bank-payments-bank-payment-id", "GET", World.bank_payment)


@good("add-upload")
def _upload(world: World) -> Reply:
    entry = world.entry().rsplit("/", 1)[1]
    return world.send_file("uploads", description="Kvitto", journalEntryId=entry)


@good("put-supplier")
def _supplier(world: World) -> Reply:
    body = {
        "name": "Kontoret AB",
        "orgNumber": "556677-8899",
        "currency": "SEK",
        "address": CUSTOMER["address"],
        "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5805-6201"},
    }
    return world.call("PUT", world.supplier(), body)


@good("post-supplier-invoice-upload")
def _connect_upload(world: World) -> Reply:
    path, upload = world.supplier_invoice(), world.upload().rsplit("/", 1)[1]
    return world.call("POST", f"{path}/uploads", {"id": upload})


@good("post-bank-payments-bulk")
def _bulk(world: World) -> Reply:
    transfer = {
        "kind": "transfer",
        "recipientName": "Anna",
        "clearingNumber": "8327",
        "accountNumber": "1234567890",
    }
    one = world.bank_payment_body()
    two = one | {"recipientRef": transfer, "ownNote": "lön"}
    return world.call("POST", "bank-payments/bulk", {"payments": [one, two]})


# The General API
@good("request-token")
def _token(world: World) -> Reply:
    sandbox = world.sandbox
    code = sandbox.authorize_directly(world.company)
    exchange = {"grant_type": "authorization_code", "redirect_uri": sandbox.redirect_uri}
    company = sandbox.token_request(exchange | {"code": code})
    world.hold("POST", "/token", company)
    refresh = {"grant_type": "refresh_token", "refresh_token": company.json["refresh_token"]}
    world.hold("POST", "/token", sandbox.token_request(refresh))
    general = sandbox.token_request({"grant_type": "client_credentials"})
    world.hold("POST", "/token", general)
    return general


@good("authorize")
def _authorize(world: World) -> Reply:
    answer = consent.allow(world.sandbox)
    world.hold("GET", "/authorize", answer)
    sent = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert sent["state"] == ["state-1"]
    assert list(sent) == ["code", "state"]
    return answer


@good("get-connections")
def _connections(world: World) -> Reply:
    path = f"/connections?tenantId={world.company}&pageSize=1"
    return world.call("GET", path, token=world.general_token())


@good("get-connection-by-id")
def _connection(world: World) -> Reply:
    return _with_connection(world, "GET", world.company)


@good("delete-connection-by-id")
def _disconnect(world: World) -> Reply:
    other = world.sandbox.companies()[1]["id"]
    world.sandbox.tokens_for(other)
    return _with_connection(world, "DELETE", other)


def _with_connection(world: World, method: str, company: str) -> Reply:
    token = world.general_token()
    found = world.ok("GET", f"/connections?tenantId={company}", token=token)
    return world.call(method, f"/connections/{found['items'][0]['id']}", token=token)
