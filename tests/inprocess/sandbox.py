"""The sandbox in this process, under the same interface as the one in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from bokio_app.sandbox import control
from bokio_app.sandbox.api import gate
from bokio_app.sandbox.seed import seed
from bokio_app.sandbox.wire import Call, Ending, Query
from tests.support.sandbox_client import Reply, SandboxClient, SandboxError

from .machine import Machine
from .network import Unread


class InProcessSandbox(SandboxClient):
    """Answers at once, without the network and without the clock moving."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.api_url = settings.BOKIO_API_URL
        self.client_id = settings.BOKIO_CLIENT_ID
        self.client_secret = settings.BOKIO_CLIENT_SECRET
        [self.redirect_uri] = settings.SANDBOX_REDIRECT_URIS

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
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if json_body is not None:
            body = json.dumps(json_body, default=float).encode()
        if token:
            sent["authorization"] = f"Bearer {token}"
        parts = urlsplit(path)
        call = Call(
            method=method,
            path=parts.path,
            query=Query(parts.query),
            headers=sent,
            body=body or b"",
            client=Unread(),  # type: ignore[arg-type]
        )
        handler = control.answer if path.startswith(control.ROOT) else gate.exchange
        answer = handler(call)
        if answer.ending is not Ending.WHOLE:
            raise SandboxError(f"{method} {path}: the answer was {answer.ending}")
        return Reply(answer.status, dict(answer.headers), answer.body)

    def plant(self, *, companies: int) -> None:
        """Register the application, and seed so many companies."""
        seed.register_application()
        self.control("POST", "reset", {"companies": companies, "history": 0})

    def _wait(self, fault_id: str, what: str, key: str, seconds: float) -> Any:
        """Let virtual time pass until the fault has struck."""
        until = self.machine.kernel.time + seconds
        while not (state := self.fault(fault_id))[key]:
            if self.machine.kernel.time > until:
                raise SandboxError(f"The fault was not {what} within {seconds} s: {state}")
            self.machine.kernel.sleep(0.01)
        return state
