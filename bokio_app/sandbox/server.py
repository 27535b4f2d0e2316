"""The HTTP server of the sandbox: threads, keep-alive, and a hand on the raw connection.

The API and the control API are answered without Django's request handling, so that faults can
reach the socket and hundreds of calls a second stay possible. Pages go through Django.
"""

import contextlib
import io
import logging
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.wsgi import get_wsgi_application
from django.db import connections

from bokio_app.sandbox import control
from bokio_app.sandbox.api import gate, operations
from bokio_app.sandbox.wire import Answer, Call, Ending

log = logging.getLogger(__name__)
LARGEST_BODY = 12 * 1024 * 1024
IDLE_SECONDS = 75
OPERATION_MODULES = operations.MODULES
AUTHORIZE = f"{gate.ROOT}/authorize"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Server(ThreadingMixIn, TCPServer):
    """One thread per connection, and with it one database connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, port: int) -> None:
        self.pages: Callable[..., Iterable[bytes]] = get_wsgi_application()
        self.to_reset: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()

    def shutdown_request(self, request: Any) -> None:
        """Close the connection; one that is to be reset gets no orderly end before that."""
        if request in self.to_reset:
            self.to_reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """A client that hangs up is everyday; anything else is worth a trace."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log.error("The sandbox failed while serving a connection", exc_info=error)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has it answered, and sends the answer the way it asks for."""

    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # name of the base
        """Stay quiet: the record of calls says more."""

    def respond(self) -> None:
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in LOOPBACK_NAMES:
            self._send(Answer(HTTPStatus.MISDIRECTED_REQUEST))
            return
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._send(self._answer(body))

    def _body(self) -> bytes | None:
        """The request body; None when it is too large or comes without a length."""
        if self.headers.get("Transfer-Encoding"):
            return None
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()) or int(length) > LARGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def _answer(self, body: bytes) -> Answer:
        address = urlsplit(self.path)
        if address.path.startswith(f"{gate.ROOT}/") and address.path != AUTHORIZE:
            return gate.exchange(self._call(body))
        if address.path.startswith(control.ROOT):
            return control.answer(self._call(body))
        return self._page(body)

    def _call(self, body: bytes) -> Call:
        address = urlsplit(self.path)
        return Call(
            method=self.command,
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            client=self.connection,
        )

    def _page(self, body: bytes) -> Answer:
        """Let Django answer."""
        status = HTTPStatus.OK
        headers: list[tuple[str, str]] = []

        def start_response(
            line: str, given: list[tuple[str, str]], _exc_info: object = None
        ) -> Callable[[bytes], object]:
            nonlocal status
            status = HTTPStatus(int(line.split(" ", 1)[0]))
            headers.extend(given)
            return lambda _: None

        parts = self.server.pages(self._environ(body), start_response)
        content = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        kept = {name: value for name, value in headers if name != "Set-Cookie"}
        return Answer(status, content, kept, cookies=cookies)

    def _environ(self, body: bytes) -> dict[str, Any]:
        address = urlsplit(self.path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(address.path, "latin-1"),
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        return environ

    def _send(self, answer: Answer) -> None:
        if answer.ending is Ending.RESET:
            self._reset()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        for cookie in answer.cookies:
            self.send_header("Set-Cookie", cookie)
        if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        whole = answer.body if self.command != "HEAD" else b""
        if answer.ending is Ending.CUT:
            self.wfile.write(whole[: len(whole) // 2])
            self.wfile.flush()
            # An orderly end, so that the half that was sent does arrive.
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)
            return
        self.wfile.write(whole)
        self.wfile.flush()

    def _reset(self) -> None:
        """Have the connection closed so that the client sees a reset, not an orderly end."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.server.to_reset.add(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()


for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
    setattr(Handler, f"do_{method}", Handler.respond)
