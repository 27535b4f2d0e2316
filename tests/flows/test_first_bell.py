"""A web process that has just started: the first click does not wait for what could be loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.net import ClosedPort
from tools.programs import ROOT

RING = """
import sys, uuid
import bokio_app.asgi
from bokio_app.flows.models import Lane
from bokio_app.flows.tasks import ring
"localhost".encode("idna")  # Python's own way to an address
before = set(sys.modules)
ring(uuid.uuid4(), lane=Lane.CLICK)
print(*sorted(set(sys.modules) - before))
"""


def test_a_web_processs_first_bell_loads_no_module(tmp_path: Path) -> None:
    nobody = ClosedPort()  # the bell fails, which is as far as it can go without a broker
    env = os.environ | {
        "REDIS_URL": f"redis://127.0.0.1:{nobody.number}/0",
        "VAR_DIR": str(tmp_path),
    }

    done = subprocess.run(
        [sys.executable, "-c", RING], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    nobody.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    assert "bell_failed" in done.stderr
