"""How long things may take. All of it is scaled by one factor, so that tests can hurry."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from .models import Step

if TYPE_CHECKING:
    from .operations import Operation

PROOF_DELAYS = (2, 10)
ABSENT_APART = 5
LEASE_MARGIN = 5
FILTER_LAG = 60  # seconds after which a filter of Bokio's finds what has been written
LONGEST_WAIT = 300
MOST_DOUBLINGS = 9  # two to this is beyond the longest wait


def scaled(seconds: float) -> timedelta:
    """A duration of the engine, multiplied by the factor of this installation."""
    return timedelta(seconds=seconds * settings.TIME_FACTOR)


@dataclass(frozen=True)
class Window:
    """The times of one sending: latest start, lease, and when absence begins to count."""

    send_by: datetime
    lease_until: datetime
    settle_at: datetime


def window(intent_at: datetime, operation: Operation | None = None) -> Window:
    """Everything that follows from the moment of the intent; a file may take longer.

    What is proven by a filter counts as absent once a request that was carried out at the very
    last would be found as well.
    """
    with_file = operation is not None and operation.sends_file
    lag = FILTER_LAG if operation is not None and operation.by_filter else 0
    deadline = settings.FLOW_FILE_DEADLINE if with_file else settings.FLOW_DEADLINE
    send_by = intent_at + timedelta(seconds=settings.FLOW_SEND_GUARD)
    answered_by = send_by + timedelta(seconds=deadline)
    return Window(
        send_by=send_by,
        lease_until=answered_by + scaled(LEASE_MARGIN),
        settle_at=answered_by + timedelta(seconds=settings.FLOW_SETTLE) + scaled(lag),
    )


def lease(now: datetime) -> datetime:
    """Until when a worker owns a flow that it has just claimed or written to."""
    return window(now).lease_until


def next_proof(step: Step, now: datetime) -> datetime:
    """When to read next for a step with an unknown outcome: soon, later, and when settled."""
    unknown_at, settle_at = step.unknown_at or now, step.settle_at or now
    moments = [unknown_at + scaled(delay) for delay in PROOF_DELAYS]
    moments += [settle_at, settle_at + scaled(ABSENT_APART)]
    return next((moment for moment in moments if moment > now), now + scaled(ABSENT_APART))


def backoff(failures: int) -> timedelta:
    """1, 2, 4 … seconds up to five minutes, with jitter so that workers do not march in step."""
    seconds = min(2.0 ** min(failures, MOST_DOUBLINGS), LONGEST_WAIT)
    return scaled(seconds * random.uniform(0.8, 1.2))  # noqa: S311  no secret depends on it
