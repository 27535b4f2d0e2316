"""The real processes of a storm, and what can be done to them."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import secrets
import shutil
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.support import services
from tests.support.net import wait_until
from tests.support.processes import Program, Stack

from .wanted import Company
from .weather import FREEZE, KILL

LEASE = 40.0  # seconds, scaled: send guard, deadline and margin of the engine
FREEZE_BETWEEN = (1.1, 1.7)  # times the lease: past it, and thawed before an intent has settled
START_SECONDS = 180.0  # all start at the same time, on a machine that may be busy
LATENCY = 0.2  # seconds, scaled: what a call to Bokio takes


@dataclass(frozen=True)
class Size:
    """How many of each, and how fast time runs. `limit` is Bokio's, calls per minute."""

    companies: int
    workers: int
    factor: float
    limit: int


@dataclass
class Frozen:
    """A worker that stands still until `thaws_at`, a monotonic moment."""

    worker: Program
    thaws_at: float


@dataclass
class Scene:
    """PostgreSQL with every commit on the disk, Valkey, sandbox, scheduler and workers.

    Used as a context manager; `logs` is where the processes' output is copied to at the end.
    """

    size: Size
    seed: int
    logs: Path | None = None
    frozen: list[Frozen] = field(default_factory=list)
    ended_alone: int = 0
    _ready: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._folder, self._lock = services.make_folder()
        self._exit = contextlib.ExitStack()
        self._exit.callback(services.remove_folder, self._folder, self._lock)
        self._lots = random.Random(self.seed)  # noqa: S311  # meant to be repeatable
        try:
            self._prepare()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.logs:
            self.logs.mkdir(parents=True, exist_ok=True)
            for log in self._folder.rglob("*.log"):
                shutil.copy(log, self.logs / log.name)
        self._exit.close()

    def _prepare(self) -> None:
        os.environ |= _environment(self._folder, self.size)
        self.postgres = services.Postgres.make(self._folder, durable=True)
        self._exit.callback(self.postgres.stop)
        self.postgres.start()
        os.environ["DATABASE_URL"] = self.postgres.url
        folder = self._folder / "stack"
        folder.mkdir()
        self.stack = self._exit.enter_context(
            Stack(folder, embedded=False, companies=self.size.companies + 1)
        )
        self.workers = [
            self.stack.another_worker(f"storm{number}") for number in range(self.size.workers)
        ]
        if self.stack.broker is None:
            raise RuntimeError("A storm needs its broker")
        self.broker = self.stack.broker.start()
        self.sandbox = self.stack.sandbox.start()
        self.sandbox.set_switches(
            refresh_accepts_previous_once=True,
            rate_limit=self.size.limit,
            latency_seconds=LATENCY,
        )
        # What this process does to the rows, it does in the stack's own database.
        os.environ["DATABASE_URL"] = self.stack.database_url
        os.environ |= {"REDIS_URL": self.stack.redis_url, "DATABASE_POOL": "0"}

    def start_workers(self) -> None:
        """Start scheduler and workers, and wait until all are ready."""
        for program in (self.stack.beat, *self.workers):
            program.start(wait=False)
        everybody = len(self.workers)
        wait_until(
            lambda: len(self._at_work()) == everybody,
            what=f"{everybody} workers are ready",
            seconds=START_SECONDS,
            every=0.2,
        )

    def companies(self) -> list[Company]:
        """The companies that the storm is about: each has customers in Bokio already."""
        ids = [each["id"] for each in self.sandbox.companies()[1:]]
        return [
            Company(each, tuple(row["id"] for row in self.sandbox.books(each)["customers"]))
            for each in ids
        ]

    # What befalls it

    def may(self, deed: str) -> bool:
        """Whether the deed would hit something now: at most half of the workers stand still at
        the same time, and killing one that has not begun to work would prove nothing.
        """
        if deed not in {KILL, FREEZE}:
            return True
        too_many = deed == FREEZE and len(self.frozen) >= max(len(self.workers) // 2, 1)
        return not too_many and bool(self._at_work())

    def do(self, deed: str) -> None:
        """Carry out one deed, and start again what it has ended, as a supervisor would."""
        match deed:
            case "kill":
                self.kill(self._lots.choice(self._at_work()))
            case "crash":
                self.postgres.crash()
                self.postgres.start()
            case "flush":
                with redis.Redis.from_url(self.stack.redis_url) as store:
                    store.flushall()
            case "broker":
                self.broker.restart()
            case "freeze":
                leases = self._lots.uniform(*FREEZE_BETWEEN)
                self.freeze(self._lots.choice(self._at_work()), leases=leases)
            case _:
                raise ValueError(deed)

    def tend(self) -> None:
        """Thaw what has stood long enough, and start again what has ended without our doing."""
        now = time.monotonic()
        for each in [one for one in self.frozen if one.thaws_at <= now]:
            os.killpg(each.worker.pid, signal.SIGCONT)
            self.frozen.remove(each)
        for program in (*self.workers, self.stack.beat):
            if not program.alive:
                self.ended_alone += 1
                program.kill()
                program.start(wait=False)

    def _at_work(self) -> list[Program]:
        """The workers that take flows now. Their logs grow, so each is asked until it is ready."""
        frozen = [each.worker for each in self.frozen]
        alive = [each for each in self.workers if each not in frozen and each.alive]
        self._ready |= {
            each.pid
            for each in alive
            if each.pid not in self._ready and each.said(f"{each.name}@", "ready.")
        }
        return [each for each in alive if each.pid in self._ready]

    def kill(self, worker: Program) -> None:
        """End it without a last word, and start another in its place."""
        worker.kill()
        worker.start(wait=False)

    def freeze(self, worker: Program, *, leases: float) -> None:
        """Let it stand still for so many leases; `tend` thaws it."""
        os.killpg(worker.pid, signal.SIGSTOP)
        seconds = LEASE * self.size.factor * leases
        self.frozen.append(Frozen(worker, time.monotonic() + seconds))

    def times_said(self, *words: str) -> int:
        """How many lines of all workers hold all of the words."""
        lines = (line for each in self.workers for line in each.output().splitlines())
        return sum(all(word in line for word in words) for line in lines)


def _environment(folder: Path, size: Size) -> dict[str, str]:
    """What the product, the sandbox and this process read."""
    var = folder / "var"
    (var / "static").mkdir(mode=0o700, parents=True)
    for name in ("TEST_EMBEDDED", "BOKIO_AUTHORIZE_URL"):
        os.environ.pop(name, None)
    return {
        "DJANGO_SETTINGS_MODULE": "bokio_app.settings",
        "BOKIO_CLIENT_ID": str(uuid.uuid4()),
        "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
        "BOKIO_RATE_LIMIT": str(size.limit),
        "DATABASE_POOL": "20",
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "STATIC_MANIFEST": "0",
        "TIME_FACTOR": str(size.factor),
        "VAR_DIR": str(var),
    }
