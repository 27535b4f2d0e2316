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
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from bokio_app.sandbox import control, outage, reply
from bokio_app.sandbox.api import gate, operations
from bokio_app.sandbox.http1 import Malformed, Request, Requests
from bokio_app.sandbox.wire import Answer, Call, Ending, Query

log = logging.getLogger(__name__)
IDLE_SECONDS = 75
LAST_WORDS_SECONDS = 1.0
DRIPS_PER_SECOND = 20
OPERATION_MODULES = operations.MODULES
AUTHORIZE = f"{gate.ROOT}/authorize"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server(ThreadingMixIn, TCPServer):
    """One thread per connection, and with it one database connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, port: int, *, bind: str = "127.0.0.1") -> None:
        self.pages: Callable[..., Iterable[bytes]] = get_wsgi_application()
        self.to_reset: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._closed_seconds = 0.0
        self._closed = threading.Event()
        super().__init__((bind, port), Handler)
        outage.begin_with(self.close_for)

    @property
    def url(self) -> str:
        """The address for clients on this machine."""
        host, port = self.server_address[:2]
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host!s}:{port}"  # noqa: S104  # compared, not bound

    def serve(self) -> None:
        """Answer until `end`, with a closed door in between whenever an outage was ordered."""
        while not self._ended.is_set():
            self.serve_forever(poll_interval=0.05)
            if self._closed_seconds and not self._ended.is_set():
                self._refuse_connections()

    def end(self) -> None:
        self._ended.set()
        self.shutdown()

    def close_for(self, seconds: float) -> None:
        """Refuse connections for so long, and drop the open ones. Returns once the door is shut."""
        self._closed.clear()
        self._closed_seconds = seconds
        self.shutdown()
        self._closed.wait(10)

    def _refuse_connections(self) -> None:
        """Keep the port, bound but not listening, so that nobody else gets it meanwhile."""
        seconds, self._closed_seconds = self._closed_seconds, 0.0
        self.socket.close()
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    self.to_reset.add(connection)
                    connection.shutdown(socket.SHUT_RDWR)
        self._closed.set()
        self._ended.wait(seconds)
        self.server_activate()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
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


class Handler(BaseRequestHandler):
    """Reads the requests of a connection, and sends each answer the way it asks for."""

    request: socket.socket
    server: Server

    def setup(self) -> None:
        self.request.settimeout(IDLE_SECONDS)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def handle(self) -> None:
        requests = Requests(self.request)
        try:
            while request := requests.next():
                answer = self._answer(request)
                if not self._send(request, answer) or not request.keep_alive:
                    return
        except TimeoutError:
            return
        except Malformed as wrong:
            self.request.sendall(reply.malformed(wrong.status, wrong.reason))
            self._let_it_arrive()

    def _let_it_arrive(self) -> None:
        """Close in order: unread data would turn the end into a reset that eats the answer."""
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(LAST_WORDS_SECONDS)
        until = time.monotonic() + LAST_WORDS_SECONDS
        with contextlib.suppress(OSError):
            while time.monotonic() < until and self.request.recv(64 * 1024):
                pass

    def _answer(self, request: Request) -> Answer:
        if not _host_is_known(request):
            return Answer(HTTPStatus.MISDIRECTED_REQUEST)
        path = request.path
        if path.startswith(gate.ROOT) and path.rstrip("/") != AUTHORIZE:
            rest = path[len(gate.ROOT) :]
            if not rest or rest[0] == "/":
                return gate.exchange(self._call(request))
        if path.startswith(control.ROOT):
            return control.answer(self._call(request))
        return self._page(request)

    def _call(self, request: Request) -> Call:
        return Call(
            method=request.method,
            path=request.path,
            query=Query(request.query),
            headers=request.headers,
            body=request.body,
            client=self.request,
        )

    def _page(self, request: Request) -> Answer:
        """Let Django answer."""
        status = int(HTTPStatus.OK)
        headers: list[tuple[str, str]] = []

        def start_response(
            line: str, given: list[tuple[str, str]], _exc_info: object = None
        ) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            headers.extend(given)
            return lambda _: None

        parts = self.server.pages(self._environ(request), start_response)
        content = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        kept = {name: value for name, value in headers if name != "Set-Cookie"}
        return Answer(status, content, kept, cookies=cookies)

    def _environ(self, request: Request) -> dict[str, Any]:
        path = request.path if request.path.rstrip("/") != AUTHORIZE else AUTHORIZE
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": f"HTTP/{request.version}",
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        return environ

    def _send(self, request: Request, answer: Answer) -> bool:
        """Send the answer the way it asks for. Returns whether the connection lives on."""
        if answer.ending is Ending.RESET:
            self._reset()
            return False
        head, body = reply.head(request, answer), reply.body(request, answer)
        if answer.ending is Ending.CUT:
            # An orderly end, so that the half that was sent does arrive.
            self.request.sendall(head + body[: len(body) // 2])
            self.request.shutdown(socket.SHUT_WR)
            return False
        if answer.ending is Ending.DRIP:
            self._drip(head, body, answer.bytes_per_second)
            return True
        self.request.sendall(head + body)
        return True

    def _drip(self, head: bytes, body: bytes, bytes_per_second: float) -> None:
        """Send the head at once and the body slowly."""
        self.request.sendall(head)
        size = max(int(bytes_per_second / DRIPS_PER_SECOND), 1)
        for start in range(0, len(body), size):
            time.sleep(size / bytes_per_second * settings.TIME_FACTOR)
            self.request.sendall(body[start : start + size])

    def _reset(self) -> None:
        """Have the connection closed so that the client sees a reset, not an orderly end."""
        with contextlib.suppress(OSError):
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.server.to_reset.add(self.request)


def _host_is_known(request: Request) -> bool:
    """A guard against web pages that point a name of theirs at this machine.

    Only browsers can be misled so, and they always name the host.
    """
    host = request.headers.get("host")
    if host is None:
        return True
    name = host[: host.rindex(":")] if ":" in host and not host.endswith("]") else host
    allowed = settings.ALLOWED_HOSTS
    return name in allowed or name.lower() in allowed or "*" in allowed
