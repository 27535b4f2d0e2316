"""A bell on Redis that has web processes look at once, and not only when their second is over.

It says nothing but that something has moved somewhere. Lost, or without Redis, the looks go on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from django.dispatch import receiver

from bokio_app.flows.signals import flow_moved

log = logging.getLogger(__name__)

CHANNEL = "live"
PAUSE = 0.2  # seconds between two rings of one process, however much it moves
PATIENCE = 0.25  # seconds that a ring may take
AGAIN = 5.0  # seconds after Redis was lost


class Ringer:
    """Rings for a process from a thread of its own: whoever moves something never waits."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Ring soon. Without Redis there is nobody to hear it."""
        if self._wanted.is_set() or not settings.REDIS_URL:
            return
        self._wanted.set()
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="live-bell", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        line = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
        while self._wanted.wait():
            self._wanted.clear()
            try:
                line.publish(CHANNEL, "")
            except redis.RedisError as error:
                log.debug("live_bell_failed error=%s", type(error).__name__)
            time.sleep(PAUSE)


ringer = Ringer()


@receiver(flow_moved, dispatch_uid="live_bell")
def ring(**_kwargs: Any) -> None:
    """A worker has committed something of a flow."""
    ringer.ring()


async def heard(rung: asyncio.Event) -> None:
    """Set the event whenever some process rings; goes on until it is cancelled."""
    while settings.REDIS_URL:
        line = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PATIENCE)
        try:
            async with line, line.pubsub() as messages:
                await messages.subscribe(CHANNEL)
                async for _message in messages.listen():
                    rung.set()
        except (redis.RedisError, OSError) as error:
            log.debug("live_bell_lost error=%s", type(error).__name__)
        await asyncio.sleep(AGAIN)
