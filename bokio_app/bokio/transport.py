"""The socket side: one deadline over a whole exchange, and proof of whether a byte was written.

httpx2's own time-outs count anew for every read and write, so a server that drips bytes could
hold a call for ever; and its event hooks and trace events run a little before the write. Here
the network stream itself asks the exchange at every read and write. That makes the deadline a
wall-clock one, puts the send guard directly before the first `send()`, and lets a failed call
say for certain whether anything left us.
"""

import atexit
import logging
import os
import re
import threading
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Self

import httpcore2
import httpx2

USER_AGENT: Final = "bokio-app"
KEEP_ALIVE: Final = 3.0  # seconds; servers close idle connections after 5 or more
CONNECTIONS: Final = 64  # per process, more than the threads that call
_SLICE: Final = 64 * 1024


# What breaks an exchange off, by httpx2's classes or by those below it, which bear the same names.
FAILURES: Final = (
    *(httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError),
    *(httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException),
    *(httpcore2.ProxyError, httpcore2.UnsupportedProtocol),
)


class SendGuardPassed(Exception):
    """The request was not written, because the time in which it might be written was over."""


@dataclass
class Exchange:
    """One request and its answer. Times are `time.monotonic()` seconds of this process.

    While it is entered, the streams that its thread uses obey it.
    """

    ends_at: float
    send_by: float | None = None
    wrote: bool = field(default=False, init=False)
    _before: Token["Exchange | None"] | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        self._before = _current.set(self)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._before:
            _current.reset(self._before)

    def left(self) -> float:
        """Seconds until the deadline; may be negative."""
        return self.ends_at - time.monotonic()

    def refuse_if_late(self) -> None:
        """Raise `SendGuardPassed` if the request may no longer be begun."""
        now = time.monotonic()
        if now >= self.ends_at or (self.send_by is not None and now > self.send_by):
            raise SendGuardPassed

    def before_write(self) -> None:
        """Refuse the first byte when it is too late. Called directly before the socket's send."""
        if not self.wrote:
            self.refuse_if_late()
        self.wrote = True


_current: ContextVar[Exchange | None] = ContextVar("bokio_exchange", default=None)


class _Stream(httpcore2.NetworkStream):
    """A network stream that gives each operation only what is left of the exchange's time."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _within(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            if exchange := _current.get():
                exchange.before_write()
            piece = buffer[start : start + _SLICE]
            self._inner.write(piece, _within(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: Any,  # as the class it overrides spells it: ssl.SSLContext
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        allowed = _within(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, allowed))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens TCP connections whose streams know the exchange they serve."""

    def __init__(self, network: httpcore2.NetworkBackend | None) -> None:
        self._inner = network or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        allowed = _within(timeout, httpcore2.ConnectTimeout)
        try:
            stream = self._inner.connect_tcp(host, port, allowed, local_address, socket_options)
        except UnicodeError:  # Python's own check of a name, before anybody is asked for it
            raise httpcore2.ConnectError("the host's name is malformed") from None
        return _Stream(stream)


class Transport(httpx2.HTTPTransport):
    """httpx2's transport over streams of ours. It has no option for a backend, only a pool.

    `network` opens the connections; without it, sockets are used.
    """

    def __init__(self, network: httpcore2.NetworkBackend | None = None) -> None:
        context = httpx2.create_ssl_context()
        super().__init__(verify=context)
        self.pool = self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=_Backend(network),
        )


_ALWAYS: Final = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})  # which say so even when it is empty
_PLAIN: Final = re.compile(r"(?:/[\w~-]+)*(?:\?[\w.~%=&-]*)?", re.ASCII)


class Client(httpx2.Client):
    """A client for many threads and companies: no redirects, retries, proxies or cookies.

    Cookies are refused because the client is shared: one company's must not go with another's.
    What httpx2 does around a request costs as much as the request; `open` does without it.
    """

    def __init__(self, network: httpcore2.NetworkBackend | None = None) -> None:
        transport = Transport(network)
        self._connections = transport.pool
        super().__init__(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers=_ALWAYS,
        )

    def open(
        self,
        method: str,
        address: str,
        path: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout: httpx2.Timeout,
    ) -> httpcore2.Response:
        """Send a request to `path` below `address`; the answer's body is still to be read, and
        the answer to be closed. Raises `httpx2.InvalidURL` or an error of httpcore2.
        """
        base, host = _base(address)
        if _PLAIN.fullmatch(path):  # as nearly all are: parsing costs more than sending
            target = base.target + path.encode() or b"/"
        else:
            target = httpx2.URL(address + path).raw_path
        sent = {**_ALWAYS, **headers}
        if content or method in _WITH_BODY:
            sent["Content-Length"] = str(len(content or b""))
        request = httpcore2.Request(
            method.encode(),
            httpcore2.URL(scheme=base.scheme, host=base.host, port=base.port, target=target),
            headers=[host, *((name.encode(), value.encode()) for name, value in sent.items())],
            content=[content] if content else (),
            extensions={"timeout": timeout.as_dict()},
        )
        return self._connections.handle_request(request)


@lru_cache(maxsize=16)
def _base(address: str) -> tuple[httpcore2.URL, tuple[bytes, bytes]]:
    """Where requests below an address go, and the header that says so."""
    url = httpx2.URL(address)
    base = url.raw_path.rstrip(b"/")
    found = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=base)
    return found, (b"Host", url.netloc)


def new_client(network: httpcore2.NetworkBackend | None = None) -> Client:
    """Make a client whose connections are opened by `network`, by default as sockets."""
    return Client(network)


_shared: dict[int, Client] = {}
_shared_lock = threading.Lock()


def shared_client() -> Client:
    """The client of this process, made on first use; a forked child gets one of its own."""
    with _shared_lock:
        client = _shared.get(os.getpid())
        if client is None:
            client = _shared[os.getpid()] = new_client()
            atexit.register(client.close)
        return client


def _within(timeout: float | None, late: type[Exception]) -> float | None:
    """Cut an operation's time-out to what the exchange has left; raise `late` if nothing is."""
    exchange = _current.get()
    if exchange is None:
        return timeout
    left = exchange.left()
    if left <= 0:
        raise late("the deadline of the exchange has passed")
    return left if timeout is None else min(timeout, left)


def _drop_chatter(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


# httpx2 logs every URL with its query, httpcore2 every header of an answer.
for _name in ("httpx2", "httpcore2.connection", "httpcore2.http11"):
    logging.getLogger(_name).addFilter(_drop_chatter)
