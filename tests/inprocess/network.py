"""The wire between client and sandbox: real HTTP bytes, carried by memory instead of sockets.

The client is the product's own, with its pool, its deadlines and its send guard; only the opening
of connections is ours. The sandbox reads the bytes with its own parser and answers as its server
does. Each request is served by a task of its own, so that an answer can come after the client has
gone, and work can go on at Bokio for a worker that is dead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from bokio_app.sandbox import reply
from bokio_app.sandbox.api import gate
from bokio_app.sandbox.http1 import Request, Requests
from bokio_app.sandbox.wire import Answer, Call, Ending, Query

from .kernel import Kernel

DRIP = 0.05  # seconds between two pieces of an answer that drips


@dataclass
class Moment:
    """A place on a call's way where something may happen to it.

    `place` is one of `connect`, `first_byte` (the send guard has let it pass, nothing is written),
    `body` (the head is written, the body is not), `sent` (all is written), `answer` (the answer
    has arrived, nothing of it is read). `method` and `path` are known from `first_byte` on.
    """

    place: str
    method: str = ""
    path: str = ""


@dataclass
class Network(httpcore2.NetworkBackend):
    """Opens connections to the sandbox. `seen` hears of every moment of every call, and may raise
    what a socket would, or sleep. `latency` gives the seconds of one way.
    """

    kernel: Kernel
    seen: Callable[[Moment], object] = bool
    latency: Callable[[], float] = lambda: 0.01
    refuses_until: float = 0.0
    at_work: int = field(default=0, init=False)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        self.seen(Moment("connect"))
        self.kernel.sleep(self.latency())
        if self.kernel.time < self.refuses_until:
            raise httpcore2.ConnectError("[Errno 111] Connection refused")
        return Wire(self)

    def refuse_for(self, seconds: float) -> None:
        """Let nobody connect for so long."""
        self.refuses_until = self.kernel.time + seconds


class Wire(httpcore2.NetworkStream):
    """The client's end of one connection, with the server's end behind it."""

    def __init__(self, network: Network) -> None:
        self.network, self.kernel = network, network.kernel
        self._parser = Requests(Unread())  # type: ignore[arg-type]  # it only ever asks for bytes
        self._changed = self.kernel.event()
        self._answer: deque[bytes] = deque()
        self._method = self._path = ""
        self._begun = self._told = False
        self._eof = self._reset = self._closed = False

    # The client's side

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._begun:
            self._begun, self._told = True, False
            head = buffer.split(b" ", 2)
            self._method, self._path = head[0].decode(), head[1].decode().partition("?")[0]
            self._see("first_byte")
        else:
            self._see("body")
        if self._closed or self._reset:
            raise httpcore2.WriteError("[Errno 32] Broken pipe")
        self._parser._feed(bytes(buffer))
        while self._parser._whole:
            self._begun = False
            request = self._parser._whole.popleft()
            served = self.kernel.spawn(
                f"bokio {request.method} {request.path}",
                lambda request=request: self._serve(request),
            )
            served.facts |= self.kernel.current.facts
            self._see("sent")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = None if timeout is None else self.kernel.time + timeout
        while not (self._answer or self._eof or self._reset):
            left = None if until is None else until - self.kernel.time
            if left is not None and left <= 0:
                raise httpcore2.ReadTimeout("timed out")
            self.kernel.wait(self._changed, left)
        if not self._told:
            self._told = True
            self._see("answer")
        if self._answer:
            piece = self._answer.popleft()
            if len(piece) > max_bytes:
                self._answer.appendleft(piece[max_bytes:])
            return piece[:max_bytes]
        if self._reset:
            raise httpcore2.ReadError("[Errno 104] Connection reset by peer")
        return b""

    def close(self) -> None:
        self._closed = True

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return bool(self._answer) or self._eof or self._reset
        return None

    def _see(self, place: str) -> None:
        try:
            self.network.seen(Moment(place, self._method, self._path))
        except httpcore2.WriteError:
            self._reset = True  # who can write no more reads no answer either
            raise

    # The server's side

    def _serve(self, request: Request) -> None:
        network = self.network
        self.kernel.sleep(network.latency())
        network.at_work += 1
        try:
            answer = gate.exchange(_call(request))
        finally:
            network.at_work -= 1
        self.kernel.sleep(network.latency())
        self._send(request, answer)

    def _send(self, request: Request, answer: Answer) -> None:
        """As the sandbox's server sends it."""
        if answer.ending is Ending.RESET:
            self._reset = True
            self._changed.set()
            return
        head, body = reply.head(request, answer), reply.body(request, answer)
        if answer.ending is Ending.CUT:
            self._arrive(head + body[: len(body) // 2])
            self._eof = True
        elif answer.ending is Ending.DRIP:
            self._arrive(head)
            size = max(int(answer.bytes_per_second * DRIP), 1)
            for start in range(0, len(body), size):
                self.kernel.sleep(DRIP)
                self._arrive(body[start : start + size])
        else:
            self._arrive(head + body)
        self._changed.set()

    def _arrive(self, piece: bytes) -> None:
        self._answer.append(piece)
        self._changed.set()


class Unread:
    """Stands for a socket where nobody reads: `hold` faults are not for this harness."""

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"a call in this process has no socket to {name}; use `delay`")


def _call(request: Request) -> Call:
    return Call(
        method=request.method,
        path=request.path,
        query=Query(request.query),
        headers=request.headers,
        body=request.body,
        client=Unread(),  # type: ignore[arg-type]
    )
