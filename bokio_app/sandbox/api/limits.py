"""Two limits of the API: calls per token and minute, and one write at a time per address."""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from bokio_app.sandbox import switches
from bokio_app.sandbox.refusals import Refusal


@dataclass(frozen=True)
class Standing:
    """What a token has left. `retry_after` is in whole seconds, before `TIME_FACTOR`."""

    limit: int
    remaining: int
    retry_after: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        return {
            "Bokio-RateLimit-Limit": str(self.limit),
            "Bokio-RateLimit-Remaining": str(self.remaining),
            "Bokio-RateLimit-RetryAfter": str(self.retry_after),
        }


class RateLimiter:
    """A rolling window per token, on real time scaled by `TIME_FACTOR`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def take(self, token_hash: str) -> Standing:
        limit = switches.current().rate_limit
        window = switches.RATE_WINDOW_SECONDS * settings.TIME_FACTOR
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(token_hash, deque())
            while calls and calls[0] <= now - window:
                calls.popleft()
            allowed = len(calls) < limit
            if allowed:
                calls.append(now)
            remaining = max(limit - len(calls), 0)
            wait = calls[0] + window - now if calls and remaining == 0 else 0.0
        seconds = math.ceil(wait / settings.TIME_FACTOR) if settings.TIME_FACTOR else 0
        return Standing(limit, remaining, seconds, allowed)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


class WritesInFlight:
    """The method and path of each write between its arrival and its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def hold(self, method: str, path: str) -> Iterator[None]:
        """Hold the address. Raises `Refusal` while another write to it is under way."""
        key = f"{method} {path}"
        with self._lock:
            if key in self._keys:
                values = switches.current()
                raise Refusal(
                    values.concurrent_write_status,
                    values.concurrent_write_code,
                    "Another write to the same resource is in progress",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


rate_limiter = RateLimiter()
writes_in_flight = WritesInFlight()
