"""Measure how long a click waits beside large batches: `make bench-fairness`.

Company A has a batch of 10,000 orders, more than Bokio takes of it in hours; company B has none.
A click is a person sending an invoice to a new customer, whose first call is a search for that
customer: nothing else here searches. From just before the click's own transaction to the arrival
at the sandbox, p95: at most 0.3 s for B, and 1 s for A.

Then the same clicks in one queue for everybody, first in, first out (`tools/fifo.py`, all flows in
one lane): how long they have waited in vain when patience ends, and how long it would have taken.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.net import wait_until
from tests.support.processes import Program, Stack
from tools import load
from tools.bench_limit import LATENCY, LIMIT, START_SECONDS, THREADS, WINDOW, servers
from tools.load import Company

OTHERS_GOAL, OWN_GOAL = 0.3, 1.0  # seconds, p95
FIFO_OTHERS, FIFO_OWN = 100.0, 50.0  # seconds that one queue takes at least
WORKERS = 2
# Seconds between two clicks: their own eight calls take half of what Bokio gives, so that they do
# not wait for each other. No multiple of the 0.3 s between two slots.
PAUSE = 4.7
CALLS = 7
PATIENCE = 120.0


@dataclass(frozen=True)
class Waits:
    """Seconds from each click to its first call."""

    seconds: list[float]

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20, method="inclusive")[-1]

    def __str__(self) -> str:
        return (
            f"p50 {statistics.median(self.seconds):6.3f} s  p95 {self.p95:6.3f} s  "
            f"max {max(self.seconds):6.3f} s  ({len(self.seconds)} clicks)"
        )


class Fairness:
    """Two companies, one of them with a batch, and workers."""

    def __init__(self, stack: Stack, *, flows: int, pause: float = PAUSE) -> None:
        self.stack, self.pause = stack, pause
        if stack.broker is None:
            raise ValueError("bells need a broker")
        stack.broker.start()
        stack.sandbox.start()
        stack.sandbox.set_switches(latency_seconds=LATENCY)
        self.busy, self.quiet = load.companies(stack, [flows, 0])

    def start(self, workers: list[Program]) -> None:
        """Start the workers, and wait until the batch is at Bokio's limit."""
        for program in (*workers, self.stack.beat):
            program.start(wait=False)
        for program in (*workers, self.stack.beat):
            program.wait_ready(seconds=START_SECONDS)

    def saturate(self) -> None:
        """Wait until the batch has used what Bokio takes in a minute."""
        wait_until(
            lambda: len(self.stack.sandbox.calls()["calls"]) >= LIMIT,
            what="the batch is at the limit",
            seconds=3 * WINDOW,
            every=1,
        )

    def clicks(self, company: Company, count: int) -> Waits:
        """Click so often, a moment apart, and compare with what arrived."""
        self.stack.sandbox.clear_calls()
        cleared = time.monotonic()
        clicked = _clicked(self.stack, company, count, pause=self.pause)
        wait_until(
            lambda: len(_searches(self.stack, company)) >= count,
            what="all clicks have had their first call",
            seconds=PATIENCE,
            every=0.5,
        )
        arrived = [cleared + moment for moment in _searches(self.stack, company)]
        return Waits([there - here for here, there in zip(clicked, arrived, strict=True)])

    def in_vain(self, seconds: float) -> dict[str, float]:
        """How long a click for each company has waited, at most so many seconds."""
        self.stack.sandbox.clear_calls()
        cleared = time.monotonic()
        companies = {"own": self.busy, "others": self.quiet}
        since = {
            name: _clicked(self.stack, company, 1, pause=0, one_lane=True)[0]
            for name, company in companies.items()
        }
        while time.monotonic() < max(since.values()) + seconds and not all(
            _searches(self.stack, company) for company in companies.values()
        ):
            time.sleep(1)
        return {
            name: (cleared + found[0] if found else time.monotonic()) - since[name]
            for name, company in companies.items()
            for found in [_searches(self.stack, company)]
        }

    def waiting(self) -> int:
        """Flows that have not ended."""
        code = (
            "from bokio_app.flows.models import Flow; "
            "print(Flow.objects.exclude(state='done').count())"
        )
        return int(self.stack.manage(*load.SHELL, code).splitlines()[-1])


