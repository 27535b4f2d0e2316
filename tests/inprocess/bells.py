"""The messages to workers, held in a list instead of a broker: lost, doubled or late at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from bokio_app.core import clock
from bokio_app.flows import engine, tasks
from bokio_app.flows.claim import claim
from bokio_app.flows.executor import may_execute
from bokio_app.flows.models import Lane

from .kernel import Kernel


@dataclass(frozen=True)
class Bell:
    """One message: what `tasks.work` would be called with, and when it was sent."""

    connection_id: str
    urgent: bool
    sent_at: float

    def answer(self) -> None:
        """Do what a thread of a worker does that receives it."""
        if not may_execute():
            return
        until = clock.now() + timedelta(seconds=settings.FLOW_TURN)
        while clock.now() < until:
            flow = claim(UUID(self.connection_id), urgent=self.urgent)
            if flow is None:
                return
            engine.run(flow, until=until)


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
        send, ring = tasks.work.apply_async, tasks.ring

        def with_broker(connection_id: UUID, *, lane: Lane) -> None:
            """Only the bell believes that there is a broker: the limiter is the tables'."""
            settings.REDIS_URL = "memory://"
            try:
                ring(connection_id, lane=lane)
            finally:
                settings.REDIS_URL = ""

        tasks.work.apply_async, tasks.ring = self._send, with_broker
        try:
            yield
        finally:
            tasks.work.apply_async, tasks.ring = send, ring

    def _send(self, given: list[Any], **_options: Any) -> None:
        if self.broken:
            raise ConnectionError("no broker")
        connection_id, urgent = given
        bell = Bell(connection_id, urgent, self.kernel.time)
        self.waiting.append(bell)
        self.sent(bell)
