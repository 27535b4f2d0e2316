"""Requests as clients really send them, read off one connection by the parser of `httptools`.

Bodies may come with a length or in chunks, after `Expect: 100-continue`, or several requests may
come at once. What is not HTTP/1 becomes `Malformed`, never a hung or a broken thread.
"""

import socket
from collections import deque
from dataclasses import dataclass, field

import httptools

LARGEST_BODY = 12 * 1024 * 1024
LARGEST_HEAD = 64 * 1024
PIECE = 64 * 1024
OFFER = frozenset({"connection", "upgrade", "http2-settings"})
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(eq=False)
class Malformed(Exception):
    """The connection cannot go on after an answer of this status."""

    status: int
    reason: str


@dataclass
class Request:
    """One request. Header names are in lower case; a repeated header is joined by commas.

    `path` is as sent, without scheme, host, query and fragment; so is `query`.
    """

    method: str
    path: str
    query: str
    version: str
    keep_alive: bool
    headers: dict[str, str]
    body: bytes


@dataclass
class _Parts:
    method: str = ""
    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    head_size: int = 0
    body_size: int = 0
    unparsed: int = 0
    offers_upgrade: bool = False
    headers_done: bool = False
    keep_alive: bool = True


class Requests:
    """The requests of one connection, one after another. The `on_` methods serve the parser."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._whole: deque[Request] = deque()
        self._parts = _Parts()
        self._refused: Malformed | None = None
        self._parser = httptools.HttpRequestParser(self)

    def next(self) -> Request | None:
        """The next request, or None once the client has left.

        Raises `Malformed`, and `TimeoutError` when nothing arrives for the connection's time-out.
        """
        while not self._whole:
            if self._refused:
                raise self._refused
            data = self._connection.recv(PIECE)
            if not data:
                return None
            self._feed(data)
        return self._whole.popleft()

    def _feed(self, data: bytes) -> None:
        parts = self._parts
        if not parts.headers_done and parts.unparsed > LARGEST_HEAD:
            self._refused = Malformed(431, "The headers are too large")
            return
        parts.unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline(data[upgrade.args[0] :])
        except httptools.HttpParserError as wrong:
            self._refused = self._refused or Malformed(400, str(wrong))

    def _decline(self, rest: bytes) -> None:
        """Read the request again without its offer to speak another protocol.

        Java's client offers HTTP/2 with every request. The parser stops at an offer, body or not.
        """
        parts = self._parts
        lines = [f"{parts.method} {parts.url.decode('latin-1')} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in parts.headers.items() if name not in OFFER]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._parser = httptools.HttpRequestParser(self)
        self._feed(head + rest)

    def on_message_begin(self) -> None:
        self._parts = _Parts()

    def on_url(self, url: bytes) -> None:
        self._parts.url += url
        self._parts.head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        parts = self._parts
        parts.head_size += len(name) + len(value)
        if parts.headers_done:  # trailers after a chunked body say nothing of use here
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key in parts.headers:
            text = f"{parts.headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        parts.headers[key] = text

    def on_headers_complete(self) -> None:
        parts = self._parts
        parts.headers_done = True
        parts.method = self._parser.get_method().decode("ascii")
        parts.keep_alive = bool(self._parser.should_keep_alive())
        parts.offers_upgrade = self._parser.should_upgrade()
        if parts.method == "CONNECT":
            self._refused = Malformed(405, "This is no proxy")
        elif parts.head_size > LARGEST_HEAD:
            self._refused = Malformed(431, "The headers are too large")
        elif parts.offers_upgrade:
            return
        elif int(parts.headers.get("content-length", "0")) > LARGEST_BODY:
            self._refused = Malformed(413, "The body is too large")
        elif parts.headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(CONTINUE)

    def on_body(self, piece: bytes) -> None:
        parts = self._parts
        parts.body_size += len(piece)
        if parts.body_size > LARGEST_BODY:
            self._refused = Malformed(413, "The body is too large")
        else:
            parts.body.append(piece)

    def on_message_complete(self) -> None:
        parts = self._parts
        if self._refused or parts.offers_upgrade:
            return
        path, query = _target(parts.url.decode("latin-1"))
        self._whole.append(
            Request(
                method=parts.method,
                path=path,
                query=query,
                version=self._parser.get_http_version(),
                keep_alive=parts.keep_alive,
                headers=parts.headers,
                body=b"".join(parts.body),
            )
        )


def _target(url: str) -> tuple[str, str]:
    """Path and query of a request target, also of the form with scheme and host."""
    address, _, query = url.partition("#")[0].partition("?")
    if not address.startswith("/") and "://" in address:
        address = "/" + address.partition("://")[2].partition("/")[2]
    return address, query
