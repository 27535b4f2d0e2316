"""The words between the engine and the limiter: what is wanted, and what comes of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from django.conf import settings

BURST = 5  # calls that a paced asker may be ahead of its pace
SPACING = (
    0.95  # of the interval; so far apart paced calls are kept where half of the slots are used
)
GRACE = 10.0  # seconds; a freed slot is remembered so long, to judge what slower answers tell
PATIENCE = 5.0  # seconds; so long after its wait an urgent asker still counts as waiting
PROBING = 0.1  # seconds; how soon to ask again while another call finds out what is left
NEXT_LOOK = 0.02  # seconds; how soon to ask again for an address that has just been taken
HORIZON = 5.0  # seconds; a moment further ahead is not booked, for its asker will not stay for it
UNREACHABLE = 1.0  # seconds; how soon to ask again when the store does not answer


class Reason(StrEnum):
    """Why a call must wait; the values are those of `WaitReason`."""

    RATE = "rate"
    PATH = "path"
    LIMITER = "limiter"


@dataclass(frozen=True)
class Want:
    """One call that is to be made.

    `address` is method and path of a write, empty for a read. `who` is the same at each try of
    one asker. `lasts` is how many real seconds from now the call may still be under way.
    """

    who: str
    lasts: float
    urgent: bool = False
    address: str = ""


@dataclass(frozen=True)
class Permit:
    """Leave for one call. `granted_at` is in microseconds of the store's clock."""

    connection_id: uuid.UUID
    token: str
    address: str
    lasts: float
    granted_at: int = field(compare=False)


@dataclass(frozen=True)
class Wait:
    """Not now: ask again after so many real seconds."""

    seconds: float
    reason: Reason


@dataclass(frozen=True)
class Finished:
    """How the call of a permit ended. `remaining` is what Bokio says is left, None if untold.

    `sent`: something may have left us; `answered`: Bokio has finished with it.
    """

    sent: bool
    answered: bool = False
    remaining: int | None = None


@dataclass(frozen=True)
class Rules:
    """The limit in force, its times in real seconds.

    `late` is how long after its deadline Bokio may still count a call that it has not answered.
    """

    limit: int
    window: float
    burst: int = BURST
    late: float = 0.0

    @property
    def interval(self) -> float:
        """Seconds between two paced calls."""
        return self.window / self.limit

    @property
    def spacing(self) -> float:
        """Seconds between two moments that are booked where slots are scarce. A little less than
        the interval, so that what was lost is made up for.
        """
        return self.interval * SPACING


class Store(Protocol):
    """Where the state of the limiter is kept. Each method is atomic over all workers."""

    def ask(self, connection_id: uuid.UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        """Take slot, pace and address for one call, all or nothing."""

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """Free what the permit holds, as soon as the server can no longer count it."""

    def block(self, connection_id: uuid.UUID, seconds: float) -> None:
        """Grant nothing for so many real seconds, and then find out anew what is left."""


def normalised(method: str, path: str) -> str:
    """Method and path as the server tells writes apart: no query, no last slash, lower case."""
    return f"{method.upper()} {path.partition('?')[0].strip('/').lower()}"


def scaled(seconds: float) -> float:
    """Seconds of this module as real seconds of this installation."""
    return seconds * float(settings.TIME_FACTOR)


def after(seconds: float) -> timedelta:
    """The same as a time difference."""
    return timedelta(seconds=scaled(seconds))
