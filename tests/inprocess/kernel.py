"""Virtual time and tasks: everything runs in one thread, and one thing at a time.

A task is a greenlet. It runs until it sleeps, waits or ends; then the task that is due next goes
on, and the clock jumps to its moment. Nothing waits for real, and the same seed gives the same
order. The code that drives the whole (a test) is itself a task, the first one.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import greenlet

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BEGIN = 1_000.0  # monotonic seconds at START
TICK = 1e-6  # seconds; each look at a clock finds it a little later


class Stalled(Exception):
    """Every task waits for something that no task will bring about."""


class Aborted(BaseException):
    """The run is over: thrown into tasks that are left, so that they end."""


@dataclass(eq=False)
class Task:
    """One line of execution. `facts` is for whoever observes it; `skew` moves its wall clock."""

    name: str
    green: Any = field(default=None, repr=False)
    skew: timedelta = timedelta(0)
    facts: dict[str, Any] = field(default_factory=dict)
    ticket: int = 0
    ended: bool = False
    killed: bool = False
    error: BaseException | None = None
    end: Event | None = field(default=None, repr=False)

    @property
    def gone(self) -> bool:
        """Nothing more will come of it."""
        return self.ended or self.killed


@dataclass(eq=False)
class Event:
    """Something that tasks can wait for; setting it wakes those that wait now."""

    kernel: Kernel
    waiting: list[tuple[Task, int]] = field(default_factory=list)

    def set(self) -> None:
        waiting, self.waiting = self.waiting, []
        for task, ticket in waiting:
            if task.ticket == ticket:
                self.kernel.wake(task)


class Kernel:
    """The clock and the tasks of one run."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._hub: Any = None
        self.before_switch: Callable[[], None] = lambda: None
        self.restart()

    def restart(self, *, now: float = BEGIN, seed: int | str = 0) -> None:
        """End what is left of the last run, and begin at this moment."""
        self._end_tasks()
        self.time = now
        self.lots = random.Random(f"order of {seed}")
        self._queue: list[tuple[float, float, int, Task, int]] = []
        self._count = 0
        self._closing = False
        self.main = Task("main", greenlet.getcurrent())
        self.current = self.main
        self._tasks = []
        self._hub = greenlet.greenlet(self._run)

    # Clocks

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        self.time += TICK
        return self.time

    def wall(self) -> datetime:
        """The moment that the current task's machine believes it is."""
        return START + timedelta(seconds=self.monotonic() - BEGIN) + self.current.skew

    def true_time(self) -> datetime:
        """The moment it is, whatever a machine believes."""
        return START + timedelta(seconds=self.time - BEGIN)

    # Tasks

    def spawn(self, name: str, work: Callable[[], object]) -> Task:
        """Begin a task, which runs as soon as the present one sleeps or waits."""
        task = Task(name)
        task.green = greenlet.greenlet(lambda: self._carry(task, work), self._hub)
        self._tasks.append(task)
        self._push(task, self.time)
        return task

    def sleep(self, seconds: float) -> None:
        """Let so much time pass for the current task."""
        self._push(self.current, self.time + max(seconds, 0.0))
        self._switch()

    def wait(self, event: Event, seconds: float | None = None) -> None:
        """Until the event is set, or so many seconds have passed."""
        task = self.current
        task.ticket += 1
        event.waiting.append((task, task.ticket))
        if seconds is not None:
            self._push(task, self.time + max(seconds, 0.0), ticket=task.ticket)
        self._switch()

    def event(self) -> Event:
        return Event(self)

    def wake(self, task: Task) -> None:
        """Let a waiting task go on now."""
        self._push(task, self.time)

    def abandon(self) -> None:
        """The current task's process is gone: nothing of it ever runs again, no clean-up either."""
        if self.current is self.main:
            raise AssertionError("only a task that was spawned can be killed")
        self.current.killed = True
        self._end_of(self.current).set()
        self._switch()

    def join(self, task: Task) -> None:
        """Wait until the task has ended or was killed; what it raised is raised here."""
        while not task.gone:
            self.wait(self._end_of(task))
        if task.error:
            raise task.error

    @property
    def tasks(self) -> list[Task]:
        """All that were spawned in this run."""
        return list(self._tasks)

    def _carry(self, task: Task, work: Callable[[], object]) -> None:
        try:
            work()
        except Aborted:
            pass
        except BaseException as error:  # noqa: BLE001  it belongs to whoever joins the task
            task.error = error
        finally:
            task.ended = True
            self._end_of(task).set()

    def _end_of(self, task: Task) -> Event:
        if task.end is None:
            task.end = Event(self)
        return task.end

    def _push(self, task: Task, at: float, *, ticket: int | None = None) -> None:
        if ticket is None:
            task.ticket += 1
        self._count += 1
        entry = (at, self.lots.random(), self._count, task, task.ticket)
        heapq.heappush(self._queue, entry)

    def _switch(self) -> None:
        if self._closing:
            raise Aborted
        self.before_switch()
        task = self.current
        self._hub.switch()
        if self._closing:
            raise Aborted
        self.current = task

    def _run(self) -> None:
        """Hand over to whichever task is due next, for ever."""
        while True:
            while self._queue:
                at, _lot, _count, task, ticket = heapq.heappop(self._queue)
                if task.ticket == ticket and not task.gone:
                    break
            else:
                raise Stalled([each.name for each in self._tasks if not each.gone])
            self.time = max(self.time, at)
            self.current = task
            task.green.switch()

    def _end_tasks(self) -> None:
        self._closing = True
        for task in self._tasks:
            if not task.ended and task.green:
                task.green.parent = greenlet.getcurrent()
                task.green.throw(Aborted)
