"""A queue in which nobody's many jobs stand before another's few."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class FairQueue(Generic[Job]):
    """Jobs of several owners, taken from each owner in turn; first come, first served within one.

    Not safe for threads: its user holds a lock.
    """

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, deque[Job]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def put(self, job: Job, *, of: Hashable) -> None:
        """Add a job of this owner."""
        self._jobs.setdefault(of, deque()).append(job)

    def take(self) -> Job:
        """Remove and return the next job. Raises `KeyError` when there is none."""
        owner, jobs = self._jobs.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._jobs[owner] = jobs  # behind all others
        return job
