"""One ordered fault: whom it hits, and when."""

import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bokio_app.sandbox.wire import Call

ANY = "*"
COMPANY_PATH = "/companies/"

changed = threading.Condition()
"""Guards every fault, and is notified when one strikes, holds or lets go."""


class ClientGone(Exception):
    """The client hung up while its call was held."""


@dataclass
class Fault:
    """A fault counts the calls it matches from 1, and strikes some of them.

    Matching: `operation` (or `*`), and where given `company` and `method`. Without a probability
    it strikes `times` calls in a row (default 1) beginning with the `nth`; `nth` None strikes from
    the first on, without an end unless `times` sets one. With a `probability` each call from
    the `nth` on is drawn by lot, at most `times` in all: the same `seed` and the same calls give
    the same strikes.
    """

    operation: str
    kind: str
    nth: int | None = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    company: str = ""
    method: str = ""
    times: int | None = None
    probability: float | None = None
    seed: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    seen: int = 0
    hits: int = 0
    held: int = 0
    released: bool = False

    def __post_init__(self) -> None:
        self._lots = random.Random(self.seed)  # noqa: S311  # meant to be repeatable

    def matches(self, operation: str, call: Call) -> bool:
        if self.operation not in (operation, ANY):
            return False
        if self.method and self.method != call.method:
            return False
        return not self.company or f"{COMPANY_PATH}{self.company}" in call.path.lower()

    def next_strikes(self) -> bool:
        """Count one more matching call, and decide whether it is one to strike."""
        self.seen += 1
        first = self.nth or 1
        if self.probability is not None:
            drawn = self._lots.random() < self.probability
            return drawn and self.seen >= first and self.hits < (self.times or self.seen)
        if self.nth is None and self.times is None:
            return True
        return first <= self.seen < first + (self.times or 1)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "operation": self.operation,
            "kind": self.kind,
            "nth": self.nth,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "company": self.company,
            "method": self.method,
            "params": dict(self.params),
            "seen": self.seen,
            "hits": self.hits,
            "held": self.held,
            "released": self.released,
        }
