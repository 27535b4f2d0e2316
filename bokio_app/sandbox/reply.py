"""Answers as bytes of HTTP/1.1."""

import time
from email.utils import formatdate
from http import HTTPStatus, client

from bokio_app.sandbox.http1 import Request
from bokio_app.sandbox.wire import Answer

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_LINE_BREAKS = str.maketrans("", "", "\r\n")


class _Date:
    """The `Date` line, made once per second."""

    second = 0
    line = ""

    @classmethod
    def now(cls) -> str:
        second = int(time.time())
        if second != cls.second:
            cls.line, cls.second = f"Date: {formatdate(second, usegmt=True)}\r\n", second
        return cls.line


def head(request: Request, answer: Answer) -> bytes:
    """Status line and headers, with the length of the body that `body` would give to a GET."""
    status = int(answer.status)
    parts = [f"HTTP/1.1 {status} {client.responses.get(status, '')}\r\nServer: Sandbox\r\n"]
    parts.append(_Date.now())
    parts += [
        _line(name, value)
        for name, value in answer.headers.items()
        if name.lower() != "content-length"
    ]
    parts += [_line("Set-Cookie", cookie) for cookie in answer.cookies]
    if status not in BODILESS:
        parts.append(f"Content-Length: {len(answer.body)}\r\n")
    if not request.keep_alive:
        parts.append("Connection: close\r\n")
    elif request.version == "1.0":
        parts.append("Connection: keep-alive\r\n")
    parts.append("\r\n")
    return "".join(parts).encode("latin-1", "replace")


def _line(name: str, value: str) -> str:
    return f"{name}: {value}\r\n".translate(_LINE_BREAKS) + "\r\n"


def body(request: Request, answer: Answer) -> bytes:
    return b"" if request.method == "HEAD" or answer.status in BODILESS else answer.body


def malformed(status: int, reason: str) -> bytes:
    """A whole answer to what was not a request, after which the connection ends."""
    text = f"{reason}\n".encode()
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    headers = (
        f"Server: Sandbox\r\n{_Date.now()}Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    return (line + headers).encode() + text
