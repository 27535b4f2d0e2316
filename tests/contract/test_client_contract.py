"""The client alone: each request it can build, and each answer published, against the contract."""

import copy
import email.parser
import email.policy
import functools
import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
import schemathesis
from hypothesis import given, seed
from schemathesis import GenerationMode

from bokio_app.bokio.accounts import Account
from bokio_app.bokio.attachments import Attachment
from bokio_app.bokio.bank_payments import BankPayment
from bokio_app.bokio.company import Company
from bokio_app.bokio.connections import Connection
from bokio_app.bokio.credit_notes import CreditNote
from bokio_app.bokio.customers import Customer
from bokio_app.bokio.errors import OutcomeUnknown, Unsendable
from bokio_app.bokio.fiscal_years import FiscalYear
from bokio_app.bokio.http import Call, Http
from bokio_app.bokio.invoices import Invoice
from bokio_app.bokio.items import Item
from bokio_app.bokio.journal_comments import Comment
from bokio_app.bokio.journal_entries import JournalEntry
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.oauth import OAuthApp, Tokens
from bokio_app.bokio.payments import Payment
from bokio_app.bokio.settlements import Settlement
from bokio_app.bokio.supplier_invoices import SupplierInvoice
from bokio_app.bokio.suppliers import Supplier
from bokio_app.bokio.tags import Tag, TagGroup
from bokio_app.bokio.uploads import Upload
from tests.contract.client_calls import CALLS, OAUTH, A, Called, api_of
from tests.contract.client_values import SENDS
from tests.contract.corrections import NO_ANSWERS
from tests.contract.histories import CASES, SEED, run_of
from tests.contract.published import JSON_TYPE, Operation, Schema, contract

pytestmark = pytest.mark.contract

OPERATIONS = contract().operations
FORM_TYPE = "application/x-www-form-urlencoded"
EACH = CASES // 100 or 5
LARGEST = 10**12
"""SEK; no company's books hold more."""


