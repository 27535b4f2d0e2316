"""Cases for each operation, made by Schemathesis from the published schemas.

Ids are the one thing that a schema cannot know: a case carries a placeholder for each, which is
exchanged for one of the sandbox when it is sent. So the same seed makes the same cases.
"""

import copy
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.contract.published import Operation, Schema, contract
from tests.contract.world import World

COMPANY = "/companies/{companyId}/"
KINDS = ("customer", "item", "upload", "tag", "entry", "supplier", "published")
"""What a body may refer to: names of `World`'s makers."""
PLACEHOLDERS = {kind: str(uuid5(NAMESPACE_URL, kind)) for kind in KINDS}
NOBODY = "00000000-0000-4000-8000-000000000000"
DAYS = ("2024-02-29", "2024-10-10", "2025-12-31", "2026-11-02", "1999-12-31", "9999-12-31")
# What a server reads before it looks at the request; `test_odd_requests` is about these.
OF_THE_CONNECTION = ("host", "content-length", "transfer-encoding", "connection", "expect")

MAKERS: dict[str, tuple[Callable[[World], str], ...]] = {
    "bank-payments/{bankPaymentId}": (World.bank_payment,),
    "credit-notes/{creditNoteId}": (World.credit_note, World.published_credit_note),
    "customers/{customerId}": (World.customer,),
    "fiscal-years/{fiscalYearId}": (World.fiscal_year,),
    "invoices/{invoiceId}": (World.draft, World.published),
    "invoices/{invoiceId}/attachments/{attachmentId}": (World.attachment,),
    "invoices/{invoiceId}/payments/{paymentId}": (World.payment,),
    "invoices/{invoiceId}/settlements/{settlementId}": (World.settlement,),
    "items/{itemId}": (World.item,),
    "journal-entries/{journalEntryId}": (World.entry,),
    "journal-entries/{journalEntryId}/comments/{commentId}": (World.comment,),
    "sie/{fiscalYearId}": (lambda world: world.fiscal_year().replace("fiscal-years", "sie"),),
    "supplier-invoices/{supplierInvoiceId}": (World.supplier_invoice,),
    "suppliers/{supplierId}": (World.supplier,),
    "tag-groups/{tagGroupId}": (World.tag_group,),
    "tag-groups/{tagGroupId}/tags/{tagId}": (World.tag,),
    "uploads/{uploadId}": (World.upload,),
}


def _register_formats() -> None:
    """Values that get further than random text would."""
    texts = {
        "uuid": st.sampled_from([*PLACEHOLDERS.values(), NOBODY]),
        "date": st.sampled_from(DAYS),
        "country": st.sampled_from(["SE", "DE", "US", "GB"]),
    }
    for name, strategy in texts.items():
        schemathesis.openapi.format(name, strategy)


@functools.cache
def _published(api: str) -> Any:
    """The document as Schemathesis reads it; objects are closed, so that no key is noise."""
    _register_formats()
    (document,) = {
        id(each.document): each.document
        for each in contract().operations.values()
        if each.api == api
    }.values()
    closed: Schema = copy.deepcopy(document)
    for schema in closed["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return schemathesis.openapi.from_dict(closed)


@functools.cache
def cases(operation: Operation, mode: GenerationMode) -> st.SearchStrategy[Case]:
    """Requests that fit the schema of the operation, or that do not."""
    described = _published(operation.api)[operation.template][operation.method]
    made: st.SearchStrategy[Case] = described.as_strategy(generation_mode=mode)
    return made


def things(world: World, operation: Operation, *, count: int) -> list[dict[str, Any]]:
    """Path parameters that name something, in each of the states there are."""
    fixed: dict[str, Any] = {"companyId": world.company}
    if "{account}" in operation.template:
        return [fixed | {"account": number} for number in (1930, 3001, 9999)]
    below = operation.template.removeprefix(COMPANY)
    templates = [each for each in MAKERS if below == each or below.startswith(f"{each}/")]
    if not templates:
        return [fixed]
    template = max(templates, key=len)
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
    made = [make(world) for make in MAKERS[template] for _ in range(count)]
    return [fixed | (_match(pattern, path)) for path in made]


def _match(pattern: re.Pattern[str], path: str) -> dict[str, str]:
    found = pattern.fullmatch(path)
    assert found is not None, (pattern.pattern, path)
    return found.groupdict()


def prepared(case: Case, ids: Mapping[str, str], authorization: str) -> requests.PreparedRequest:
    """The case as it goes out, with real ids and a valid token."""
    headers = {
        name: value
        for name, value in dict(case.headers or {}).items()
        if name.lower() not in (*OF_THE_CONNECTION, "authorization") and _can_be_sent(name, value)
    }
    case.headers = headers
    request = requests.Request(**case.as_transport_kwargs(base_url="http://sandbox/v1")).prepare()
    request.headers["Authorization"] = authorization
    if request.body:
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        for placeholder, identifier in ids.items():
            body = body.replace(placeholder.encode(), identifier.encode())
        request.body = body
    for placeholder, identifier in ids.items():
        assert request.url is not None
        request.url = request.url.replace(placeholder, identifier)
    return request


def _can_be_sent(name: str, value: object) -> bool:
    whole = f"{name}{value}"
    token = re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name)
    return bool(token) and whole.isprintable() and whole.isascii() and str(value).strip() == value
