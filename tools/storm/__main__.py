"""The kill storm: `make storm`. Ends with 0 when nothing was lost, doubled, wrong or late."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .scene import Scene, Size
from .weather import Deeds

ALL_AT_ONCE = 60  # minutes


def main() -> int:
    """Run what was asked for; 1 when it falls short."""
    asked = _arguments().parse_args()
    os.nice(asked.nice)
    gives_up_at = time.monotonic() + asked.minutes * 60
    size = Size(asked.companies, asked.workers, asked.factor, asked.limit)
    storm = Deeds(
        kills=asked.kills, crashes=asked.crashes, flushes=asked.flushes, brokers=asked.brokers
    )
    good = True
    with Scene(size, asked.seed, logs=asked.logs) as scene:
        import django  # noqa: PLC0415  settings come from the scene's environment

        django.setup()
        from .run import Run  # noqa: PLC0415  needs the settings

        run = Run(scene, gives_up_at=gives_up_at, grace=asked.grace, faults=asked.faults)
        run.prepare()
        good &= run.storm("storm", storm, flows=asked.flows)
        if asked.freezes:
            freezes = Deeds(freezes=asked.freezes)
            good &= run.storm("freezes", freezes, flows=asked.frozen_flows or asked.flows // 5)
    return 0 if good else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1)
    add("--flows", type=int, default=5000, help="seven-step flows; a fifth comes on top")
    add("--minutes", type=float, default=ALL_AT_ONCE, help="give up after so many")
    add("--companies", type=int, default=20)
    add("--workers", type=int, default=5, help="worker processes, four threads each")
    add("--kills", type=int, default=200, help="of worker processes")
    add("--crashes", type=int, default=10, help="of PostgreSQL")
    add("--flushes", type=int, default=5, help="of Redis")
    add("--brokers", type=int, default=5, help="restarts of the broker after SIGKILL")
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
