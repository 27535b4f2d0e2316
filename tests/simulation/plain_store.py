"""A limiter without a limit, for the runs whose limit could not be reached: a third of their time.

Addresses are kept apart and blocks kept, as the tables do; the rest is tried where limits are low.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from bokio_app.flows.limits.asking import (
    NEXT_LOOK,
    Finished,
    Permit,
    Reason,
    Rules,
    Wait,
    Want,
)
from tests.inprocess.kernel import Kernel

NOBODY = ("", 0.0, 0.0)


@dataclass
class PlainStore:
    """See `Store`."""

    kernel: Kernel
    held: dict[tuple[UUID, str], tuple[str, float, float]] = field(default_factory=dict)
    blocked: dict[UUID, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Begin anew, as every run does."""
        self.held.clear()
        self.blocked.clear()

    def ask(self, connection_id: UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        now = self.kernel.time
        rest = self.blocked.get(connection_id, 0.0) - now
        if rest > 0:
            return Wait(rest, Reason.RATE)
        key = (connection_id, want.address)
        _token, since, until = self.held.get(key, NOBODY)
        if want.address and until > now:
            return Wait(min(max(now - since, NEXT_LOOK), until - now), Reason.PATH)
        if want.address:
            self.held[key] = (token, now, now + want.lasts)
        return Permit(connection_id, token, want.address, want.lasts, 0)

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        key = (permit.connection_id, permit.address)
        mine = self.held.get(key, NOBODY)[0] == permit.token
        if mine and (end.answered or not end.sent):
            del self.held[key]

    def block(self, connection_id: UUID, seconds: float) -> None:
        self.blocked[connection_id] = self.kernel.time + seconds
