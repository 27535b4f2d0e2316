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
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpcore2
import httpx2

USER_AGENT: Final = "bokio-app"
KEEP_ALIVE: Final = 3.0  # seconds; servers close idle connections after 5 or more
CONNECTIONS: Final = 64  # per process, more than the threads that call
_SLICE: Final = 64 * 1024


class SendGuardPassed(Exception):
    """The request was not written, because the time in which it might be written was over."""


@dataclass
class Exchange:
    """One request and its answer. Times are `time.monotonic()` seconds of this process."""

    ends_at: float
    send_by: float | None = None
    wrote: bool = field(default=False, init=False)

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

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let the streams used by this thread in the block obey this exchange."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


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
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=_Backend(network),
        )


def new_client(network: httpcore2.NetworkBackend | None = None) -> httpx2.Client:
    """Make a client for many threads and companies: no redirects, retries, proxies or cookies.

    Cookies are refused because the client is shared: one company's must not go with another's.
    """
    return httpx2.Client(
        transport=Transport(network),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
    )


_shared: dict[int, httpx2.Client] = {}
_shared_lock = threading.Lock()


def shared_client() -> httpx2.Client:
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
