"""Measure how our copy is filled, and kept for many companies: `make bench-mirror MINUTES=3`.

PostgreSQL with durable commits, Valkey, the sandbox, and real workers. **Fill**: one company with
thousands of invoices is connected and its limit is otherwise free; at least 95.0 % of 200 calls a
minute are used, start burst included, and no call is refused. **Sweep**: 1,000 companies whose open
invoices are due; how many calls, how many seconds, and what the worker's processor and memory say.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.support.net import wait_until
from tests.support.processes import Program, Stack
from tools import load
from tools.bench_limit import LATENCY, LIMIT, START_SECONDS, THREADS, WINDOW, servers

GOAL = 0.95
WORKERS = 2
PATIENCE = 1800.0  # seconds; a seed of thousands of invoices takes minutes
RUNNING = {"TIME_FACTOR": "1"}


def fill(folder: Path, *, invoices: int, minutes: float) -> bool:
    """Connect a company of so many invoices, and count what arrives; whether the goal is met."""
    folder.mkdir()
    seconds = minutes * WINDOW
    with Stack(folder, embedded=False, env=RUNNING) as stack:
        workers = _start(stack, companies=1, history=invoices)
        [company] = load.companies(stack, [0])
        stack.sandbox.clear_calls()
        _run(stack, "_ask", company.connection_id)
        wait_until(
            lambda: bool(arrivals := _arrivals(stack)) and arrivals[-1] >= seconds,
            what="the time to measure is over",
            seconds=2 * seconds + START_SECONDS,
            every=1,
        )
        calls = stack.sandbox.calls()
        arrivals = [moment for moment in _arrivals(stack) if moment < seconds]
        peak = max(_peak(each) for each in workers)
        state = _run(stack, "_state", company.connection_id)
    used = len(arrivals) / (LIMIT * minutes)
    refused = Counter(str(each["status"]) for each in calls["calls"] if each["status"] >= 400)
    lists = {name: calls["counts"].get(name, 0) for name in ("get-invoice", "get-customer")}
    print(f"fill of {invoices} invoices, {WORKERS} workers, {minutes:g} minutes")
    print(f"  {len(arrivals)} calls  {used:.2%} of the limit  refused: {dict(refused)}")
    print(f"  lists: {lists}  rows: {state}  a worker's memory: {peak} MB", flush=True)
    return used >= GOAL and not refused


def sweep(folder: Path, *, companies: int) -> None:
    """Have the open invoices of so many companies due, and wait until all are read."""
    folder.mkdir()
    with Stack(folder, embedded=False, env=RUNNING) as stack:
        workers = _start(stack, companies=companies, history=0, run=False)
        found = [
            {**asdict(stack.sandbox.tokens_for(str(each["id"]))), "customer": ""}
            for each in stack.sandbox.companies()
        ]
        handed = folder / "companies.json"  # too many for a command line
        handed.write_text(json.dumps(found))
        _run(stack, "_timetables", str(handed))
        stack.sandbox.clear_calls()
        _let_work(stack, workers)
        began, processor = time.monotonic(), sum(_processor(each) for each in workers)
        wait_until(
            lambda: stack.sandbox.count("get-invoice") >= companies,
            what="all companies are read",
            seconds=PATIENCE,
            every=1,
        )
        took = time.monotonic() - began
        busy = sum(_processor(each) for each in workers) - processor
        calls = stack.sandbox.calls()
        peak = max(_peak(each) for each in workers)
    moments = [float(each["began"]) for each in calls["calls"]]
    most = max(Counter(int(moment) for moment in moments).values())
    refused = Counter(str(each["status"]) for each in calls["calls"] if each["status"] >= 400)
    print(f"sweep of {companies} companies, {WORKERS} workers")
    print(
        f"  {len(moments)} calls in {took:.0f} s, {most} in the fullest  refused: {dict(refused)}"
    )
    print(f"  {busy:.1f} s of the workers' processor  a worker's memory: {peak} MB", flush=True)


def _start(stack: Stack, *, companies: int, history: int, run: bool = True) -> list[Program]:
    if stack.broker is None:
        raise ValueError("the limiter's store and the workers' bells need a broker")
    stack.broker.start()
    stack.sandbox.start()
    wanted = {"companies": companies, "history": history}
    stack.sandbox.control("POST", "reset", wanted, timeout=PATIENCE)
    stack.sandbox.set_switches(latency_seconds=LATENCY)
    workers = [stack.another_worker(f"worker{n}", threads=THREADS) for n in range(WORKERS)]
    if run:
        _let_work(stack, workers)
    return workers


def _let_work(stack: Stack, workers: list[Program]) -> None:
    for program in (*workers, stack.beat):
        program.start(wait=False)
    for program in (*workers, stack.beat):
        program.wait_ready(seconds=START_SECONDS)


def _arrivals(stack: Stack) -> list[float]:
    moments = [float(call["began"]) for call in stack.sandbox.calls()["calls"]]
    return [moment - moments[0] for moment in moments]


def _peak(program: Program) -> int:
    """The most memory that the process has held, in MB."""
    status = Path(f"/proc/{program.pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def _processor(program: Program) -> float:
    """Seconds of processor time that the process has used."""
    fields = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _run(stack: Stack, function: str, values: object) -> Any:
    code = f"from tools import bench_mirror; bench_mirror.{function}({values!r})"
    printed = stack.manage(*load.SHELL, code, seconds=load.PATIENCE)
    return json.loads(printed.splitlines()[-1])


# --- Within the stack ------------------------------------------------------------------------
def _ask(connection_id: str) -> None:
    """Do what a consent does: have all lists read."""
    from django.db import transaction  # noqa: PLC0415  Django is set up only there

    from bokio_app.connections.models import Connection  # noqa: PLC0415
    from bokio_app.connections.signals import reading_wanted  # noqa: PLC0415

    connection = Connection.objects.get(pk=connection_id)
    with transaction.atomic():
        reading_wanted.send(Connection, connection=connection, by=None, occasion="bench")
    print(json.dumps({}))


def _state(connection_id: str) -> None:
    """How much has been read."""
    from bokio_app.connections.models import Connection  # noqa: PLC0415

    invoices = Connection.objects.get(pk=connection_id).invoices
    wanted = invoices.filter(details_wanted_at__isnull=False).count()
    print(json.dumps({"invoices": invoices.count(), "details left": wanted}))


def _timetables(handed: str) -> None:
    """Connect companies whose open invoices are due at once, and their other lists tomorrow."""
    from datetime import timedelta  # noqa: PLC0415

    from bokio_app.connections.models import Connection  # noqa: PLC0415
    from bokio_app.core import clock  # noqa: PLC0415
    from bokio_app.mirror.models import Mirror  # noqa: PLC0415

    found = json.loads(Path(handed).read_text())
    for values in found:
        load.connected(values)
    now = clock.now()
    for connection in Connection.objects.all():
        Mirror.objects.create(
            connection=connection, next_at=now, open_at=now, all_at=now + timedelta(days=1)
        )
    print(json.dumps({"companies": len(found)}))


def main() -> int:
    """Measure both; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--companies", type=int, default=1000)
    asked = parser.parse_args()
    with servers() as folder:
        met = not asked.invoices or fill(
            folder / "fill", invoices=asked.invoices, minutes=asked.minutes
        )
        if asked.companies:
            sweep(folder / "sweep", companies=asked.companies)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
