"""Each answer of the sandbox against Bokio's published descriptions.

The folder with the two descriptions is named by `BOKIO_OPENAPI_DIR`. Where the descriptions are
known to be wrong, `_corrected` says so; nothing else is bent.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from tests.support.sandbox import Reply, SandboxProcess, running_sandbox

FOLDER = os.environ.get("BOKIO_OPENAPI_DIR", "")
COMPANY = "/companies/{companyId}"
FILES = ("bokio-company-api.yml", "bokio-general-api.yml")

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not FOLDER or not Path(FOLDER, FILES[0]).is_file(),
        reason="BOKIO_OPENAPI_DIR names no folder with Bokio's published descriptions",
    ),
]


def _corrected(name: str, contract: dict[str, Any]) -> dict[str, Any]:
    """Mend what a later change log or the API itself contradicts."""
    if name != FILES[0]:
        return contract
    schemas, paths = contract["components"]["schemas"], contract["paths"]
    # The company comes flat; the wrapping was an error of the description.
    content = paths[f"{COMPANY}/company-information"]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = {"$ref": "#/components/schemas/companyInformation"}
    # The discriminator names a property that the schemas beside it forbid.
    del schemas["invoiceSettlementRead"]["properties"]["invoiceSettlementDetails"]["discriminator"]
    return contract


@dataclass
class Contract:
    """Finds the schema of an operation's answer and holds the answer to it."""

    documents: list[dict[str, Any]]
    checked: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, folder: Path) -> "Contract":
        read = {name: yaml.safe_load((folder / name).read_text()) for name in FILES}
        return cls([_corrected(name, document) for name, document in read.items()])

    def hold(self, method: str, path: str, reply: Reply) -> None:
        document, operation = self._operation(method, path)
        responses = operation["responses"]
        if reply.status >= 400 and str(reply.status) not in responses:
            schema: Any = {"$ref": "#/components/schemas/apiError"}
        else:
            assert str(reply.status) in responses, f"{method} {path}: {reply.status}"
            content = responses[str(reply.status)].get("content", {})
            schema = content.get("application/json", {}).get("schema")
        self.checked.add(operation["operationId"])
        if schema is None or not reply.body.startswith((b"{", b"[")):
            return
        whole = {"allOf": [schema], "components": document["components"]}
        validator = OAS30ReadValidator(whole, format_checker=oas30_format_checker)
        errors = [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
            for error in validator.iter_errors(json.loads(reply.body))
        ]
        assert errors == [], f"{method} {path}: {errors}"

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        plain, verb = path.split("?", maxsplit=1)[0], method.lower()
        for document in self.documents:
            for template, operations in document["paths"].items():
                pattern = re.sub(r"\{\w+\}", "[^/]+", template)
                if verb in operations and re.fullmatch(pattern, plain):
                    return document, operations[verb]
        raise AssertionError(f"Nothing is published for {method} {path}")


@dataclass
class Checked:
    """The sandbox's API, each answer of which is held to the contract."""

    sandbox: SandboxProcess
    contract: Contract
    token: str
    company: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        reply = self.sandbox.request(method, f"/v1{path}", token=self.token, json_body=body)
        self.contract.hold(method, path, reply)
        return reply.json if reply.body.startswith((b"{", b"[")) else None

    def company_call(self, method: str, path: str, body: object = None) -> Any:
        return self.call(method, f"/companies/{self.company}/{path}", body)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with running_sandbox({"TIME_FACTOR": "0.02"}) as process:
        yield process


@pytest.fixture
def contract() -> Contract:
    return Contract.load(Path(FOLDER))


@pytest.fixture
def checked(sandbox: SandboxProcess, contract: Contract) -> Checked:
    sandbox.reset()
    company = sandbox.companies()[0]["id"]
    return Checked(sandbox, contract, sandbox.tokens_for(company).access_token, company)


CUSTOMER = {
    "name": "John Doe",
    "type": "company",
    "contactsDetails": [{"name": "Anna", "email": "anna@example.com", "isDefault": True}],
    "address": {"line1": "A 1", "city": "B", "postalCode": "123 45", "country": "SE"},
}
SALE = {
    "description": "Konsulttimmar",
    "itemType": "salesItem",
    "productType": "services",
    "unitType": "hour",
    "quantity": 1.5,
    "unitPrice": 1000.25,
    "taxRate": 25,
}
TEXT = {"description": "Enligt avtal", "itemType": "descriptionOnlyItem"}


def _invoice_journey(api: Checked) -> str:
    customer = api.company_call("POST", "customers", CUSTOMER)
    contact = customer["contactsDetails"][0]["id"]
    draft = api.company_call(
        "POST",
        "invoices",
        {
            "customerRef": {"id": customer["id"]},
            "contactDetailRef": {"id": contact},
            "invoiceDate": "2024-10-10",
            "lineItems": [SALE, TEXT],
            "deliveryAddress": CUSTOMER["address"],
            "metadata": {"op_key": "a"},
        },
    )
    path = f"invoices/{draft['id']}"
    api.company_call("POST", f"{path}/line-items", SALE)
    replaced = {"customerRef": {"id": customer["id"]}, "invoiceDate": "2024-10-10"}
    api.company_call("PUT", path, replaced | {"lineItems": [SALE, TEXT]})
    api.company_call("POST", f"{path}/publish")
    api.company_call("POST", f"{path}/record")
    return path