class Recorder:
    """Takes requests and answers each with a success that says nothing."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.calls: list[Call] = []
        self.client = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        self.http = Http(
            "http://bokio.test", access_token="t", client=self.client, on_call=self.calls.append
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        return httpx2.Response(200, json={"items": [], "totalPages": 0})

    @property
    def app(self) -> OAuthApp:
        return OAuthApp(
            "http://bokio.test", "http://bokio.test/authorize", str(A), "s", client=self.client
        )


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    with recorder.client:
        yield recorder


@pytest.mark.parametrize(
    "identifier, call",
    [
        pytest.param(identifier, call, id=f"{identifier} {number}")
        for identifier, calls in CALLS.items()
        for number, call in enumerate(calls)
    ],
)
def test_every_request_is_one_that_bokio_describes(
    recorder: Recorder, identifier: str, call: Called
):
    operation = OPERATIONS[identifier]

    with suppress(OutcomeUnknown):  # the empty answer is no object; the request is what counts
        call(api_of(recorder.http, operation.api))

    (request,), (told,) = recorder.requests, recorder.calls
    assert contract().find(request.method, request.url.path) == operation
    assert told.operation == operation.id
    check_request(operation, request)


@pytest.mark.parametrize("identifier", SENDS)
def test_every_value_that_the_client_takes_becomes_a_request_that_bokio_describes(identifier: str):
    operation = OPERATIONS[identifier]
    values, send = SENDS[identifier]
    sent: list[httpx2.Request] = []

    @seed(SEED)
    @run_of(EACH)
    @given(value=values)
    def run(value: object) -> None:
        recorder = Recorder()
        with recorder.client, suppress(OutcomeUnknown, Unsendable):
            send(api_of(recorder.http, operation.api), value)
        for request in recorder.requests:
            assert contract().find(request.method, request.url.path) == operation
            check_request(operation, request)
        sent.extend(recorder.requests)

    run()
    assert sent, "the client refused every value"


def test_values_are_made_for_each_operation_that_takes_some():
    taking = {each.id for each in OPERATIONS.values() if JSON_TYPE in each.request_types}

    assert set(SENDS) == taking


def check_request(operation: Operation, request: httpx2.Request) -> None:
    """Query, media type and body are as described; where no body is, none is sent."""
    check_query(operation, request.url)
    if not operation.request_types:
        assert request.content == b""
        return
    ((media, schema),) = operation.request_types.items()
    sent = request.headers["content-type"]
    assert sent.split(";")[0] == media
    values: dict[str, Any] = {
        JSON_TYPE: lambda: json.loads(request.content),
        FORM_TYPE: lambda: dict(parse_qsl(request.content.decode(), strict_parsing=True)),
        "multipart/form-data": lambda: parts_of(sent, request.content),
    }
    assert contract().wrong_in_request(operation, schema, values[media]()) == []


def check_query(operation: Operation, address: httpx2.URL) -> None:
    """Every parameter is described, what is required is there, each reads as its type."""
    text = address.query.decode()
    sent = dict(parse_qsl(text, strict_parsing=True)) if text else {}
    required = {name for name, each in operation.query.items() if each.get("required")}
    assert required <= set(sent) <= set(operation.query)
    for name, value in sent.items():
        schema = operation.query[name]["schema"]
        typed = int(value) if schema["type"] == "integer" else value
        assert contract().wrong_in_request(operation, schema, typed) == []


def parts_of(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form as any reader of MIME sees them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    found = {}
    for part in message.iter_parts():
        disposition = part["content-disposition"]
        name = disposition.params["name"]
        assert (name == "file") is ("filename" in disposition.params)
        found[name] = part.get_content() if name != "file" else "…"
    return found


@pytest.mark.parametrize("call", OAUTH["request-token"])
def test_every_grant_is_one_that_bokio_describes(recorder: Recorder, call: Called):
    with suppress(OutcomeUnknown):  # the empty answer holds no token; the request is what counts
        call(recorder.app)

    (request,) = recorder.requests
    assert contract().find(request.method, request.url.path).id == "request-token"
    assert request.headers["authorization"].startswith("Basic ")
    check_request(OPERATIONS["request-token"], request)


@pytest.mark.parametrize("call", OAUTH["authorize"])
def test_the_consent_address_is_one_that_bokio_describes(recorder: Recorder, call: Any):
    address = httpx2.URL(call(recorder.app))

    assert contract().find("GET", address.path).id == "authorize"
    check_query(OPERATIONS["authorize"], address)


def test_the_client_has_a_call_for_each_published_operation():
    assert set(CALLS) | set(OAUTH) == set(OPERATIONS)


READERS: dict[str, Any] = {
    **dict.fromkeys(["post-customer", "get-customer", "get-customers-customerId"], Customer),
    **dict.fromkeys(["put-customer"], Customer),
    **dict.fromkeys(["get-company-information-with-id"], Company),
    **dict.fromkeys(["get-fiscal-years", "get-fiscal-year-with-id"], FiscalYear),
    **dict.fromkeys(["get-chart-of-accounts", "get-account-with-number"], Account),
    **dict.fromkeys(["post-item", "get-items", "get-items-itemId", "put-item"], Item),
    **dict.fromkeys(["post-invoice", "get-invoice", "get-invoices-invoiceId"], Invoice),
    **dict.fromkeys(["put-invoice", "post-invoices-invoiceId-publish"], Invoice),
    **dict.fromkeys(["record-invoice-with-id"], Invoice),
    **dict.fromkeys(["post-invoice-lineItem"], LineItem),
    **dict.fromkeys(["post-invoice-attachment", "get-invoice-attachments"], Attachment),
    **dict.fromkeys(["get-invoice-attachment"], Attachment),
    **dict.fromkeys(["post-invoice-payment", "get-invoice-payments"], Payment),
    **dict.fromkeys(["get-invoice-payment", "record-invoice-payment-with-id"], Payment),
    **dict.fromkeys(["post-invoice-settlement", "get-invoice-settlements"], Settlement),
    **dict.fromkeys(["get-invoice-settlement", "record-invoice-settlement-with-id"], Settlement),
    **dict.fromkeys(["post-invoices-invoiceId-credit", "list-credit-notes-v1"], CreditNote),
    **dict.fromkeys(["get-credit-note-v1", "update-credit-note-v1"], CreditNote),
    **dict.fromkeys(["publish-credit-note-v1", "record-credit-note-with-id"], CreditNote),
    **dict.fromkeys(["post-journalentry", "get-journalentry"], JournalEntry),
    **dict.fromkeys(["get-journalentries-journalId", "reverse-journalentry"], JournalEntry),
    **dict.fromkeys(["put-journalentry-tags"], JournalEntry),
    **dict.fromkeys(["post-journal-entry-comment", "get-journal-entry-comments"], Comment),
    **dict.fromkeys(["get-journal-entry-comment", "put-journal-entry-comment"], Comment),
    **dict.fromkeys(["post-tag-group", "get-tag-groups", "get-tag-group-by-id"], TagGroup),
    **dict.fromkeys(["put-tag-group"], TagGroup),
    **dict.fromkeys(["post-tag-group-tag", "put-tag-group-tag"], Tag),
    **dict.fromkeys(["add-upload", "get-uploads", "get-upload"], Upload),
    **dict.fromkeys(["post-supplier", "get-suppliers", "get-supplier-by-id"], Supplier),
    **dict.fromkeys(["put-supplier"], Supplier),
    **dict.fromkeys(["post-supplier-invoice", "get-supplier-invoices"], SupplierInvoice),
    **dict.fromkeys(["get-supplier-invoice-by-id", "put-supplier-invoice"], SupplierInvoice),
    **dict.fromkeys(["post-bank-payment", "get-bank-payments-limited"], BankPayment),
    **dict.fromkeys(["get-bank-payments-bank-payment-id", "post-bank-payments-bulk"], BankPayment),
    **dict.fromkeys(["get-connections", "get-connection-by-id"], Connection),
    "request-token": Tokens,
}
WITHOUT_A_MODEL = {"post-supplier-invoice-upload"}  # its answer is an id alone
ANSWERING = [each for each in OPERATIONS.values() if each.schema_of(int(each.success))]


def rows_of(answer: Any) -> list[Any]:
    """The objects of an answer: of a page, of a bare list, or the one it is."""
    if isinstance(answer, list):
        return answer
    paged = isinstance(answer, dict) and "totalPages" in answer
    return list(answer["items"]) if paged else [answer]


def published_answers() -> Iterator[Any]:
    """Every example of a success that the descriptions give."""
    for operation in ANSWERING:
        for name, value in operation.success_examples.items():
            if (operation.id, name) not in NO_ANSWERS and operation.id not in WITHOUT_A_MODEL:
                yield pytest.param(operation.id, value, id=f"{operation.id} {name}")


@pytest.mark.parametrize("identifier, value", list(published_answers()))
def test_every_published_example_of_an_answer_can_be_read(identifier: str, value: object):
    rows = rows_of(json.loads(json.dumps(value), parse_float=Decimal))

    read = [READERS[identifier].from_json(unwrapped(row)) for row in rows]

    assert len(read) == len(rows) > 0


def unwrapped(row: Any) -> Any:
    """An object in a key of its own name, which `Resource` takes off."""
    inner = next(iter(row.values())) if len(row) == 1 else None
    return inner if isinstance(inner, dict) else row


def test_there_is_a_reader_for_each_answer_that_is_more_than_a_file():
    assert set(READERS) | WITHOUT_A_MODEL == {each.id for each in ANSWERING}


@functools.cache
def answers_as_requests(api: str) -> Any:
    """The schemas of answers in the place where Schemathesis makes values: a request's body.

    Every property is required, because an answer of the API is whole.
    """
    ours = [each for each in ANSWERING if each.api == api]
    document = copy.deepcopy(ours[0].document)
    for schema in document["components"]["schemas"].values():
        whole(schema)
    document["paths"] = {
        f"/{each.id}": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {JSON_TYPE: {"schema": whole(copy.deepcopy(each.schema_of(200)))}},
                },
                "responses": {"200": {"description": "OK"}},
            }
        }
        for each in ours
    }
    return schemathesis.openapi.from_dict(document)


def amount(text: str) -> Decimal:
    """Amounts, rates and quantities have a few decimals, where a double may have hundreds."""
    value = Decimal(text)
    return round(value, 4) if abs(value) <= LARGEST else value


def whole(schema: Any) -> Any:
    """Require all properties and the id, keep numbers to amounts, let nothing be read-only."""
    if isinstance(schema, list):
        for each in schema:
            whole(each)
    elif isinstance(schema, dict):
        schema.pop("readOnly", None)
        schema.pop("discriminator", None)
        if schema.get("type") == "number":
            schema |= {"minimum": -LARGEST, "maximum": LARGEST}
        properties: Schema = schema.get("properties", {})
        if isinstance(properties, dict) and schema.get("type") == "object" and properties:
            schema["required"] = sorted(properties)
            if "access_token" in properties:
                properties["access_token"]["minLength"] = 1
                properties["token_type"]["enum"] = ["bearer", "Bearer"]
            if isinstance(properties.get("id"), dict):
                properties["id"].pop("nullable", None)
        for each in schema.values():
            whole(each)
    return schema


@pytest.mark.parametrize("identifier", READERS)
def test_every_answer_that_fits_its_schema_can_be_read(identifier: str):
    described = answers_as_requests(OPERATIONS[identifier].api)[f"/{identifier}"]["POST"]

    @seed(SEED)
    @run_of(EACH)
    @given(case=described.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def run(case: Any) -> None:
        answer = json.loads(json.dumps(case.body), parse_float=amount)
        for row in rows_of(answer):
            READERS[identifier].from_json(unwrapped(row))

    run()
