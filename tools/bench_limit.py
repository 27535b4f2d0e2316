"""Measure how much of Bokio's allowance is used at the limit: `make bench-limit MINUTES=10`.

Four worker processes, PostgreSQL with durable commits, Valkey and the sandbox, which counts what
arrives. A company is saturated with orders from before the first call on. Goals: at least 99.0 %
of 200 calls a minute, start burst included, no 429, and no call that is not a step's own.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import services
from tests.support.net import wait_until
from tests.support.processes import Stack
from tools import load
from tools.load import Company

LIMIT, WINDOW = 200, 60.0
GOAL = 0.99
LATENCY = 0.04  # seconds at the sandbox; with ours around it, a round trip of nearly 50 ms
WORKERS, THREADS = 4, 16
START_SECONDS = 180.0  # many processes at once take long on a busy machine
CALLS_PER_ORDER = {True: 7, False: 9}
ORDER = (
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "record-invoice-with-id",
    "post-invoice-settlement",
    "record-invoice-settlement-with-id",
    "post-invoice-payment",
    "record-invoice-payment-with-id",
)
NEW_CUSTOMER = ("get-customer", "post-customer")


@dataclass(frozen=True)
class Share:
    """What arrived for one company in the seconds since its first call."""

    arrived: int
    seconds: float
    refused: Counter[str]

    @property
    def used(self) -> float:
        """Part of the allowance that was used."""
        return self.arrived / (LIMIT * self.seconds / WINDOW)


class Saturation:
    """Companies with more work than Bokio takes, and the workers for it.

    `cleared` is the machine's monotonic time from which the sandbox's calls count.
    """

    def __init__(self, stack: Stack, *, workers: int = WORKERS) -> None:
        self.stack = stack
        self.companies: list[Company] = []
        self.cleared = 0.0
        self._workers = [
            stack.another_worker(f"worker{number}", threads=THREADS) for number in range(workers)
        ]

    def start(self, orders: Sequence[int], *, known: Sequence[bool]) -> None:
        """Give each company so many orders, and only then start the workers."""
        stack = self.stack
        if stack.broker is None:
            raise ValueError("the limiter's store and the workers' bells need a broker")
        stack.broker.start()
        stack.sandbox.start()
        stack.sandbox.set_switches(latency_seconds=LATENCY)
        self.companies = load.companies(stack, orders, known=known)
        stack.sandbox.clear_calls()
        self.cleared = time.monotonic()
        for program in (*self._workers, stack.beat):
            program.start(wait=False)
        for program in (*self._workers, stack.beat):
            program.wait_ready(seconds=START_SECONDS)

    def arrivals(self, company: Company) -> list[float]:
        """When each call for the company arrived, in seconds since the first."""
        began = [
            float(call["began"])
            for call in self.stack.sandbox.calls()["calls"]
            if company.remote_id in call["path"]
        ]
        return [moment - began[0] for moment in began]

    def share(self, company: Company, seconds: float) -> Share:
        """What the company got in so many seconds since its first call."""
        calls = [
            call
            for call in self.stack.sandbox.calls()["calls"]
            if company.remote_id in call["path"]
        ]
        arrived = sum(moment < seconds for moment in self.arrivals(company))
        refused = Counter(str(call["status"]) for call in calls if (call["status"] or 0) >= 400)
        return Share(arrived, seconds, refused)

    def run(self, seconds: float) -> list[Share]:
        """Wait until so much time has passed since the last company's first call."""
        time.sleep(seconds)
        wait_until(
            lambda: all(
                (moments := self.arrivals(company)) and moments[-1] >= seconds
                for company in self.companies
            ),
            what="the time to measure is over",
            seconds=60,
            every=1,
        )
        return [self.share(company, seconds) for company in self.companies]

    def drain(self, orders: int, *, patience: float) -> Counter[str]:
        """Wait until all orders are through; return how often each operation was called."""
        last = ORDER[-1]
        wait_until(
            lambda: self.stack.sandbox.count(last) >= orders,
            what="all orders are through",
            seconds=patience,
            every=1,
        )
        return Counter(self.stack.sandbox.calls()["counts"])


def surplus(counts: Counter[str], *, known: int, new: int) -> dict[str, int]:
    """Calls beyond, or short of, those that so many orders need. Readings afterwards are free."""
    expected = Counter(dict.fromkeys(ORDER, known + new))
    expected.update(dict.fromkeys(NEW_CUSTOMER, new))
    names = {*expected, *(name for name in counts if not name.startswith(("get-", "request-")))}
    return {name: counts[name] - expected[name] for name in names if counts[name] != expected[name]}


@contextmanager
def servers() -> Iterator[Path]:
    """PostgreSQL for the stacks of one run, and the environment that they take from us."""
    running = services.start()
    try:
        var = running.folder / "var"
        (var / "static").mkdir(parents=True)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "bokio_app.settings",
            "BOKIO_CLIENT_ID": str(uuid.uuid4()),
            "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
            "DATABASE_URL": running.postgres_url,
            "FIELD_ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "STATIC_MANIFEST": "0",
            "TIME_FACTOR": "1",
            "VAR_DIR": str(var),
        }
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    finally:
        running.stop()


def measure(folder: Path, *, companies: int, minutes: float) -> bool:
    """One run: saturate, count, drain, print; whether the goals are met."""
    folder.mkdir()
    seconds = minutes * WINDOW
    known = [number % 2 == 0 for number in range(companies)]
    orders = [int(LIMIT * (minutes + 0.3)) // CALLS_PER_ORDER[each] + 1 for each in known]
    with Stack(folder, embedded=False, companies=companies, env={"TIME_FACTOR": "1"}) as stack:
        saturation = Saturation(stack)
        saturation.start(orders, known=known)
        shares = saturation.run(seconds)
        counts = saturation.drain(sum(orders), patience=4 * WINDOW)
        calls = stack.sandbox.calls()
    ours = dict(zip(known, orders, strict=True)) if companies > 1 else {True: orders[0]}
    wrong = surplus(counts, known=ours.get(True, 0), new=ours.get(False, 0))
    print(f"{companies} saturated, {WORKERS} worker processes, {minutes:g} minutes")
    for share in shares:
        print(f"  {share.arrived:>6} arrived  {share.used:7.2%}  refused: {dict(share.refused)}")
    print(f"  calls too many or too few: {wrong or 'none'}")
    print(f"  writes at one address at once: {len(calls['overlappingWrites'])}", flush=True)
    return (
        all(share.used >= GOAL and not share.refused for share in shares)
        and not wrong
        and not calls["overlappingWrites"]
    )


def main() -> int:
    """Measure one company, then two at once; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--companies", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    with servers() as folder:
        met = [
            measure(folder / f"of-{count}", companies=count, minutes=asked.minutes)
            for count in asked.companies
        ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
