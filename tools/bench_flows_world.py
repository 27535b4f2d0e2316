"""What the flow benchmarks need around them: servers of their own, companies, orders, readings.

PostgreSQL runs with fsync and synchronous_commit on. Whoever imports the product's modules does
so inside a function, after `World.start` has made the settings' environment.
"""

from __future__ import annotations

import base64
import os
import secrets
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support import services
from tools import children

TICKS = os.sysconf("SC_CLK_TCK")
STEPS = 7
FLUSHES = 100
ACCOUNTS = (1510, 1930, 1940, 2611, 3001, 3730, 6570)


@dataclass(frozen=True)
class Cost:
    """What some work took: wall-clock, and CPU of this process and of the servers, in seconds."""

    wall: float
    own: float
    servers: float

    @property
    def cpu(self) -> float:
        return self.own + self.servers

    def per(self, count: int) -> Cost:
        """The same for one of so many, in milliseconds."""
        return Cost(*(1000 * each / count for each in (self.wall, self.own, self.servers)))


def median(costs: Sequence[Cost]) -> Cost:
    """The middle of each figure."""
    figures = ("wall", "own", "servers")
    return Cost(*(statistics.median(getattr(each, name) for each in costs) for name in figures))


class World:
    """The servers of one benchmark, and the environment that points the product at them."""

    def __init__(self, running: services.Services) -> None:
        self.running = running
        self.folder = running.folder
        self._children: list[subprocess.Popen[Any]] = []
        with psycopg.connect(running.postgres_url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE postgres SET synchronous_commit = on")
            shown = connection.execute("SHOW fsync").fetchone()
        if shown != ("on",):
            raise RuntimeError("PostgreSQL runs without fsync")

    def stub(self, *, latency: float) -> str:
        """Start a stand-in for Bokio; returns the API's address."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench_flows_stub", "--latency", str(latency)],
            stdout=subprocess.PIPE,
            preexec_fn=children.die_with_parent(),  # noqa: PLW1509  only the child can ask the kernel
        )
        self._children.append(process)
        if process.stdout is None:
            raise RuntimeError("the stub has no output")
        return f"http://127.0.0.1:{int(process.stdout.readline())}/v1"

    def set_up(self, api_url: str) -> None:
        """Make Django ready on the scratch database."""
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "bokio_app.settings",
            "DATABASE_URL": self.running.postgres_url,
            "REDIS_URL": self.running.redis_url,
            "VAR_DIR": str(self.folder),
            "LOG_LEVEL": "WARNING",
            "STATIC_MANIFEST": "0",
            "BOKIO_API_URL": api_url,
            "BOKIO_RATE_LIMIT": "1000000000",
            "BOKIO_CLIENT_ID": str(uuid.uuid4()),
            "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
            "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        import django  # noqa: PLC0415  settings are read from the environment made above
        from django.core.management import call_command  # noqa: PLC0415

        django.setup()
        call_command("migrate", verbosity=0)

    def measure(self, work: Callable[[], object]) -> Cost:
        """Do it, and tell what it took of this machine, the stub's part left out."""
        servers, own, wall = self._busy(), time.process_time(), time.perf_counter()
        work()
        took = time.perf_counter() - wall
        return Cost(took, time.process_time() - own, self._busy() - servers)

    def flush(self) -> float:
        """Milliseconds that it takes to have a page on the disk that the servers write to."""
        took = []
        with (self.folder / "flush").open("wb", buffering=0) as file:
            for _try in range(FLUSHES):
                file.write(bytes(8192))
                began = time.perf_counter()
                os.fdatasync(file.fileno())
                took.append(time.perf_counter() - began)
        return 1000 * statistics.median(took)

    def stop(self) -> None:
        """End everything that was started."""
        for process in self._children:
            process.kill()
            process.wait()
        self.running.stop()

    def _busy(self) -> float:
        """CPU seconds of PostgreSQL and Valkey with all their processes, living and reaped."""
        roots = self.running.pids
        while True:
            ours = [each for each in _processes() if each.pid in roots or each.parent in roots]
            # One that has ended meanwhile may be missing, or be counted with its parent as well.
            if all(Path(f"/proc/{each.pid}").exists() for each in ours):
                return sum(each.ticks for each in ours) / TICKS


@dataclass(frozen=True)
class Process:
    """A line of `/proc`: CPU ticks count the children that have ended for the servers' parents."""

    pid: int
    parent: int
    ticks: int


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            yield Process(int(folder.name), int(fields[1]), sum(map(int, fields[11:15])))


def resident(pid: int) -> float:
    """Memory that a process holds, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def world() -> Iterator[World]:
    """Start the servers, and end them with everything else."""
    try:
        running = services.start()
    except services.UnavailableError as missing:
        sys.exit(str(missing))
    started = World(running)
    try:
        yield started
    finally:
        started.stop()


class Company:
    """A connected company with a customer whom Bokio has."""

    def __init__(self, tenant: Any) -> None:
        from tests.support import make  # noqa: PLC0415  after Django's setup

        self.connection = make.connection(tenant)
        make.fiscal_year(self.connection)
        for number in ACCOUNTS:
            make.account(self.connection, number)
        self.customer = make.customer(self.connection, remote_id=str(uuid.uuid4()))

    def order(self, count: int) -> None:
        """Accept so many orders of seven steps each."""
        from bokio_app.batches import orders  # noqa: PLC0415
        from bokio_app.batches import services as batches  # noqa: PLC0415
        from bokio_app.bokio import wire  # noqa: PLC0415
        from tests.batches import lines  # noqa: PLC0415

        known = {"id": self.customer.remote_id}
        for _number in range(count):
            line = lines.guide(self.connection, secrets.token_hex(8), customer=known)
            line["payments"][0]["amount"] = "64609.50"
            batches.accept(self.connection.tenant, orders.parse(wire.encode(line)))

    def work(self, count: int) -> None:
        """Be the worker of so many flows."""
        from datetime import timedelta  # noqa: PLC0415

        from bokio_app.core import clock  # noqa: PLC0415
        from bokio_app.flows import engine  # noqa: PLC0415
        from bokio_app.flows.claim import claim  # noqa: PLC0415

        for _number in range(count):
            flow = claim(self.connection.pk)
            if flow is None:
                raise RuntimeError("there is nothing to claim")
            engine.run(flow, until=clock.now() + timedelta(minutes=5))
            if flow.state != "done":
                raise RuntimeError(f"the flow ended {flow.state} {flow.stuck_code}")


def new_company() -> Company:
    """A company of a workspace of its own."""
    from tests.support import make  # noqa: PLC0415

    return Company(make.tenant())
