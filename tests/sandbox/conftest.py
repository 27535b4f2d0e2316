"""One sandbox for all tests here, emptied before each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.visitor import Visitor
from tests.support.sandbox import ALL_SCOPES, Reply, SandboxProcess, running_sandbox


@dataclass
class Api:
    """The Company API of one company, spoken to over plain HTTP."""

    sandbox: SandboxProcess
    company_id: str
    token: str

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Reply:
        path = f"/v1/companies/{self.company_id}/{path}"
        return self.sandbox.request(method, path, token=self.token, json_body=body, **options)

    def ok(self, method: str, path: str, body: object = None) -> Any:
        reply = self.call(method, path, body)
        assert reply.status in (200, 204), reply.body
        return reply.json if reply.body else None

    def refused(self, method: str, path: str, body: object = None, *, status: int) -> Any:
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body)

    def pointers(self, method: str, path: str, body: object) -> list[str]:
        refusal = self.refused(method, path, body, status=400)
        assert refusal["code"] == "validation-error"
        return [error["field"] for error in refusal["errors"]]

    def customer(self, **changes: object) -> str:
        body = {
            "name": "John Doe",
            "type": "company",
            "address": {
                "line1": "Älvsborgsvägen 10",
                "city": "Göteborg",
                "postalCode": "123 45",
                "country": "SE",
            },
        }
        return str(self.ok("POST", "customers", body | changes)["id"])

    def draft(self, *lines: dict[str, Any], **changes: object) -> Any:
        changes.setdefault("customerRef", {"id": self.customer()})
        body = {
            "invoiceDate": "2024-10-10",
            "dueDate": "2024-11-10",
            "lineItems": list(lines) or [line()],
        }
        return self.ok("POST", "invoices", body | changes)

    def published(self, *lines: dict[str, Any], **changes: object) -> Any:
        draft = self.draft(*lines, **changes)
        return self.ok("POST", f"invoices/{draft['id']}/publish")

    def balance(self, account: int) -> Decimal:
        return self.sandbox.balance(self.company_id, account)

    def entries(self) -> list[dict[int, Decimal]]:
        """Debit less credit per account, of each journal entry."""
        found = self.sandbox.books(self.company_id)["journalEntries"]
        return [{row["account"]: row["debit"] - row["credit"] for row in e["items"]} for e in found]


def line(**changes: object) -> dict[str, Any]:
    standard = {
        "description": "Konsulttimmar",
        "itemType": "salesItem",
        "productType": "services",
        "unitType": "hour",
        "quantity": 1,
        "unitPrice": 1000,
        "taxRate": 25,
    }
    return standard | changes


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[SandboxProcess]:
    with running_sandbox({"TIME_FACTOR": "0.02"}) as process:
        yield process


@pytest.fixture
def sandbox(_sandbox: SandboxProcess) -> SandboxProcess:
    _sandbox.reset()
    return _sandbox


@pytest.fixture
def api(sandbox: SandboxProcess) -> Api:
    company = sandbox.companies()[0]["id"]
    return Api(sandbox, company, sandbox.tokens_for(company, ALL_SCOPES).access_token)


@pytest.fixture
def visitor(api: Api) -> Visitor:
    """A person in a browser without scripts, in the sandbox that `api` speaks to."""
    return Visitor(api.sandbox)
