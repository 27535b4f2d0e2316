"""Every request the client can build, held against Bokio's published descriptions.

The folder with the two descriptions is named by `BOKIO_OPENAPI_DIR`.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx2
import pytest
import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from bokio_app.bokio.accounts import Account
from bokio_app.bokio.addresses import Address
from bokio_app.bokio.client import Bokio, GeneralApi
from bokio_app.bokio.company import Company
from bokio_app.bokio.connections import Connection
from bokio_app.bokio.customers import Contact, Customer, CustomerDraft, CustomerType
from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.filters import F
from bokio_app.bokio.fiscal_years import FiscalYear
from bokio_app.bokio.http import Call, Http
from bokio_app.bokio.invoices import Invoice, InvoiceDraft
from bokio_app.bokio.journal_entries import JournalEntry
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType
from bokio_app.bokio.oauth import OAuthApp, Tokens
from bokio_app.bokio.payments import Payment, PaymentDraft
from bokio_app.bokio.settlements import Settlement, SettlementDraft, SettlementType, VatScheme

pytestmark = pytest.mark.contract

FOLDER = os.environ.get("BOKIO_OPENAPI_DIR", "")
NAMES = {"company": "bokio-company-api.yml", "general": "bokio-general-api.yml"}
if not FOLDER or not all((Path(FOLDER) / name).is_file() for name in NAMES.values()):
    pytest.skip(
        "BOKIO_OPENAPI_DIR names no folder with Bokio's published descriptions",
        allow_module_level=True,
    )

Schema = dict[str, Any]


class Contract:
    """One description: its operations by method and path, and its schemas."""

    def __init__(self, name: str) -> None:
        self.document: Schema = yaml.safe_load((Path(FOLDER) / NAMES[name]).read_text())
        # The details of a settlement are told apart by a key `reason` that the same schema
        # forbids; without the discriminator the variants are told apart by their own keys.
        for schema in self.document["components"]["schemas"].values():
            schema.get("properties", {}).get("invoiceSettlementDetails", {}).pop("discriminator", 0)

    def operation(self, method: str, path: str) -> Schema:
        """The operation that serves this request, with the parameters of its path."""
        for template, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in item:
                shared = item.get("parameters", [])
                return {**item[method], "parameters": shared + item[method].get("parameters", [])}
        raise AssertionError(f"no operation for {method} {path}")

    def check(self, schema: Schema, value: object, *, reading: bool = False) -> None:
        """Fail unless the value fits the schema, and every key in it is one the schema names."""
        kind = OAS30ReadValidator if reading else OAS30WriteValidator
        rooted = {**schema, "components": self.document["components"]}
        kind(rooted, format_checker=oas30_format_checker).validate(value)
        if not reading:
            self.check_keys(schema, value)

    def check_keys(self, schema: Schema, value: object) -> None:
        """Bokio ignores a key it does not know, so a misspelt one would look like success."""
        variants = list(self._variants(schema))
        if isinstance(value, list):
            for each in value:
                self.check_keys({"oneOf": [v["items"] for v in variants if "items" in v]}, each)
        if isinstance(value, dict):
            known = {k: s for v in variants for k, s in v.get("properties", {}).items()}
            free = any("additionalProperties" in v and v["additionalProperties"] for v in variants)
            assert free or set(value) <= set(known), f"unknown: {set(value) - set(known)}"
            for key, each in value.items():
                self.check_keys(known.get(key, {}), each)

    def _variants(self, schema: Schema) -> Iterator[Schema]:
        if "$ref" in schema:
            target: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            yield from self._variants(target)
        else:
            yield schema
            for group in ("allOf", "oneOf", "anyOf"):
                for each in schema.get(group, []):
                    yield from self._variants(each)


CONTRACTS = {name: Contract(name) for name in NAMES}
A, B, C = uuid4(), uuid4(), uuid4()
DAY = date(2024, 10, 10)

LINES = (
    LineItem(
        description="Konsulttimmar",
        product_type=ProductType.SERVICES,
        unit_type="hour",
        quantity=Decimal("1.5"),
        unit_price=Decimal("290.10"),
    ),
    LineItem(description="Rabatt", unit_price=Decimal(-500), account=3730, id="18320626"),
    LineItem(description="Tack!", item_type=ItemType.DESCRIPTION),
)
INVOICES = [
    InvoiceDraft(customer_id=A, invoice_date=DAY, line_items=LINES),
    InvoiceDraft(
        customer_id=A,
        invoice_date=DAY,
        line_items=LINES,
        due_date=DAY,
        currency="EUR",
        currency_rate=Decimal("11.4321"),
        metadata={"op_key": str(B), "_note": "x" * 250},
        contact_id=C,
        order_number="1",
        project="2",
        buyer_reference="3",
        contract="4",
    ),
]
CUSTOMERS = [
    CustomerDraft(name="Jane Doe", type=CustomerType.PRIVATE),
    CustomerDraft(
        name="John Doe AB",
        org_number="556677-8899",
        vat_number="SE556677889901",
        payment_terms="30",
        contacts=(Contact("Jane", "jane@example.com", "070-1234567", is_default=True, id=A),),
        address=Address("1 High St", "SW1A 1AA", "London", "GB", "Floor 2", "ENG"),
        language="en",
    ),
]
PAYMENT = PaymentDraft(date=DAY, amount=Decimal("64609.50"), account=1940)
SETTLEMENTS = [
    SettlementDraft(type=SettlementType.BANK_FEE, date=DAY, amount=Decimal("15.50")),
    SettlementDraft(type=SettlementType.CURRENCY, date=DAY, amount=Decimal("-3.20")),
    *[
        SettlementDraft(
            type=SettlementType.PAYMENT_SERVICE_FEE, date=DAY, amount=Decimal(9), vat_scheme=scheme
        )
        for scheme in VatScheme
    ],
]
WHERE = (F("metadata.op_key") == A) & (F("invoiceDate") >= DAY)
SINCE = F("modifiedDateTime") >= datetime(2026, 1, 1, tzinfo=UTC)

COMPANY_CALLS = {
    "company": lambda b: b.company.get(),
    "fiscal years": lambda b: list(b.fiscal_years.list(F("status") == "open")),
    "fiscal year": lambda b: b.fiscal_years.get(A),
    "accounts": lambda b: b.accounts.list(F("account") == 1930),
    "all accounts": lambda b: b.accounts.list(),
    "account": lambda b: b.accounts.get(1930),
    **{f"new customer {n}": lambda b, d=d: b.customers.create(d) for n, d in enumerate(CUSTOMERS)},
    **{f"customer {n}": lambda b, d=d: b.customers.update(A, d) for n, d in enumerate(CUSTOMERS)},
    "get customer": lambda b: b.customers.get(A),
    "find customers": lambda b: list(b.customers.find(SINCE)),
    "delete customer": lambda b: b.customers.delete(A),
    **{f"new invoice {n}": lambda b, d=d: b.invoices.create(d) for n, d in enumerate(INVOICES)},
    **{f"invoice {n}": lambda b, d=d: b.invoices.update(A, d) for n, d in enumerate(INVOICES)},
    "get invoice": lambda b: b.invoices.get(A),
    "find invoices": lambda b: list(b.invoices.find(WHERE)),
    "delete invoice": lambda b: b.invoices.delete(A),
    "publish invoice": lambda b: b.invoices.publish(A),
    "record invoice": lambda b: b.invoices.record(A),
    "download invoice": lambda b: b.invoices.download(A),
    "new payment": lambda b: b.payments.create(A, PAYMENT),
    "payments": lambda b: b.payments.list(A, F("sumBaseCurrency") == Decimal("15.50")),
    "payment": lambda b: b.payments.get(A, B),
    "record payment": lambda b: b.payments.record(A, B),
    "delete payment": lambda b: b.payments.delete(A, B),
    **{
        f"new settlement {n}": lambda b, d=d: b.settlements.create(A, d)
        for n, d in enumerate(SETTLEMENTS)
    },
    "settlements": lambda b: b.settlements.list(A),
    "settlement": lambda b: b.settlements.get(A, B),
    "record settlement": lambda b: b.settlements.record(A, B),
    "delete settlement": lambda b: b.settlements.delete(A, B),
    "journal entry": lambda b: b.journal_entries.get(A),
    "journal entries": lambda b: list(b.journal_entries.find(F("date") == DAY, tag_id=A)),
}
GENERAL_CALLS = {
    "connections": lambda g: list(g.connections.list(tenant_id=A)),
    "connection": lambda g: g.connections.get(A),
    "delete connection": lambda g: g.connections.delete(A),
}


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
        self.requests.append(request)
        return httpx2.Response(200, json={"items": [], "totalPages": 0})


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    with recorder.client:
        yield recorder


@pytest.mark.parametrize(
    "api, call",
    [
        *[pytest.param("company", call, id=name) for name, call in COMPANY_CALLS.items()],
        *[pytest.param("general", call, id=name) for name, call in GENERAL_CALLS.items()],
    ],
)
def test_every_request_is_one_that_bokio_describes(recorder, api, call):
    target = Bokio(recorder.http, A) if api == "company" else GeneralApi(recorder.http)

    with suppress(OutcomeUnknown):  # the empty answer is no object; the request is what counts
        call(target)

    (request,), (told,) = recorder.requests, recorder.calls
    contract = CONTRACTS[api]
    operation = contract.operation(request.method.lower(), request.url.path)
    assert told.operation == operation["operationId"]
    check_query(contract, operation, request)
    check_body(contract, operation, request)


def check_query(contract: Contract, operation: Schema, request: httpx2.Request) -> None:
    """Every parameter is described, and its text reads as the type that is."""
    described = {
        each["name"]: each["schema"] for each in operation["parameters"] if each["in"] == "query"
    }
    sent = (
        dict(parse_qsl(request.url.query.decode(), strict_parsing=True))
        if request.url.query
        else {}
    )
    for name, text in sent.items():
        value = int(text) if described[name]["type"] == "integer" else text
        contract.check(described[name], value)


def check_body(contract: Contract, operation: Schema, request: httpx2.Request) -> None:
    """The body fits the schema; where none is described, none is sent."""
    if "requestBody" not in operation:
        assert request.content == b""
        return
    (media,) = (
        each for kind, each in operation["requestBody"]["content"].items() if "json" in kind
    )
    assert request.headers["content-type"] == "application/json"
    contract.check(media["schema"], json.loads(request.content))


@pytest.mark.parametrize(
    "ask",
    [
        lambda app: app.exchange(code="c", redirect_uri="http://127.0.0.1:8000/bokio/callback"),
        lambda app: app.refresh("r"),
        lambda app: app.client_credentials(),
    ],
)
def test_every_grant_is_one_that_bokio_describes(recorder, ask):
    app = OAuthApp(
        "http://bokio.test", "http://bokio.test/authorize", str(A), "s", client=recorder.client
    )

    with suppress(OutcomeUnknown):  # the empty answer holds no token; the request is what counts
        ask(app)

    (request,) = recorder.requests
    contract = CONTRACTS["general"]
    operation = contract.operation(request.method.lower(), request.url.path)
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    contract.check(schema, dict(parse_qsl(request.content.decode(), strict_parsing=True)))


def test_the_consent_address_is_one_that_bokio_describes():
    app = OAuthApp("http://bokio.test", "http://bokio.test/authorize", str(A), "s")

    address = httpx2.URL(
        app.authorize_url_for(
            state="s",
            redirect_uri="http://127.0.0.1:8000/bokio/callback",
            scopes=["a"],
            company_id=B,
        )
    )

    contract = CONTRACTS["general"]
    operation = contract.operation("get", address.path)
    described = {each["name"]: each for each in operation["parameters"]}
    sent = dict(parse_qsl(address.query.decode(), strict_parsing=True))
    assert {name for name, each in described.items() if each.get("required")} <= set(sent)
    for name, text in sent.items():
        contract.check(described[name]["schema"], text)


WITHOUT_ID = "post-customer customer created"  # an example that is no whole answer

READERS = {
    "get-company-information-with-id": Company,
    "get-fiscal-years": FiscalYear,
    "get-fiscal-year-with-id": FiscalYear,
    "get-chart-of-accounts": Account,
    "get-account-with-number": Account,
    "post-customer": Customer,
    "get-customer": Customer,
    "get-customers-customerId": Customer,
    "put-customer": Customer,
    "post-invoice": Invoice,
    "get-invoice": Invoice,
    "get-invoices-invoiceId": Invoice,
    "put-invoice": Invoice,
    "post-invoices-invoiceId-publish": Invoice,
    "record-invoice-with-id": Invoice,
    "post-invoice-payment": Payment,
    "get-invoice-payments": Payment,
    "get-invoice-payment": Payment,
    "record-invoice-payment-with-id": Payment,
    "post-invoice-settlement": Settlement,
    "get-invoice-settlements": Settlement,
    "get-invoice-settlement": Settlement,
    "record-invoice-settlement-with-id": Settlement,
    "get-journalentries-journalId": JournalEntry,
    "get-journalentry": JournalEntry,
    "get-connections": Connection,
    "get-connection-by-id": Connection,
    "request-token": Tokens,
}


def published_answers() -> Iterator[Any]:
    """Every example of a success that the descriptions give for an operation of ours."""
    for contract in CONTRACTS.values():
        for item in contract.document["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict) and operation.get("operationId") in READERS:
                    yield from _examples(operation)


def _examples(operation: Schema) -> Iterator[Any]:
    content = operation["responses"]["200"].get("content", {}).get("application/json", {})
    for name, example in content.get("examples", {}).items():
        found = json.loads(json.dumps(example["value"], default=str), parse_float=Decimal)
        rows = found.get("items", [found]) if isinstance(found, dict) else found
        identifier = operation["operationId"]
        # A journal entry has `items` of its own; it is the one object of its answer.
        if READERS[identifier] is JournalEntry and "totalPages" not in found:
            rows = [found]
        if f"{identifier} {name}" != WITHOUT_ID:
            yield pytest.param(READERS[identifier], rows, id=f"{identifier} {name}")


@pytest.mark.parametrize("model, rows", list(published_answers()))
def test_every_published_example_of_an_answer_can_be_read(model, rows):
    read = [model.from_json(row) for row in rows]

    assert len(read) == len(rows) > 0
