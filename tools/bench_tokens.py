"""Measure that tokens are refreshed once, whoever needs them: `make bench-tokens`.

64 workers in four processes use one connection, and treat each token as refused as soon as they
have it, so all of them want the next generation at once. Goal: exactly one refresh for each of
1,000 generations at a sandbox that takes no refresh token twice, and never a new consent.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path

from tests.support.processes import Stack
from tools import children, load
from tools.bench_limit import servers

PROCESSES, THREADS = 4, 16
LOOK = 0.01  # seconds between two looks of a worker that waits for another's refresh


def work(connection_id: str, generations: int, threads: int) -> int:
    """Be so many workers until the connection has had so many generations. Runs in the stack."""
    import django  # noqa: PLC0415

    django.setup()
    from bokio_app.connections import grants  # noqa: PLC0415  Django is set up only now
    from bokio_app.connections.models import Connection  # noqa: PLC0415

    connection = Connection.objects.get(pk=connection_id)
    failed: list[BaseException] = []

    def use() -> None:
        worn = 0
        while worn < generations and not failed:
            try:
                worn = grants.access(connection, worn=worn).generation
            except grants.RefreshUnderWay:
                time.sleep(LOOK)
            except Exception as error:  # noqa: BLE001  any of them is a defect to be told of
                failed.append(error)

    workers = [threading.Thread(target=use) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for error in failed:
        print(f"{type(error).__name__}: {error}")
    return 1 if failed else 0


def measure(folder: Path, *, generations: int) -> bool:
    """Print what the sandbox saw of it; whether that was one refresh for each generation."""
    with Stack(folder, embedded=False, env={"TIME_FACTOR": "1"}) as stack:
        stack.sandbox.start()
        [company] = load.companies(stack, [0])
        stack.sandbox.clear_calls()
        began = time.monotonic()
        arguments = [company.connection_id, str(generations + 1), str(THREADS)]
        workers = [
            children.spawn(
                [sys.executable, "-m", "tools.bench_tokens", "--work", *arguments],
                env=stack.env | {"DJANGO_SETTINGS_MODULE": "bokio_app.settings"},
                log=folder / "workers.log",
            )
            for _ in range(PROCESSES)
        ]
        ended = [worker.wait() for worker in workers]
        seconds = time.monotonic() - began
        calls = [
            call for call in stack.sandbox.calls()["calls"] if call["operation"] == "request-token"
        ]
        refused = sum(call["status"] != 200 for call in calls)
        told = (folder / "workers.log").read_text()
    print(f"{PROCESSES * THREADS} workers, one connection, {generations} generations")
    print(f"  refreshes: {len(calls)}, refused: {refused}, {seconds:.1f} s")
    if told:
        print(told)
    return ended == [0] * PROCESSES and len(calls) == generations and not refused


def main() -> int:
    """Measure; 1 when a token was refreshed twice, or lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        return work(asked.work[0], int(asked.work[1]), int(asked.work[2]))
    with servers() as folder:
        place = folder / "tokens"
        place.mkdir()
        return 0 if measure(place, generations=asked.generations) else 1


if __name__ == "__main__":
    sys.exit(main())
