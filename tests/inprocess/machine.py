"""Puts the product and the sandbox on the kernel's clock and dice, and its calls on its network."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
from django.db import connections
from django.utils import timezone

from bokio_app.bokio import transport
from bokio_app.connections import general, usage
from bokio_app.flows import daily, errands, executor
from bokio_app.flows.limits import tables
from bokio_app.mirror import planner
from bokio_app.sandbox import clock as sandbox_clock
from bokio_app.sandbox import faults, lines, outage, store, switches
from bokio_app.sandbox.api import operations
from bokio_app.sandbox.api.limits import rate_limiter, writes_in_flight
from bokio_app.sandbox.api.quotas import meter
from bokio_app.sandbox.calls import record

from .kernel import BEGIN, Kernel
from .network import Network

FIRST_LINE = 1_700_000_000_000_000
assert operations.MODULES  # importing them has filled the sandbox's table of operations


class Machine:
    """One kernel, one network, and the client that uses it. Use within `running()`."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.kernel.before_switch = _require_no_transaction
        self.network = Network(self.kernel)
        self._tls = httpx2.create_ssl_context()
        self.client = self._new_client()
        self._bytes = random.Random(0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let nothing in the block wait for real, or depend on the time or on chance."""
        thread = threading.get_ident()
        kernel = self.kernel

        def here(ours: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
            """Other threads, such as those of the test runner, keep what is real."""

            def chosen(*given: Any) -> Any:
                return (ours if threading.get_ident() == thread else real)(*given)

            return chosen

        with ExitStack() as undo:
            for holder, name, new in (
                (time, "monotonic", here(kernel.monotonic, time.monotonic)),
                (time, "sleep", here(kernel.sleep, time.sleep)),
                (timezone, "now", here(kernel.wall, timezone.now)),
                (os, "urandom", here(self._bytes.randbytes, os.urandom)),
                (random, "_urandom", here(self._bytes.randbytes, os.urandom)),
                (sandbox_clock, "now", self._bokio_time),
                (tables, "_now", self._database_time),
                (executor, "database_time", kernel.true_time),
                (transport, "shared_client", lambda: self.client),
            ):
                undo.callback(setattr, holder, name, getattr(holder, name))
                setattr(holder, name, new)
            yield
            self.restart()

    def restart(self, *, now: float = BEGIN, seed: int | str = 0) -> None:
        """Begin anew at this moment: no tasks, no open connections, nothing ordered at Bokio."""
        with ExitStack() as silence:
            for alias in connections:
                silence.enter_context(connections[alias].execute_wrapper(_refuse))
            self.kernel.restart(now=now, seed=seed)
        self._bytes.seed(f"bytes of {seed}")
        random.seed(f"dice of {seed}")
        self.client = self._new_client()
        self.network.refuses_until = 0.0
        self._forget()

    def _new_client(self) -> httpx2.Client:
        """The product's client on our network; reading certificates is what takes time."""
        real = httpx2.create_ssl_context
        httpx2.create_ssl_context = lambda: self._tls
        try:
            return transport.new_client(self.network)
        finally:
            httpx2.create_ssl_context = real

    def _forget(self) -> None:
        """Empty what both keep in memory; their rows are the snapshot's business."""
        usage._tallies.clear()
        daily._next_look = errands._next_look = planner._next_look = 0.0
        daily._done_on.clear()
        general._tokens.clear()
        outage.begin_with(self.network.refuse_for)
        faults.ordered.clear()
        switches.reset()
        sandbox_clock.set_offset(sandbox_clock.offset() * 0)
        meter.forget()
        meter._writer = threading.current_thread()  # counts are written when they are asked for
        rate_limiter.clear()
        writes_in_flight._keys.clear()
        record.clear()
        lines._ids = itertools.count(FIRST_LINE)
        store.Generation.value += 1

    def _database_time(self) -> int:
        return (self.kernel.true_time() - tables.EPOCH) // tables.MICROSECOND

    def _bokio_time(self) -> Any:
        return self.kernel.true_time() + sandbox_clock.offset()


def _require_no_transaction() -> None:
    """All tasks share a database connection; and nobody may hold a transaction while waiting."""
    for alias in connections:
        database = connections[alias]
        if database.in_atomic_block or not database.get_autocommit():
            raise AssertionError(f"something waits inside a transaction on {alias}")


class Unreachable(BaseException):
    """A dead process asked the database for something."""


def _refuse(*_given: Any) -> None:
    raise Unreachable
