"""The commands of the Procfile start what they say, on PostgreSQL and Redis."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.net import free_port, http_status
from tests.support.processes import Program, Stack
from tools.programs import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("TEST_EMBEDDED") == "1", reason="needs PostgreSQL"),
]

COMMANDS = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A database and a broker; the processes are the Procfile's."""
    with Stack(tmp_path) as stack:
        assert stack.broker is not None
        stack.broker.start()
        yield stack


@pytest.fixture
def program(stack: Stack) -> Iterator[Callable[..., Program]]:
    """Make a program of a line of the Procfile."""
    made = []

    def making(name: str, ready: Callable[[Program], bool], **env: str) -> Program:
        shell = ["sh", "-c", f"exec {COMMANDS[name]}"]
        log = stack.folder / f"procfile-{name}.log"
        made.append(Program(name, shell, env=environment(stack) | env, log=log, ready=ready))
        return made[-1]

    yield making
    for each in made:
        each.kill()


def environment(stack: Stack) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**stack.env, "PATH": path, "STATIC_MANIFEST": "1"}


def test_it_has_the_four_processes() -> None:
    assert set(COMMANDS) == {"release", "web", "worker", "beat"}


def test_release_then_web_serves_collected_files(
    stack: Stack, program: Callable[..., Program]
) -> None:
    done = subprocess.run(
        ["sh", "-c", COMMANDS["release"]],
        cwd=ROOT,
        env=environment(stack),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    port = free_port()
    address = f"http://127.0.0.1:{port}"

    program("web", lambda _: http_status(f"{address}/healthz") == 200, PORT=str(port)).start()

    sheets = [path.name for path in (stack.var / "static").glob("app.*.css")]
    assert sheets
    assert all(http_status(f"{address}/static/{name}") == 200 for name in sheets)


def test_worker_and_beat_start_and_end_politely(
    stack: Stack, program: Callable[..., Program]
) -> None:
    schedule = stack.folder / "schedule"
    worker = program("worker", lambda it: it.said("ready."))
    beat = program(
        "beat", lambda _: any(stack.folder.glob("schedule*")), BEAT_SCHEDULE=str(schedule)
    )

    worker.start(wait=False)
    beat.start()
    worker.wait_ready()

    assert worker.terminate() == 0
    assert beat.alive
