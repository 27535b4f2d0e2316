"""What goes wrong in a run: drawn from the seed, within a budget, and over after a while.

The bounds are those of the design: what is carried out late is carried out before the step's
`settle_at`, and nobody stands still between the send guard and the last byte for longer than that.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import httpcore2
from django.db import OperationalError

from tests.inprocess.harness import Harness
from tests.inprocess.points import Place

LATE = 50.0  # seconds; the latest that Bokio carries out what it was sent
FROZEN_AT_THE_BRINK = 20.0  # seconds between the send guard and the last byte
AT_BOKIO = (
    ("lose_answer", {}),
    ("error_before", {}),
    ("error_after", {}),
    ("bad_gateway", {"processed": False}),
    ("bad_gateway", {"processed": True}),
    ("reset_before", {}),
    ("truncate", {}),
    ("malformed", {}),
    ("empty", {}),
    ("delay", {"seconds": LATE}),
    ("delay", {"seconds": 31.0}),
    ("delay_after", {"seconds": 60.0}),
    ("slow", {"bytesPerSecond": 5}),
    ("token_expires", {}),
    ("rate_limited", {"retryAfter": 7}),
    ("status", {"status": 429, "code": "concurrent-write"}),
    ("status", {"status": 403, "code": "quota-exceeded", "headers": {"Retry-After": "90"}}),
    ("status", {"status": 503, "code": "unavailable"}),
)


@dataclass
class Weather:
    """Strikes workers at the places they pass. `told` keeps what struck, for the story."""

    harness: Harness
    lots: random.Random
    until: float
    told: Callable[[str], None]
    kills: int = 0
    freezes: int = 0
    network: int = 0
    commits: int = 0
    bells: float = 0.0

    @classmethod
    def draw(cls, harness: Harness, lots: random.Random, told: Callable[[str], None]) -> Weather:
        """A few kinds of faults for this run, each with a number of strikes."""
        weather = cls(harness, lots, harness.kernel.time + lots.uniform(60, 300), told)
        for kind, most in (("kills", 4), ("freezes", 2), ("network", 4), ("commits", 4)):
            if lots.random() < 0.45:
                setattr(weather, kind, lots.randint(1, most))
        weather.bells = lots.choice((0.0, 0.0, 0.3, 0.7))
        weather.order_at_bokio()
        return weather

    @property
    def over(self) -> bool:
        return self.harness.kernel.time > self.until

    def order_at_bokio(self) -> None:
        """Faults of the sandbox: at the nth call from now, whatever it is."""
        if self.lots.random() < 0.3:
            return
        for _fault in range(self.lots.randint(1, 4)):
            kind, params = self.lots.choice(AT_BOKIO)
            method = self.lots.choice(("", "POST", "POST", "GET"))
            nth = self.lots.randint(1, 20)
            self.told(f"bokio: {kind} {params or ''} at {method or 'any'} call {nth}")
            self.harness.sandbox.add_fault("*", kind, nth=nth, method=method, **params)

    def pass_by(self, place: Place) -> None:
        """A worker is at this place: perhaps something happens to it."""
        task, lots = self.harness.kernel.current, self.lots
        if not task.facts.get("worker"):
            return
        if place.name == "between" and lots.random() < 0.5:
            self.harness.kernel.sleep(lots.random() * 0.01)
        if self.over:
            return
        if self.kills and lots.random() < 0.02:
            self.kills -= 1
            self._tell(f"{task.name} is killed", place)
            self.harness.points.die()
        elif "commit" in place.name:
            self._commit(place)
        elif self.freezes and place.name not in {"before_result", "after_result"}:
            self._freeze(place)
        if place.name in {"connect", "first_byte", "body", "answer"}:
            self._break(place)

    def _commit(self, place: Place) -> None:
        if self.commits and self.lots.random() < 0.04:
            self.commits -= 1
            self._tell("the database fails", place)
            raise OperationalError("the database is gone")

    def _freeze(self, place: Place) -> None:
        if self.lots.random() < 0.02:
            self.freezes -= 1
            longest = FROZEN_AT_THE_BRINK if place.name in {"first_byte", "body"} else 200.0
            seconds = self.lots.uniform(1, longest)
            self._tell(f"{self.harness.kernel.current.name} freezes for {seconds:.0f} s", place)
            self.harness.kernel.sleep(seconds)

    def _break(self, place: Place) -> None:
        if not self.network or self.lots.random() >= 0.1:
            return
        self.network -= 1
        self._tell("the connection breaks", place)
        if place.name == "connect":
            raise self.lots.choice((httpcore2.ConnectError, httpcore2.ConnectTimeout))("no way")
        if place.name == "answer":
            raise httpcore2.ReadError("[Errno 104] Connection reset by peer")
        raise httpcore2.WriteError("[Errno 104] Connection reset by peer")

    def _tell(self, what: str, place: Place) -> None:
        self.told(f"{what} at {place.name} {place.op} {place.method} {place.path[-40:]}".rstrip())
