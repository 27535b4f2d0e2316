"""One look for all open streams of a process, and what each of them is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable
from types import FrameType
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from .bell import heard
from .moved import Moved, Thing, Watch

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks that nobody has rung for
SOONEST = 0.2  # seconds from a ring to the look
LINGERS = 30.0  # seconds after a stream has ended: most go on to another page and open a new one
LATELY = 5.0  # seconds: a page may have been made as long before its stream is open
MOST_STREAMS = 12  # of one member in one process


class Stream:
    """One listener. What it has not fetched yet is kept as a set, so a slow one costs nothing.

    `companies` is None for a member who sees all of them.
    """

    def __init__(self, *, tenant: int, user: int, companies: frozenset[UUID] | None) -> None:
        self.tenant, self.user, self.companies = tenant, user, companies
        self.is_over = False
        self._moved = Moved()
        self._news = asyncio.Event()

    def tell(self, thing: Thing) -> None:
        """Note what has moved, if the member may see the company."""
        if self.companies is not None and thing.connection not in self.companies:
            return
        self._moved.add(
            Moved(
                flows={thing.flow} - {""},
                invoices={thing.invoice} - {""},
                connections={str(thing.connection)},
            )
        )
        self._news.set()

    def end(self) -> None:
        """Let the listener go: the process stops."""
        self.is_over = True
        self._news.set()

    async def news(self, *, within: float) -> Moved:
        """What has moved, as soon as something has; nothing when the time is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), within)
        self._news.clear()
        moved, self._moved = self._moved, Moved()
        return moved


class Hub:
    """The streams of this process. It looks only while there are any, or were a moment ago."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._task: asyncio.Task[None] | None = None
        self._watch: Watch | None = None
        self._watched: dict[int, float] = {}  # workspaces, and when each was last looked at
        self._lately: deque[tuple[float, Thing]] = deque()
        self._is_ready: asyncio.Event | None = None
        self._stops = False

    def count(self, *, user: int | None = None) -> int:
        """How many streams are open, of one member or of all."""
        return sum(user in {None, each.user} for each in tuple(self._streams))

    async def join(self, stream: Stream) -> None:
        """Begin to listen: what moves from now on is told, and what has moved just before."""
        self._end_with_the_process()
        self._streams.add(stream)
        if self._task is None or self._task.done():
            self._is_ready = asyncio.Event()
            self._task = asyncio.create_task(self._run(self._is_ready))
        if self._is_ready:
            await self._is_ready.wait()
        self._tell(stream, [thing for _at, thing in self._lately])
        if self._stops:
            stream.end()

    def leave(self, stream: Stream) -> None:
        """Listen no longer."""
        self._streams.discard(stream)

    async def _run(self, is_ready: asyncio.Event) -> None:
        self._watch = None
        self._lately.clear()
        rung = asyncio.Event()
        listening = asyncio.create_task(heard(rung))
        try:
            await self._look_again_and_again(is_ready, rung)
        finally:
            listening.cancel()

    async def _look_again_and_again(self, is_ready: asyncio.Event, rung: asyncio.Event) -> None:
        while tenants := self._tenants():
            try:
                things = await self._look(tenants)
            except Exception:
                log.exception("live_look_failed")
            else:
                self._remember(things)
                for stream in tuple(self._streams):
                    self._tell(stream, things)
            is_ready.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), LOOK_EVERY)
                await asyncio.sleep(SOONEST)  # more of the same may be about to be committed
            rung.clear()

    def _tenants(self) -> set[int]:
        """The workspaces that somebody looks at, or did a moment ago."""
        now = time.monotonic()
        self._watched |= {each.tenant: now for each in self._streams}
        self._watched = {key: at for key, at in self._watched.items() if at > now - LINGERS}
        return set(self._watched)

    def _remember(self, things: Iterable[Thing]) -> None:
        now = time.monotonic()
        self._lately.extend((now, thing) for thing in things)
        while self._lately and self._lately[0][0] < now - LATELY:
            self._lately.popleft()

    @staticmethod
    def _tell(stream: Stream, things: Iterable[Thing]) -> None:
        for thing in things:
            if thing.tenant == stream.tenant:
                stream.tell(thing)

    async def _look(self, tenants: Collection[int]) -> list[Thing]:
        return await sync_to_async(self._look_now, thread_sensitive=False)(tenants)

    def _look_now(self, tenants: Collection[int]) -> list[Thing]:
        """In a thread of its own, which keeps no connection to the database between two looks."""
        try:
            self._watch = self._watch or Watch()
            return self._watch.look(tenants)
        finally:
            close_old_connections()

    def _end_with_the_process(self) -> None:
        """Let all streams go at SIGTERM: the server waits for open answers, and these never end."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)
            mine = isinstance(before, _Ending) or before is signal.default_int_handler
            if mine or not callable(before):
                continue
            signal.signal(number, _Ending(self, asyncio.get_running_loop(), before))

    def stop(self) -> None:
        """End all streams, and every one that comes."""
        self._stops = True
        for stream in self._streams:
            stream.end()


class _Ending:
    """What happens at a signal: our streams end, then whatever the server does."""

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop, before: Any) -> None:
        self._hub, self._loop, self._before = hub, loop, before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._hub.stop)
        self._before(number, frame)


hub = Hub()
