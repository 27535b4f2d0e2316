"""Measure the sweep over many connections: `make bench-sweep`.

A PostgreSQL of its own with durable commits and a sandbox are started, 1,000 companies connected,
and each thing that is done over all of them is run: the look for due work every two seconds,
quiet and with work in every company, the work of once a day, and the renewal of every token.
Printed are requests to Bokio, statements, seconds, processor seconds and memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.support import services
from tests.support.sandbox import SandboxProcess
from tools.bench_pages import set_up

LOOKS = 20
PATIENCE = 1800.0  # seconds until the sandbox has seeded so many companies
QUIET_SECONDS = 0.01  # of the processor, for a look that finds nothing: each two seconds
WORK_SECONDS = 0.5  # for one that finds work in every company
DAILY_SECONDS = 30.0  # for what is done once a day
REFRESH_SECONDS = 0.05  # for each token
GROWTH = 30.0  # MB, over everything
LISTED_IN_A_CALL = 100  # connections; and a token of our own, and the page that may be short
NOW_AND_THEN = 10  # steps that a company has finished in the days that are counted


@dataclass(frozen=True)
class Cost:
    """What one thing took, over all connections."""

    name: str
    requests: int
    statements: int
    wall: float
    cpu: float
    most_requests: int
    most_cpu: float

    @property
    def is_good(self) -> bool:
        return self.requests <= self.most_requests and self.cpu <= self.most_cpu

    def row(self) -> str:
        told = f"{self.wall:.2f} s | {self.cpu:.3f} s"
        marked = told if self.is_good else f"**{told}**"
        return f"| {self.name} | {self.requests} | {self.statements} | {marked} |"


class Bench:
    """The rows, the sandbox, and what has been measured so far."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox, self.costs = sandbox, list[Cost]()
        self.connections: list[Any] = []

    def measure(
        self, name: str, act: Callable[[], object], *, most_requests: int, most_cpu: float
    ) -> None:
        """Run it once, and note what it took."""
        from django.db import connection  # noqa: PLC0415  after Django's setup

        statements = 0

        def counting(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*arguments)

        self.sandbox.clear_calls()
        began, worked = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(counting):
            act()
        wall, cpu = time.perf_counter() - began, time.process_time() - worked
        requests = sum(self.sandbox.calls()["counts"].values())
        cost = Cost(name, requests, statements, wall, cpu, most_requests, most_cpu)
        self.costs.append(cost)
        print(cost.row(), flush=True)

    def fill(self, count: int) -> None:
        """Connect so many companies, each with some finished work of yesterday."""
        from django.utils import timezone  # noqa: PLC0415  after Django's setup

        from bokio_app.connections.models import Connection  # noqa: PLC0415
        from bokio_app.flows.models import Step  # noqa: PLC0415
        from tests.support import make  # noqa: PLC0415

        tenant = make.tenant()
        for company in self.sandbox.companies()[:count]:
            self.connections.append(self._connect(tenant, company["id"]))
        yesterday = timezone.now() - timedelta(days=1)
        for each in self.connections:
            for _ in range(NOW_AND_THEN):
                make.flow(each, ops=["create_invoice"], state="done")
        payload = {"invoice_date": yesterday.date().isoformat()}
        Step.objects.update(done_at=yesterday, intent_at=yesterday, payload=payload)
        Connection.objects.update(served_at=yesterday)

    def _connect(self, tenant: Any, company: str) -> Any:
        from bokio_app.bokio.oauth import Tokens  # noqa: PLC0415  after Django's setup
        from bokio_app.connections import grants  # noqa: PLC0415
        from bokio_app.connections.models import Connection, State  # noqa: PLC0415

        pair = self.sandbox.tokens_for(company)
        made = Connection.objects.create(
            tenant=tenant,
            company_id=UUID(pair.company_id),
            remote_id=UUID(pair.connection_id),
            state=State.BROKEN,
            name=f"Company {len(self.connections)}",
        )
        tokens = Tokens(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_in=3600,
            company_id=made.company_id,
            connection_id=made.remote_id,
        )
        grants.store(made, tokens, after=0)
        Connection.objects.filter(pk=made.pk).update(state=State.ACTIVE)
        return made

    def run(self) -> None:
        """Measure everything that is done over all connections."""
        from bokio_app.connections import grants, roll_call  # noqa: PLC0415  after Django's setup
        from bokio_app.flows import daily, tasks  # noqa: PLC0415
        from tests.support import make  # noqa: PLC0415

        count = len(self.connections)
        self.measure(
            f"{LOOKS} looks that find nothing",
            lambda: [tasks.look() for _ in range(LOOKS)],
            most_requests=0,
            most_cpu=LOOKS * QUIET_SECONDS,
        )
        for job in (*daily.JOBS, *daily.ONCE_A_DAY):
            name = f"once a day: {job.__module__.rpartition('.')[2]}.{job.__name__}"
            self.measure(name, job, most_requests=count, most_cpu=DAILY_SECONDS)
        for each in self.connections:
            make.flow(each)
        self.measure(
            "a look that finds work in every company",
            tasks.look,
            most_requests=0,
            most_cpu=WORK_SECONDS,
        )
        self.measure(
            "roll call: which of them Bokio still has",
            roll_call.take,
            most_requests=count // LISTED_IN_A_CALL + 2,
            most_cpu=DAILY_SECONDS,
        )
        self.measure(
            "every token renewed",
            lambda: [grants.access(each, worn=1) for each in self.connections],
            most_requests=count,
            most_cpu=count * REFRESH_SECONDS,
        )


def _peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=1000)
    asked = parser.parse_args(arguments)
    try:
        running = services.start()
    except services.UnavailableError as missing:
        sys.exit(str(missing))
    try:
        with SandboxProcess(companies=asked.companies, start_seconds=PATIENCE) as sandbox:
            bokio = {
                "BOKIO_API_URL": sandbox.api_url,
                "BOKIO_CLIENT_ID": sandbox.client_id,
                "BOKIO_CLIENT_SECRET": sandbox.client_secret,
            }
            set_up(running.postgres_url, running.folder, **bokio)
            return 0 if _measured(sandbox, asked.companies) else 1
    finally:
        running.stop()


def _measured(sandbox: SandboxProcess, companies: int) -> bool:
    bench = Bench(sandbox)
    began = time.monotonic()
    bench.fill(companies)
    print(f"{len(bench.connections)} connections ({time.monotonic() - began:.0f} s to fill)\n")
    print("| Over all of them | Requests | Statements | Seconds | Processor |")
    print("| --- | ---: | ---: | ---: | ---: |")
    before = _peak()
    bench.run()
    growth = _peak() - before
    print(f"\nThe process: {before:.0f} MB before, {growth:.1f} MB more at most")
    return all(cost.is_good for cost in bench.costs) and growth <= GROWTH


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    sys.exit(main())
