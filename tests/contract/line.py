"""One kept connection to the sandbox: plain HTTP at the price of a function call."""

import http.client
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from tests.support.sandbox import Reply


class Line:
    """Sends one request after the other over the same connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def send(
        self, method: str, target: str, *, body: bytes | None = None, headers: dict[str, str]
    ) -> Reply:
        """Send as it is. A connection that the server has closed is opened again first."""
        try:
            return self._exchange(method, target, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            return self._exchange(method, target, body, headers)

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        try:
            self._connection.request(method, target, body, headers)
            answer = self._connection.getresponse()
            return Reply(answer.status, dict(answer.headers), answer.read())
        except BaseException:
            self._connection.close()  # what is half said must not be taken for the next answer
            raise

    def ask(self, method: str, path: str, token: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of a call of the API; None where there is no JSON."""
        headers = {"Authorization": f"Bearer {token}"}
        sent = None
        if body is not None:
            sent = json.dumps(body, default=_number).encode()
            headers["Content-Type"] = "application/json"
        reply = self.send(method, f"/v1{path}", body=sent, headers=headers)
        is_json = reply.body[:1] in (b"{", b"[")
        return reply.status, json.loads(reply.body, parse_float=Decimal) if is_json else None

    def close(self) -> None:
        self._connection.close()


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)