def test_the_books_of_a_company_keep_the_contract(checked: Checked):
    checked.company_call("GET", "company-information")
    years = checked.company_call("GET", "fiscal-years")
    checked.company_call("GET", f"fiscal-years/{years['items'][0]['id']}")
    checked.company_call("GET", "chart-of-accounts")
    checked.company_call("GET", "chart-of-accounts/1930")
    _invoice_journey(checked)
    entries = checked.company_call("GET", "journal-entries")
    checked.company_call("GET", f"journal-entries/{entries['items'][0]['id']}")

    assert len(checked.contract.checked) == 13


def test_customers_keep_the_contract(checked: Checked):
    customer = checked.company_call("POST", "customers", CUSTOMER)
    path = f"customers/{customer['id']}"
    checked.company_call("GET", path)
    checked.company_call("PUT", path, {"name": "Anna", "type": "private"})
    checked.company_call("GET", "customers?query=name==Anna")
    checked.company_call("DELETE", path)

    assert len(checked.contract.checked) == 5


@pytest.mark.parametrize(
    "kind,details",
    [
        ("bankFee", {"sumBaseCurrency": 15.5}),
        ("currency", {"sumBaseCurrency": -2}),
        ("paymentServiceFee", {"sumBaseCurrency": 25, "vatScheme": "eu"}),
    ],
)
def test_invoices_payments_and_settlements_keep_the_contract(
    checked: Checked, kind: str, details: dict[str, object]
):
    path = _invoice_journey(checked)
    settlement = {"type": kind, "invoiceSettlementDetails": {"date": "2024-10-15", **details}}
    payment = {"date": "2024-10-15", "sumBaseCurrency": 99, "bookkeepingAccountNumber": 1940}
    for name, body in (("settlements", settlement), ("payments", payment)):
        made = checked.company_call("POST", f"{path}/{name}", body)
        one = f"{path}/{name}/{made['id']}"
        checked.company_call("GET", one)
        checked.company_call("GET", f"{path}/{name}")
        checked.company_call("POST", f"{one}/record")
        surplus = checked.company_call("POST", f"{path}/{name}", body)
        checked.company_call("DELETE", f"{path}/{name}/{surplus['id']}")
    checked.company_call("GET", path)
    checked.company_call("GET", "invoices?query=status==underPaid")
    checked.company_call("GET", f"{path}/download")
    draft = checked.company_call(
        "POST", "invoices", {"invoiceDate": "2024-10-10", "lineItems": [SALE]}
    )
    checked.company_call("DELETE", f"invoices/{draft['id']}")

    assert len(checked.contract.checked) == 20


def test_refusals_keep_the_contract(checked: Checked):
    nothing = "00000000-0000-4000-8000-000000000000"
    checked.company_call("POST", "customers", {})
    checked.company_call("GET", f"customers/{nothing}")
    checked.company_call("GET", "customers?query=nonsense")
    checked.company_call("POST", "invoices", {"lineItems": [{}]})
    path = _invoice_journey(checked)
    checked.company_call("POST", f"{path}/record")
    checked.company_call("POST", f"{path}/publish")
    checked.company_call("DELETE", path)
    checked.token = "nonsense"
    checked.company_call("GET", "customers")


def test_the_general_api_keeps_the_contract(checked: Checked):
    sandbox, contract = checked.sandbox, checked.contract
    for fields in ({"grant_type": "client_credentials"}, {"grant_type": "nonsense"}):
        contract.hold("POST", "/token", sandbox.token_request(fields))
    contract.hold("GET", "/authorize", sandbox.request("GET", "/v1/authorize"))
    code = sandbox.authorize_directly(checked.company)
    exchange = {"grant_type": "authorization_code", "redirect_uri": sandbox.redirect_uri}
    company = sandbox.token_request(exchange | {"code": code})
    contract.hold("POST", "/token", company)
    refresh = {"grant_type": "refresh_token", "refresh_token": company.json["refresh_token"]}
    contract.hold("POST", "/token", sandbox.token_request(refresh))
    general = sandbox.token_request({"grant_type": "client_credentials"}).json
    checked.token = general["access_token"]
    connection = checked.call("GET", "/connections")["items"][0]["id"]
    checked.call("GET", f"/connections/{connection}")
    checked.call("DELETE", f"/connections/{connection}")
    checked.call("GET", f"/connections/{connection}")

    assert len(contract.checked) == 5


def test_each_operation_of_the_sandbox_is_published(sandbox: SandboxProcess, contract: Contract):
    published = {
        operation["operationId"]
        for document in contract.documents
        for operations in document["paths"].values()
        for method, operation in operations.items()
        if method in {"get", "post", "put", "delete"}
    }

    assert set(sandbox.control("GET", "")["operations"]) <= published
