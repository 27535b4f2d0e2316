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
    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    head_size: int = 0
    body_size: int = 0
    headers_done: bool = False
    keep_alive: bool = True


class Requests:
    """The requests of one connection, one after another. The `on_` methods serve the parser."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._whole: deque[Request] = deque()
        self._parts = _Parts()
        self._too_large: Malformed | None = None
        self._parser = httptools.HttpRequestParser(self)

    def next(self) -> Request | None:
        """The next request, or None once the client has left.

        Raises `Malformed`, and `TimeoutError` when nothing arrives for the connection's time-out.
        """
        while not self._whole:
            data = self._connection.recv(PIECE)
            if not data:
                return None
            self._feed(data)
        return self._whole.popleft()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Going on with HTTP/1.1 is how a server declines to speak another protocol.
            self._parser = httptools.HttpRequestParser(self)
            if rest := data[upgrade.args[0] :]:
                self._feed(rest)
        except httptools.HttpParserError as wrong:
            if not self._whole:
                raise self._too_large or Malformed(400, str(wrong)) from None
        if not self._parts.headers_done and self._parts.head_size > LARGEST_HEAD:
            raise Malformed(431, "The headers are too large")
        if self._too_large and not self._whole:
            raise self._too_large

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
        parts.keep_alive = bool(self._parser.should_keep_alive())
        if int(parts.headers.get("content-length", "0")) > LARGEST_BODY:
            self._too_large = Malformed(413, "The body is too large")
        elif parts.headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(CONTINUE)

    def on_body(self, piece: bytes) -> None:
        parts = self._parts
        parts.body_size += len(piece)
        if parts.body_size > LARGEST_BODY:
            self._too_large = Malformed(413, "The body is too large")
        else:
            parts.body.append(piece)

    def on_message_complete(self) -> None:
        parts = self._parts
        if self._too_large:
            return
        path, query = _target(parts.url.decode("latin-1"))
        self._whole.append(
            Request(
                method=self._parser.get_method().decode("ascii"),
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
