"""A server that answers as it is told, or breaks off in every way a server can."""

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

Act = Callable[["Wire"], None]


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Wire:
    """The server's end of one connection."""

    sock: socket.socket
    stopped: threading.Event
    open: bool = True

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.sock.close()
        self.open = False


@dataclass
class FaultyServer:
    """Serves on loopback, in threads. Acts are used up one by one; the last one stays."""

    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._acts: deque[Act] = deque()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.wires: list[Wire] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for wire in self.wires:
            with suppress(OSError):  # closed already; else its thread is waiting for a request
                wire.sock.shutdown(socket.SHUT_RDWR)
            wire.close()
        for thread in self._threads:
            thread.join(5)

    def will(self, *acts: Act) -> None:
        """Say what happens to the next requests."""
        self._acts = deque(acts)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = Wire(sock, self._stopped)
            self.wires.append(wire)
            self._start(self._serve, wire)

    def _serve(self, wire: Wire) -> None:
        try:
            while wire.open and (request := _read_request(wire.sock)):
                with self._lock:
                    self.seen.append(request)
                    act = self._acts[0] if len(self._acts) == 1 else self._acts.popleft()
                act(wire)
        except OSError:
            pass
        finally:
            wire.close()


def answers(body: object = None, status: int = 200, **headers: str) -> Act:
    """Answer properly; a body of bytes goes as it is. Header names are spelt with underscores."""
    content = body if isinstance(body, bytes) else b"" if body is None else json_bytes(body)
    return lambda wire: wire.sock.sendall(raw_answer(content, status, headers))


def sends(content: bytes, *, then: Callable[[Wire], None]) -> Act:
    """Send exactly these bytes, then do something to the connection."""

    def act(wire: Wire) -> None:
        wire.sock.sendall(content)
        then(wire)

    return act


def drips(content: bytes, every: float) -> Act:
    """Send one byte at a time, never pausing for longer than `every` seconds."""

    def act(wire: Wire) -> None:
        for start in range(len(content)):
            wire.sock.sendall(content[start : start + 1])
            if wire.stopped.wait(every):
                return

    return act


def stalls(wire: Wire) -> None:
    """Say nothing until the test is over."""
    wire.stopped.wait(60)


def raw_answer(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a whole answer."""
    named = {"Content-Length": str(len(content)), **(headers or {})}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Word", *lines, "", ""]).encode() + content


def json_bytes(body: object) -> bytes:
    """JSON with its numbers as Python writes them."""
    return json.dumps(body).encode()


def json_of(seen: Seen) -> Any:
    """The body of a request, its numbers as the text that was sent."""
    return json.loads(seen.body, parse_float=str, parse_int=str)


def _read_request(sock: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := sock.recv(65536)):
            return None
        data += piece
        if data[:1] == b"\x16":  # a TLS greeting
            raise OSError("this server speaks no TLS")
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        if not (piece := sock.recv(65536)):
            return None
        body += piece
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body)