def _clicked(
    stack: Stack, company: Company, count: int, *, pause: float, one_lane: bool = False
) -> list[float]:
    """When each click was made, by the machine's monotonic clock."""
    values = {
        "connection": company.connection_id,
        "count": count,
        "pause": pause,
        "one_lane": one_lane,
    }
    code = f"from tools import bench_fairness; bench_fairness.click({values!r})"
    printed = stack.manage(*load.SHELL, code, seconds=count * pause + PATIENCE)
    moments: list[float] = json.loads(printed.splitlines()[-1])
    return moments


def _searches(stack: Stack, company: Company) -> list[float]:
    return [
        float(call["began"])
        for call in stack.sandbox.calls()["calls"]
        if call["operation"] == "get-customer" and company.remote_id in call["path"]
    ]


def click(values: dict[str, Any]) -> None:
    """Send so many invoices, each to a new customer. Runs in the stack, in place of the web."""
    from django.db import transaction  # noqa: PLC0415  Django is set up only there

    from bokio_app.connections.models import Connection  # noqa: PLC0415
    from bokio_app.flows.models import Flow, Lane  # noqa: PLC0415
    from bokio_app.flows.tasks import be_ready_to_ring  # noqa: PLC0415
    from bokio_app.invoicing import services  # noqa: PLC0415
    from tests.support import make  # noqa: PLC0415

    connection = Connection.objects.get(pk=values["connection"])
    person = make.member(connection.tenant, email=f"{uuid.uuid4()}@example.com")
    be_ready_to_ring()  # as `bokio_app.asgi` does
    invoices = [
        make.invoice(
            connection,
            by=person,
            customer=make.customer(connection, org_number=load.new_number()),
        )
        for _ in range(values["count"])
    ]
    moments = []
    for invoice in invoices:
        time.sleep(values["pause"])
        moments.append(time.monotonic())
        with transaction.atomic():
            flow, _ = services.start_sending(invoice, by=person)
            if values["one_lane"]:
                Flow.objects.filter(pk=flow.pk).update(lane=Lane.BATCH)
    print(json.dumps(moments))


def measure(folder: Path, *, flows: int, clicks: int, fifo_seconds: float) -> bool:
    """One run; whether the goals are met."""
    with Stack(folder, embedded=False, companies=2, env={"TIME_FACTOR": "1"}) as stack:
        fairness = Fairness(stack, flows=flows)
        with ExitStack() as running:
            ours = [stack.another_worker(f"ours{n}", threads=THREADS) for n in range(WORKERS)]
            for worker in ours:
                running.callback(worker.terminate)
            fairness.start(ours)
            fairness.saturate()
            others = fairness.clicks(fairness.quiet, clicks)
            own = fairness.clicks(fairness.busy, clicks)
        print(f"a batch of {flows} orders, {WORKERS} worker processes: click to first call")
        print(f"  another company's click  {others}  goal {OTHERS_GOAL} s")
        print(f"  the same company's       {own}  goal {OWN_GOAL} s", flush=True)
        met = others.p95 <= OTHERS_GOAL and own.p95 <= OWN_GOAL
        return met and (not fifo_seconds or _compare(fairness, fifo_seconds))


def _compare(fairness: Fairness, seconds: float) -> bool:
    stack = fairness.stack
    queue = [
        stack.another_worker(f"fifo{n}", threads=THREADS, app="tools.fifo") for n in range(WORKERS)
    ]
    fairness.start(queue)
    waited, ahead = fairness.in_vain(seconds), fairness.waiting()
    hours = ahead * CALLS * WINDOW / LIMIT / 3600
    print("first in, first out, all in one lane")
    print(f"  another company's click  waited {waited['others']:.0f} s, and had not begun")
    print(f"  the same company's       waited {waited['own']:.0f} s, and had not begun")
    print(f"  {ahead} flows of {CALLS} calls at {LIMIT} a minute are ahead: {hours:.1f} h")
    return waited["others"] > FIFO_OTHERS and waited["own"] > FIFO_OWN


def main() -> int:
    """Measure; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--fifo-seconds", type=float, default=110.0, help="0 leaves it out")
    asked = parser.parse_args()
    with servers() as folder:
        place = folder / "fairness"
        place.mkdir()
        met = measure(
            place, flows=asked.flows, clicks=asked.clicks, fifo_seconds=asked.fifo_seconds
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
