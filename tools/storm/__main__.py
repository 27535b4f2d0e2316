"""The kill storm: `make storm`. Ends with 0 when nothing was lost, doubled, wrong or late."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import django

from .scene import Scene, Size
from .weather import ANSWERS, DEEDS, Deeds

LONGEST = 120  # minutes
CELLS = len(ANSWERS) + 1 + len(DEEDS)


def main() -> int:
    """Run what was asked for; 1 when it falls short."""
    asked = _arguments().parse_args()
    os.nice(asked.nice)
    if asked.only == "cells":
        return 0 if _cells(asked) else 1
    good = _storm(asked)
    if asked.only != "storm":
        # Another process, as the times are among the settings, which are read once.
        command = [sys.executable, "-m", "tools.storm", "--only", "cells", *sys.argv[1:]]
        good &= subprocess.run(command, check=False).returncode == 0
    return 0 if good else 1


def _storm(asked: argparse.Namespace) -> bool:
    """Both storms: one of kills and crashes, one of freezes."""
    gives_up_at = time.monotonic() + asked.minutes * 60
    size = Size(asked.companies, asked.workers, asked.factor, asked.limit)
    storm = Deeds(
        kills=asked.kills,
        crashes=asked.crashes,
        flushes=asked.flushes,
        brokers=asked.brokers,
        refreshes=asked.refreshes,
    )
    with Scene(size, asked.seed, logs=asked.logs) as scene:
        django.setup()
        from .run import Run  # noqa: PLC0415  needs settings, which the scene has made

        run = Run(scene, gives_up_at=gives_up_at, grace=asked.grace, faults=asked.faults)
        run.prepare()
        good = run.storm("storm", storm, flows=asked.flows)
        if asked.freezes:
            flows = asked.frozen_flows or max(asked.flows // 5, 1)
            good &= run.storm("freezes", Deeds(freezes=asked.freezes), flows=flows)
    return good


def _cells(asked: argparse.Namespace) -> bool:
    """One cell per fault, with nothing scaled."""
    size = Size(companies=CELLS, workers=2, factor=1, limit=asked.limit)
    with Scene(size, asked.seed, logs=asked.logs) as scene:
        django.setup()
        from .run import Run  # noqa: PLC0415  needs settings, which the scene has made

        run = Run(scene, gives_up_at=float("inf"), grace=None, faults=0)
        run.prepare()
        return run.cells()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1)
    add("--only", choices=("storm", "cells"), help="the storms, or the cells that are not scaled")
    add("--flows", type=int, default=5000, help="seven-step flows; a fifth comes on top")
    add("--minutes", type=float, default=LONGEST, help="give up after so many")
    add("--companies", type=int, default=20)
    add("--workers", type=int, default=5, help="worker processes, four threads each")
    add("--kills", type=int, default=200, help="of worker processes")
    add("--crashes", type=int, default=10, help="of PostgreSQL")
    add("--flushes", type=int, default=5, help="of Redis")
    add("--brokers", type=int, default=5, help="restarts of the broker after SIGKILL")
    add("--refreshes", type=int, default=20, help="of tokens, whose answers are lost")
    add("--freezes", type=int, default=100, help="of worker processes, past the lease")
    add("--frozen-flows", type=int, default=0, help="for the freezes (default: a fifth)")
    add("--faults", type=float, default=1, help="multiplies how often the sandbox fails")
    add("--factor", type=float, default=0.25, help="all times of engine and sandbox times this")
    add("--limit", type=int, default=200, help="calls per company and (scaled) minute")
    add("--grace", type=float, help="seconds until quiet; default: 3 minutes times the factor")
    add("--nice", type=int, default=0, help="let other programs go first")
    add("--logs", type=Path, help="copy what the processes wrote to this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
