"""The kill storm in small: every kind of fault at least once, over real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.programs import ROOT

SMALL = {
    "flows": 40,
    "companies": 4,
    "workers": 2,
    "kills": 6,
    "crashes": 1,
    "flushes": 1,
    "brokers": 1,
    "refreshes": 1,
    "freezes": 2,
    "frozen-flows": 6,
    "factor": 0.1,
    "faults": 2,
    # The engine's times shrink with the factor; the work of a machine that runs other tests at
    # the same time does not. So the three minutes stay what they are.
    "grace": 180,
    "minutes": 12,
    "nice": 5,
}


@pytest.mark.fault
@pytest.mark.slow
def test_a_storm_of_every_fault_loses_doubles_and_changes_nothing(tmp_path: Path) -> None:
    """In a process of its own: its database is one that can be crashed, and no other test's."""
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    alone = {"DJANGO_SETTINGS_MODULE", "TEST_EMBEDDED"}
    alone |= {"DATABASE_URL", "DURABLE_DATABASE_URL", "REDIS_URL"}

    done = subprocess.run(
        [sys.executable, "-m", "tools.storm", "--only=storm", f"--logs={tmp_path}", *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in alone},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )

    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-4000:]}"
    for phase in ("storm", "freezes"):
        assert f"{phase}: nothing lost, doubled, wrong or late" in done.stdout
