"""One good call of each operation of the sandbox, and the refusals that only it has.

`GOOD` and `REFUSED` are what `test_sandbox_contract.py` runs; `tools.operations` reads `GOOD`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract import consent
from tests.contract.world import (
    CUSTOMER,
    DAY,
    ENTRY,
    ITEM,
    PAYMENT,
    SALE,
    SETTLEMENT,
    TEXT,
    World,
    form,
    png,
)
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


def _at(path: str) -> Callable[[World], str]:
    return lambda _: path


def _below(make: Callable[[World], str], rest: str) -> Callable[[World], str]:
    return lambda world: f"{make(world)}/{rest}"


def _parent(make: Callable[[World], str]) -> Callable[[World], str]:
    return lambda world: make(world).rsplit("/", 1)[0]


def _invoice_body(world: World) -> dict[str, Any]:
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
_call("get-company-information-with-id", "GET", _at("company-information"))
_call("get-fiscal-years", "GET", _at("fiscal-years"))
_call("get-fiscal-year-with-id", "GET", World.fiscal_year)
_call("get-chart-of-accounts", "GET", _at("chart-of-accounts?query=account>=3000"))
_call("get-account-with-number", "GET", _at("chart-of-accounts/1930"))
_call(
    "download-sie-file",
    "GET",
    lambda world: world.fiscal_year().replace("fiscal-years", "sie") + "/download",
)

# Customers and items
_call("post-customer", "POST", _at("customers"), CUSTOMER)
_call("get-customer", "GET", _at("customers?query=name==John%20Doe"))
_call("get-customers-customerId", "GET", World.customer)
_call("put-customer", "PUT", World.customer, {"name": "Anna", "type": "private"})
_call("delete-customer", "DELETE", World.customer)
_call("post-item", "POST", _at("items"), ITEM)
_call("get-items", "GET", _at("items?query=taxRate==25&pageSize=2"))
_call("get-items-itemId", "GET", World.item)
_call("put-item", "PUT", World.item, TEXT)
_call("delete-item", "DELETE", World.item)

# Invoices
_call("post-invoice", "POST", _at("invoices"), _invoice_body)
_call("get-invoice", "GET", _at("invoices?query=status==draft%26%26metadata.op_key==a"))
_call("get-invoices-invoiceId", "GET", World.published)
_call("put-invoice", "PUT", World.draft, _invoice_body)
_call("delete-invoice-with-id", "DELETE", World.draft)
_call("post-invoice-lineItem", "POST", _below(World.draft, "line-items"), SALE)
_call("post-invoices-invoiceId-publish", "POST", _below(World.draft, "publish"))
_call("record-invoice-with-id", "POST", _below(World.published, "record"))
_call("download-invoice", "GET", _below(World.published, "download"))
_call("get-invoice-attachments", "GET", _parent(World.attachment))
_call("get-invoice-attachment", "GET", World.attachment)
_call("delete-invoice-attachment", "DELETE", World.attachment)
_call("download-invoice-attachment", "GET", _below(World.attachment, "download"))


@good("post-invoice-attachment")
def _attach(world: World) -> Reply:
    return world.send_file(f"{world.draft()}/attachments", "Bilaga å.png")


# Payments, settlements, credit notes
_call("post-invoice-payment", "POST", _below(World.published, "payments"), PAYMENT)
_call("get-invoice-payments", "GET", _parent(World.payment))
_call("get-invoice-payment", "GET", World.payment)
_call("delete-invoice-payment", "DELETE", World.payment)
_call("record-invoice-payment-with-id", "POST", _below(World.payment, "record"))
_call("post-invoice-settlement", "POST", _below(World.published, "settlements"), SETTLEMENT)
_call("get-invoice-settlements", "GET", _parent(World.settlement))
_call("get-invoice-settlement", "GET", World.settlement)
_call("delete-invoice-settlement", "DELETE", World.settlement)
_call("record-invoice-settlement-with-id", "POST", _below(World.settlement, "record"))
_call("post-invoices-invoiceId-credit", "POST", _below(World.published, "credit"))
_call("get-credit-note-v1", "GET", World.credit_note)
_call("delete-credit-note-with-id", "DELETE", World.credit_note)
_call("publish-credit-note-v1", "POST", _below(World.credit_note, "publish"))
_call("record-credit-note-with-id", "POST", _below(World.published_credit_note, "record"))
_call("download-credit-note", "GET", _below(World.published_credit_note, "download"))


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
_call("post-journalentry", "POST", _at("journal-entries"), ENTRY)
_call("get-journalentry", "GET", _at("journal-entries?query=title~material"))
_call("get-journalentries-journalId", "GET", World.entry)
_call("reverse-journalentry", "POST", _below(World.entry, "reverse"))
_call("post-journal-entry-comment", "POST", _below(World.entry, "comments"), {"content": "Ja"})
_call("get-journal-entry-comments", "GET", _parent(World.comment))
_call("get-journal-entry-comment", "GET", World.comment)
_call("put-journal-entry-comment", "PUT", World.comment, {"content": "Nej"})
_call("delete-journal-entry-comment", "DELETE", World.comment)
_call("get-tag-groups", "GET", _at("tag-groups?query=dimensionNumber>0"))
_call("get-tag-group-by-id", "GET", World.tag_group)
_call("delete-tag-group", "DELETE", World.tag_group)
_call("post-tag-group-tag", "POST", _below(World.tag_group, "tags"), {"name": "Umeå"})
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
_call("get-uploads", "GET", _at("uploads?query=description==Kvitto"))
_call("get-upload", "GET", World.upload)
_call("download-upload", "GET", _below(World.upload, "download"))
_call("post-supplier", "POST", _at("suppliers"), {"name": "Kontoret AB"})
_call("get-suppliers", "GET", _at("suppliers?query=name~Kontor"))
_call("get-supplier-by-id", "GET", World.supplier)
_call("delete-supplier", "DELETE", World.supplier)
_call("post-supplier-invoice", "POST", _at("supplier-invoices"), World.supplier_invoice_body)
_call("get-supplier-invoices", "GET", _at("supplier-invoices?query=totalAmount>1"))
_call("get-supplier-invoice-by-id", "GET", World.supplier_invoice)
_call("put-supplier-invoice", "PUT", World.supplier_invoice, World.supplier_invoice_body)
_call("delete-supplier-invoice", "DELETE", World.supplier_invoice)
_call("post-bank-payment", "POST", _at("bank-payments"), World.bank_payment_body)
_call("get-bank-payments-limited", "GET", _at("bank-payments?query=status==readyToSign"))
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


@dataclass(frozen=True)
class Refused:
    """A call that a state or a rule forbids."""

    operation: str
    name: str
    status: int
    call: Good


REFUSED: list[Refused] = []


def refused(
    operation: str,
    name: str,
    method: str,
    path: Callable[[World], str],
    body: Any = None,
    *,
    status: int = 400,
) -> None:
    def call(world: World) -> Reply:
        target = path(world)
        return world.call(method, target, body(world) if callable(body) else body)

    REFUSED.append(Refused(operation, name, status, call))


def _done(make: Callable[[World], str], step: str) -> Callable[[World], str]:
    """The path of what was made and has taken the step already."""

    def path(world: World) -> str:
        made = make(world)
        world.ok("POST", f"{made}/{step}")
        return made

    return path


# What a state forbids. The generic refusals (no token, unknown id, nonsense) are the tests' own.
refused("put-invoice", "published", "PUT", World.published, _invoice_body)
refused("delete-invoice-with-id", "published", "DELETE", World.published)
refused("post-invoice-lineItem", "published", "POST", _below(World.published, "line-items"), SALE)
refused("post-invoices-invoiceId-publish", "twice", "POST", _below(World.published, "publish"))
refused("record-invoice-with-id", "draft", "POST", _below(World.draft, "record"))
refused(
    "record-invoice-with-id",
    "twice",
    "POST",
    _below(_done(World.published, "record"), "record"),
)
refused("download-invoice", "draft", "GET", _below(World.draft, "download"))
refused("post-invoices-invoiceId-credit", "draft", "POST", _below(World.draft, "credit"))
refused("post-invoice-payment", "draft", "POST", _below(World.draft, "payments"), PAYMENT)
refused(
    "post-invoice-payment",
    "an account without payments",
    "POST",
    _below(World.published, "payments"),
    PAYMENT | {"bookkeepingAccountNumber": 3001},
)
refused("post-invoice-settlement", "draft", "POST", _below(World.draft, "settlements"), SETTLEMENT)
refused(
    "post-invoice-settlement",
    "bad debt is the app's",
    "POST",
    _below(World.published, "settlements"),
    SETTLEMENT | {"type": "badDebt"},
)
refused(
    "record-invoice-payment-with-id",
    "twice",
    "POST",
    _below(_done(World.payment, "record"), "record"),
)
refused(
    "record-invoice-settlement-with-id",
    "twice",
    "POST",
    _below(_done(World.settlement, "record"), "record"),
)
refused(
    "update-credit-note-v1",
    "published",
    "PUT",
    World.published_credit_note,
    {"currency": "SEK", "creditDate": DAY, "dueDate": DAY, "lineItems": [SALE]},
)
refused("delete-credit-note-with-id", "published", "DELETE", World.published_credit_note)
refused("publish-credit-note-v1", "twice", "POST", _below(World.published_credit_note, "publish"))
refused("record-credit-note-with-id", "draft", "POST", _below(World.credit_note, "record"))
refused("download-credit-note", "draft", "GET", _below(World.credit_note, "download"))
refused("put-item", "a rate that Sweden lacks", "PUT", World.item, ITEM | {"taxRate": 20})
refused(
    "post-journalentry",
    "unbalanced",
    "POST",
    _at("journal-entries"),
    ENTRY | {"items": [{"account": 1930, "debit": 1, "credit": 0}]},
)
refused("reverse-journalentry", "twice", "POST", _below(_done(World.entry, "reverse"), "reverse"))
refused(
    "post-tag-group", "a long alias", "POST", _at("tag-groups"), {"name": "Ort", "alias": "ORTE"}
)


def refused_file(operation: str, name: str, path: Callable[[World], str], *file: Any) -> None:
    """A file that is not taken: its name, content and media type."""

    def call(world: World) -> Reply:
        target = path(world)
        content, media_type = form(*file)
        return world.call("POST", target, body=content, headers={"Content-Type": media_type})

    REFUSED.append(Refused(operation, name, 400, call))


PROGRAM = ("program.exe", b"MZ\x90\x00", "application/octet-stream")
refused_file("add-upload", "a program", _at("uploads"), *PROGRAM)
refused_file("post-invoice-attachment", "a program", _below(World.draft, "attachments"), *PROGRAM)
refused_file(
    "post-invoice-attachment",
    "published",
    _below(World.published, "attachments"),
    *("a.png", png(), "image/png"),
)


def _consent_without_state(world: World) -> Reply:
    path = consent.authorize_path(world.sandbox, state="")
    return world.call("GET", path.removeprefix("/v1"), token="")


def _unknown_grant(world: World) -> Reply:
    reply = world.sandbox.token_request({"grant_type": "code", "code": "x"})
    world.hold("POST", "/token", reply)
    return reply


REFUSED += [
    Refused("authorize", "without a state", 400, _consent_without_state),
    Refused("request-token", "a grant of the old pages", 400, _unknown_grant),
]
