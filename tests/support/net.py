"""Ports, and waiting for something to become true without sleeping for a guessed time."""

import socket
import time
from collections.abc import Callable

from tools.net import free_port, http_status

__all__ = ["ClosedPort", "free_port", "http_status", "wait_until"]


def wait_until(
    condition: Callable[[], bool], *, what: str, seconds: float = 20, every: float = 0.02
) -> None:
    """Return as soon as `condition` holds; raise `TimeoutError` naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: still not so after {seconds:g} s")
        time.sleep(every)


class ClosedPort:
    """Hold a loopback port that refuses every connection: bound, but not listening."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
