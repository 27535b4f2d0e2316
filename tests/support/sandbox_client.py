"""Speaking to a sandbox that runs: plain HTTP, faults, the record of calls, books and tokens."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ALL_SCOPES = (
    "company-information:read",
    "fiscal-years:read",
    "chart-of-accounts:read",
    "customers:read",
    "customers:write",
    "invoices:read",
    "invoices:write",
    "credit-notes:read",
    "credit-notes:write",
    "journal-entries:read",
    "journal-entries:write",
    "items:read",
    "items:write",
    "uploads:read",
    "uploads:write",
    "suppliers:read",
    "suppliers:write",
    "supplier-invoices:read",
    "supplier-invoices:write",
    "tags:read",
    "tags:write",
    "sie:read",
)


class SandboxError(AssertionError):
    """The control API refused, or the process did not start."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. `json` has amounts as `Decimal`."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


@dataclass(frozen=True)
class Tokens:
    access_token: str
    refresh_token: str
    connection_id: str
    company_id: str


class SandboxClient:
    """One application's way to a sandbox at `api_url`, and everybody's to its control API."""

    api_url = ""
    client_id = ""
    client_secret = ""
    redirect_uri = ""

    @property
    def url(self) -> str:
        """The origin of the sandbox's pages, without a path."""
        return self.api_url.removesuffix("/v1")

    # Plain HTTP

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        json_body: object = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Reply:
        """One HTTP request to a path below the origin. Error statuses are replies too."""
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body, default=float).encode()
            sent.setdefault("Content-Type", "application/json")
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310  # always http on loopback
            self.url + path, data=body, headers=sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.code, dict(refused.headers), refused.read())

    def control(self, method: str, path: str, body: object = None, *, timeout: float = 90) -> Any:
        """Call the control API. Raises `SandboxError` when it refuses."""
        reply = self.request(method, f"/_sandbox/{path}", json_body=body, timeout=timeout)
        if reply.status >= 400:
            raise SandboxError(f"{method} {path}: {reply.status} {reply.body!r}")
        return reply.json

    # Faults

    def add_fault(
        self,
        operation: str,
        kind: str,
        *,
        nth: int | None = 1,
        times: int | None = None,
        probability: float | None = None,
        seed: int = 0,
        company: str = "",
        method: str = "",
        **params: object,
    ) -> str:
        """Order a fault for the nth call of an operation (None: all); returns its id."""
        body = {
            "operation": operation,
            "kind": kind,
            "nth": nth,
            "times": times,
            "probability": probability,
            "seed": seed,
            "company": company,
            "method": method,
            "params": params,
        }
        return str(self.control("POST", "faults", body)["id"])

    def lose_answer(self, operation: str, *, nth: int | None = 1) -> str:
        """Do the work, then drop the connection."""
        return self.add_fault(operation, "lose_answer", nth=nth)

    def fault(self, fault_id: str) -> Any:
        return self.control("GET", f"faults/{fault_id}")

    def wait_hit(self, fault_id: str, *, seconds: float = 30) -> Any:
        """Wait until the fault struck a call. Raises `SandboxError` after so many seconds."""
        return self._wait(fault_id, "hit", "hits", seconds)

    def wait_held(self, fault_id: str, *, seconds: float = 30) -> Any:
        """Wait until the fault holds a call right now."""
        return self._wait(fault_id, "held", "held", seconds)

    def _wait(self, fault_id: str, what: str, key: str, seconds: float) -> Any:
        state = self.control("GET", f"faults/{fault_id}?wait={seconds}&for={what}")
        if not state[key]:
            raise SandboxError(f"The fault was not {what} within {seconds} s: {state}")
        return state

    def release(self, fault_id: str) -> None:
        self.control("POST", f"faults/{fault_id}/release")

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    # What happened, and what the books hold

    def calls(self) -> Any:
        """`counts` per operation, the ordered list `calls`, and `overlappingWrites`."""
        return self.control("GET", "calls")

    def count(self, operation: str) -> int:
        return int(self.calls()["counts"].get(operation, 0))

    def clear_calls(self) -> None:
        self.control("DELETE", "calls")

    def books(self, company_id: str) -> Any:
        """Invoices, payments, settlements, customers, journalEntries, balances of a company."""
        return self.control("GET", f"books/{company_id}")

    def balance(self, company_id: str, account: int) -> Decimal:
        """Debit less credit of the account, SEK."""
        return Decimal(self.books(company_id)["balances"].get(str(account), "0.00"))

    def companies(self) -> Any:
        return self.control("GET", "companies")["companies"]

    def change_company(self, company_id: str, **changes: object) -> None:
        """Such as `automaticRecording=True` or `fiscalYears={"2024": {"status": "closed"}}`."""
        self.control("POST", f"companies/{company_id}", changes)

    def new_company(self, name: str, **details: object) -> str:
        """Such as `plan="basic"` or `method="cash"`; returns its id."""
        return str(self.control("POST", "companies", {"name": name, **details})["id"])

    def new_application(self, name: str, redirect_uri: str, **details: object) -> Any:
        """Register an application; the answer holds `clientId` and `clientSecret`."""
        body = {"name": name, "redirectUris": [redirect_uri], **details}
        return self.control("POST", "applications", body)

    def private_token(
        self, company_id: str, scopes: Sequence[str] = ALL_SCOPES, *, name: str = "Private"
    ) -> str:
        """Make a private integration of the company and return its lasting token."""
        body = {"name": name, "scopes": list(scopes)}
        return str(self.control("POST", f"companies/{company_id}/private-tokens", body)["token"])

    def usage(self) -> Any:
        """`calls` and `failed` per `connectionId` and `day`."""
        return self.control("GET", "usage")["usage"]

    def move_clock(self, seconds: float) -> None:
        self.control("POST", "clock", {"seconds": seconds})

    def set_switches(self, **values: object) -> None:
        self.control("POST", "switches", values)

    def connections(self) -> Any:
        return self.control("GET", "connections")["connections"]

    def revoke_connection(self, connection_id: str) -> None:
        """End a connection from Bokio's side."""
        self.control("POST", f"connections/{connection_id}/revoke")

    def expire_tokens(self, company_id: str | None = None) -> None:
        self.control("POST", "tokens/expire", {"companyId": company_id} if company_id else {})

    def act_on_invoice(self, company_id: str, invoice_id: str, action: str) -> Any:
        """`publish`, `record` or `delete` an invoice behind the application's back."""
        return self.control("POST", f"companies/{company_id}/invoices/{invoice_id}/{action}")

    def pay_invoice(
        self, company_id: str, invoice_id: str, amount: str, *, date: str, account: int = 1930
    ) -> Any:
        body = {"amount": amount, "date": date, "account": account}
        return self.control("POST", f"companies/{company_id}/invoices/{invoice_id}/payments", body)

    def settle_invoice(
        self, company_id: str, invoice_id: str, kind: str, amount: str, *, date: str
    ) -> Any:
        """Settle the invoice behind the application's back, also with the app's own kinds."""
        body = {"type": kind, "amount": amount, "date": date}
        return self.control(
            "POST", f"companies/{company_id}/invoices/{invoice_id}/settlements", body
        )

    # Tokens without a browser

    def authorize_directly(
        self, company_id: str, scopes: Sequence[str] = ALL_SCOPES, *, redirect_uri: str = ""
    ) -> str:
        """Consent for the company and return the code that the callback would receive."""
        body = {"companyId": company_id, "scopes": list(scopes), "redirectUri": redirect_uri}
        return str(self.control("POST", "authorize", body)["code"])

    def token_request(self, fields: Mapping[str, str], *, secret: str | None = None) -> Reply:
        """POST /token with the client's own credentials, or another secret."""
        pair = f"{self.client_id}:{self.client_secret if secret is None else secret}"
        return self.request(
            "POST",
            "/v1/token",
            body=urllib.parse.urlencode(fields).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def tokens_for(self, company_id: str, scopes: Sequence[str] = ALL_SCOPES) -> Tokens:
        """A connected company's tokens, by consent and exchange."""
        code = self.authorize_directly(company_id, scopes)
        reply = self.token_request(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
            }
        )
        if reply.status != 200:
            raise SandboxError(f"No token: {reply.status} {reply.body!r}")
        data = reply.json
        return Tokens(
            data["access_token"], data["refresh_token"], data["connection_id"], data["tenant_id"]
        )
