"""The sandbox as a process of its own, for tests: start, stop, order faults, read the books."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools import children

ROOT = Path(__file__).resolve().parents[2]
READY = "sandbox ready "
START_SECONDS = 60.0
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


class SandboxProcess:
    """Runs `manage.py sandbox` on a free port. Use as a context manager or with start and stop.

    `env` adds to the environment; `companies` and `history` say how much is seeded. The books
    live in a folder of their own that goes away with the object's last `stop(forget=True)`.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        *,
        companies: int = 1,
        history: int = 0,
        port: int = 0,
        var_dir: Path | None = None,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.client_id = str(uuid.uuid4())
        self.client_secret = uuid.uuid4().hex
        self.redirect_uri = "http://127.0.0.1:8000/bokio/callback"
        self._companies, self._history, self._port = companies, history, port
        self._start_seconds = start_seconds
        self._folder = None if var_dir else tempfile.TemporaryDirectory(prefix="sandbox-")
        self.var_dir = var_dir or Path(self._folder.name if self._folder else ".")
        self._env = dict(env or {})
        self._process: subprocess.Popen[str] | None = None
        self.api_url = ""

    @property
    def url(self) -> str:
        """The origin of the sandbox's pages, without a path."""
        return self.api_url.removesuffix("/v1")

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SandboxError("The sandbox is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers. After a stop: the same port and the same books."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings",
            "VAR_DIR": str(self.var_dir),
            "SANDBOX_CLIENT_ID": self.client_id,
            "SANDBOX_CLIENT_SECRET": self.client_secret,
            "SANDBOX_REDIRECT_URIS": self.redirect_uri,
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("SANDBOX_DATABASE_URL", None)
        environment.update(self._env)
        self.client_id = environment["SANDBOX_CLIENT_ID"]
        self.client_secret = environment["SANDBOX_CLIENT_SECRET"]
        self.redirect_uri = environment["SANDBOX_REDIRECT_URIS"].split(",")[0]
        arguments = (
            f"sandbox --port {self._port} --companies {self._companies} --history {self._history}"
        )
        self._log = (self.var_dir / "sandbox.log").open("a")
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments.split()],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            preexec_fn=children.die_with_parent(),  # noqa: PLW1509  # only the child can ask
        )
        self.api_url = self._ready_line()
        self._port = int(self.url.rsplit(":", 1)[1])
        return self

    def _ready_line(self) -> str:
        process = self._process
        if process is None or process.stdout is None:
            raise SandboxError("The sandbox is not running")
        # Kills a start that hangs, which ends the reading below.
        watch = threading.Timer(self._start_seconds, process.kill)
        watch.start()
        try:
            for line in process.stdout:
                if line.startswith(READY):
                    return line.removeprefix(READY).strip()
        finally:
            watch.cancel()
        log = (self.var_dir / "sandbox.log").read_text()[-2000:]
        raise SandboxError(f"The sandbox did not start: {log}")

    def stop(self, *, kill: bool = False, forget: bool = False) -> None:
        """End the process: politely, or with SIGKILL. `forget` deletes its books too."""
        if self._process is not None:
            if kill:
                self._process.kill()
            else:
                self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            if self._process.stdout:
                self._process.stdout.close()
            self._log.close()
            self._process = None
        if forget and self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(forget=True)

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

    def reset(self, *, companies: int | None = None, history: int | None = None) -> Any:
        """Forget everything: books, connections, faults, calls, clock and switches."""
        wanted = {
            "companies": self._companies if companies is None else companies,
            "history": self._history if history is None else history,
        }
        return self.control("POST", "reset", wanted)["companies"]

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

    # Tokens without a browser

    def settle_invoice(
        self, company_id: str, invoice_id: str, kind: str, amount: str, *, date: str
    ) -> Any:
        """Settle the invoice behind the application's back, also with the app's own kinds."""
        body = {"type": kind, "amount": amount, "date": date}
        return self.control(
            "POST", f"companies/{company_id}/invoices/{invoice_id}/settlements", body
        )

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


@contextlib.contextmanager
def running_sandbox(
    env: Mapping[str, str] | None = None, *, companies: int = 1, history: int = 0
) -> Iterator[SandboxProcess]:
    """A sandbox for the length of a `with`, gone with its books afterwards."""
    with SandboxProcess(env, companies=companies, history=history) as process:
        yield process
