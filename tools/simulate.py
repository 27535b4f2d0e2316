"""`make simulate SEEDS=100000`: the engine through seeded runs, each held to the rules.

`python -m tools.simulate --seed N` plays one seed again and tells its story. The runs are split
over the cores; the exit status is 1 when a rule was broken, and the command that repeats the first
such run is printed.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from tools.programs import ROOT

if TYPE_CHECKING:
    from tests.simulation.run import Outcome

MOST_SHOWN = 5


def main() -> None:
    """Play one seed, or many of them in several processes."""
    wanted = _arguments()
    if wanted.seed is not None:
        sys.exit(_play_one(wanted.seed))
    if wanted.part:
        _play_part(*wanted.part)
        return
    sys.exit(_play_all(wanted.first, wanted.seeds, wanted.processes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and tell its story")
    parser.add_argument("--seeds", type=int, default=2000, help="how many to play")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--part", type=int, nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _play_one(seed: int) -> int:
    with _stage() as play:
        outcome = play(seed)
    _tell(outcome)
    return 1 if outcome.problems else 0


def _tell(outcome: Outcome) -> None:
    print(f"seed {outcome.seed}: {outcome.seconds:.0f} s, {outcome.calls} calls, {outcome.ends}")
    print(f"trace {outcome.digest}")
    for line in outcome.story:
        print(f"  {line}")
    for problem in outcome.problems:
        print(f"  BROKEN: {problem}")


def _play_part(first: int, step: int, last: int) -> None:
    """Be one of the processes: a line of JSON per seed."""
    with _stage() as play:
        for seed in range(first, last, step):
            print(json.dumps(asdict(play(seed))), flush=True)


def _play_all(first: int, seeds: int, processes: int) -> int:
    began, last = time.monotonic(), first + seeds
    ends: Counter[str] = Counter()
    broken: list[dict[str, object]] = []
    played = 0
    for outcome in _outcomes(first, last, processes):
        played += 1
        ends.update(outcome["ends"])
        if outcome["problems"]:
            broken.append(outcome)
    seconds = time.monotonic() - began
    print(f"{played} seeds from {first} in {seconds:.0f} s, {played / seconds:.1f} a second")
    print("flows: " + ", ".join(f"{count} {state}" for state, count in sorted(ends.items())))
    for outcome in sorted(broken, key=lambda each: int(str(each["seed"])))[:MOST_SHOWN]:
        print(f"seed {outcome['seed']}: {outcome['problems']}")
        print(f"  python -m tools.simulate --seed {outcome['seed']}")
    print(f"{len(broken)} broke a rule." if broken else "Every rule was kept in all of them.")
    if played != seeds:
        print(f"{seeds - played} were not played: a process failed.")
    return 1 if broken or played != seeds else 0


def _outcomes(first: int, last: int, processes: int) -> Iterator[dict[str, object]]:
    """Play the seeds in processes of their own, as they come."""
    command = [sys.executable, "-m", "tools.simulate", "--part"]
    running = [
        subprocess.Popen(
            [*command, str(first + place), str(processes), str(last)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(processes)
    ]
    told: SimpleQueue[dict[str, object] | None] = SimpleQueue()
    for process in running:
        Thread(target=_hear, args=[process, told], daemon=True).start()
    while running:
        if outcome := told.get():
            yield outcome
        else:
            running.pop().wait()


def _hear(process: subprocess.Popen[str], told: SimpleQueue[dict[str, object] | None]) -> None:
    """Pass on what a process tells, and None at its end; nobody waits for another to be heard."""
    try:
        for line in process.stdout or ():
            told.put(json.loads(line))
    finally:
        told.put(None)


@contextmanager
def _stage() -> Iterator[Callable[[int], Outcome]]:
    """The product and the sandbox in this process, with the harness; yields what plays a seed."""
    folder = Path(tempfile.mkdtemp(prefix="simulate-"))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.inprocess.settings",
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(bytes(32)).decode(),
        "SECRET_KEY": "simulated" * 8,
        "VAR_DIR": str(folder),
    }
    os.environ.pop("DATABASE_URL", None)
    try:
        import django  # noqa: PLC0415  the environment comes first

        django.setup()
        from tests.simulation.stage import prepared  # noqa: PLC0415  so do the settings

        yield prepared()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
