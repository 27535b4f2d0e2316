"""The messages to workers, held in a list instead of a broker: lost, doubled or late at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bokio_app.flows import tasks

from .kernel import Kernel


@dataclass(frozen=True)
class Bell:
    """One message: what `tasks.work` is called with, and when it was sent."""

    connection_id: str
    urgent: bool
    sent_at: float

    def answer(self) -> None:
        """Do what a worker does that receives it."""
        tasks.work(self.connection_id, self.urgent)


@dataclass
class Bells:
    """Messages that wait to be delivered. While `broken`, sending fails as with a broker down."""

    kernel: Kernel
    waiting: list[Bell] = field(default_factory=list)
    broken: bool = False
    sent: Callable[[Bell], object] = bool

    def lose(self) -> int:
        """Lose every message; returns how many."""
        lost, self.waiting = len(self.waiting), []
        return lost

    def double(self, times: int = 2) -> None:
        """Have every message arrive so many times."""
        self.waiting = [bell for bell in self.waiting for _copy in range(times)]

    def take(self) -> list[Bell]:
        """Receive all messages; the workers are the caller's."""
        taken, self.waiting = self.waiting, []
        return taken

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Receive in the block what the product sends to its workers."""
        self.waiting, self.broken = [], False
        real = tasks.work.apply_async
        tasks._hears_itself.set()
        tasks.work.apply_async = self._send
        try:
            yield
        finally:
            tasks._hears_itself.clear()
            tasks.work.apply_async = real

    def _send(self, given: list[Any], **_options: Any) -> None:
        if self.broken:
            raise ConnectionError("no broker")
        connection_id, urgent = given
        bell = Bell(connection_id, urgent, self.kernel.time)
        self.waiting.append(bell)
        self.sent(bell)
