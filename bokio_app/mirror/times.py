"""How long until the next reading: the promise of the settings, and what a month allows."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

# A reading begins after so much of the time that is promised; the rest is for carrying it out.
# Between the two by chance, so that companies that began together come apart.
EARLIEST, LATEST = 0.5, 0.65
PARTS = 2  # a month's allowance is shared by open invoices and by all lists


@dataclass(frozen=True)
class Allowance:
    """What may be used of a month's calls for readings: `left` calls, for so many `seconds`."""

    left: int
    seconds: float

    def pause(self, calls: int) -> float:
        """Seconds between two readings of so many calls each, if they share it with others."""
        share = self.left / PARTS
        return self.seconds if share < calls else calls * self.seconds / share


def until_open(calls: int, allowance: Allowance | None) -> timedelta:
    """From one reading of the open invoices, of so many calls, to the next."""
    return _until(settings.MIRROR_OPEN_WITHIN, calls, allowance)


def until_all(calls: int, allowance: Allowance | None) -> timedelta:
    """The same for all lists."""
    return _until(settings.MIRROR_ALL_WITHIN, calls, allowance)


def _until(promised: float, calls: int, allowance: Allowance | None) -> timedelta:
    seconds = promised * random.uniform(EARLIEST, LATEST)  # noqa: S311  no secret depends on it
    if allowance:
        seconds = max(seconds, allowance.pause(calls))
    return timedelta(seconds=seconds)
