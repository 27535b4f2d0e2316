"""The supervisor, with small stand-ins for the programs it runs."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from bokio_app.core.local_secrets import ensure_secrets
from tests.support.net import free_port, http_status, wait_until
from tools.programs import ROOT

pytestmark = pytest.mark.slow


SERVERS = ("DATABASE_URL", "REDIS_URL")


class RunningDemo:
    """A demo in a process of its own, in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        folder.mkdir(exist_ok=True)
        self.var = folder / "var"
        self.output = folder / f"output-{len(list(folder.iterdir()))}"
        self.port, self.sandbox_port = free_port(), free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("BOKIO_") and name not in ("APP_URL", *SERVERS)
        }
        environment |= {
            "VAR_DIR": str(self.var),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "PYTHONPATH": str(ROOT),
            **env,
        }
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.tools.fake_programs", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """Return what is on its terminal."""
        return self.output.read_text()

    def wait_running(self) -> None:
        """Wait for the text that says where everything is."""
        wait_until(
            lambda: "is running" in self.said() or self.process.poll() is not None,
            what="the demo runs",
        )
        assert self.process.poll() is None, self.said()

    def wait_ended(self, *, seconds: float = 5) -> int:
        """Wait until it has ended; return its exit code."""
        return self.process.wait(timeout=seconds)

    def children(self, name: str = "") -> list[int]:
        """Return the process ids of all stand-ins of the name that ever ran."""
        return [int(path.name.split("-")[1]) for path in (self.var / "pids").glob(f"{name}*")]

    def everything_is_gone(self) -> bool:
        """Tell whether no stand-in runs and the broker's folder is no longer in use."""
        return not any(runs(pid) for pid in self.children()) and not broker_runs(self.var)


def runs(pid: int) -> bool:
    """Tell whether the process exists and is not merely waiting to be reaped."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def broker_runs(var: Path) -> bool:
    """Tell whether some process has this demo's broker folder as its working folder."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == var / "broker":
                return True
        except OSError:
            continue
    return False


class Start(Protocol):
    """Start a demo in a folder below the test's own."""

    def __call__(self, *arguments: str, folder: str = "", **env: str) -> RunningDemo: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start demos that end with the test at the latest."""
    started = []

    def starting(*arguments: str, folder: str = "", **env: str) -> RunningDemo:
        demo = RunningDemo(tmp_path / folder, *arguments, **env)
        started.append(demo)
        return demo

    yield starting
    for demo in started:
        demo.process.kill()
        demo.process.wait()


def test_it_says_where_everything_is_and_how_to_sign_in(start: Start) -> None:
    demo = start()

    demo.wait_running()

    password = ensure_secrets(demo.var)["DEMO_PASSWORD"]
    for text in (
        f"http://127.0.0.1:{demo.port}",
        f"http://127.0.0.1:{demo.sandbox_port}",
        "demo@example.com",
        password,
    ):
        assert text in demo.said()
    assert http_status(f"http://127.0.0.1:{demo.port}/healthz") == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_stop_ends_everything_within_seconds(
    start: Start, number: signal.Signals
) -> None:
    demo = start()
    demo.wait_running()
    assert len(demo.children()) == 4
    assert broker_runs(demo.var)

    demo.process.send_signal(number)

    assert demo.wait_ended(seconds=3) == 0
    assert demo.everything_is_gone()
    assert "Traceback" not in demo.said()


def test_a_child_that_will_not_end_is_killed(start: Start) -> None:
    deaf = "import signal, threading; signal.signal(15, signal.SIG_IGN); threading.Event().wait()"
    demo = start(FAKE_WORKER=deaf)
    demo.wait_running()

    demo.process.send_signal(signal.SIGINT)

    assert demo.wait_ended(seconds=5) == 0
    assert demo.everything_is_gone()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills for us")
def test_killing_the_supervisor_leaves_nothing_running(start: Start) -> None:
    demo = start()
    demo.wait_running()

    demo.process.kill()

    demo.wait_ended()
    wait_until(demo.everything_is_gone, what="every child is gone", seconds=5)


def test_a_child_that_dies_is_started_again_and_the_terminal_says_so(start: Start) -> None:
    demo = start()
    demo.wait_running()
    (first,) = demo.children("worker")

    os.kill(first, signal.SIGKILL)

    wait_until(lambda: len(demo.children("worker")) == 2, what="another worker runs")
    assert "worker ended (killed by SIGKILL) and starts again in 1 s" in demo.said()
    demo.process.send_signal(signal.SIGINT)
    assert demo.wait_ended() == 0
    assert demo.everything_is_gone()


def test_a_child_that_cannot_start_ends_the_start_and_shows_why(start: Start) -> None:
    demo = start(FAKE_WORKER="raise SystemExit('no such luck')")

    assert demo.wait_ended(seconds=30) == 1  # a bound for the machine alone

    assert "no such luck" in demo.said()
    assert demo.said().rstrip().endswith("worker did not start.")
    assert demo.everything_is_gone()


def test_preparing_that_fails_ends_the_start_and_shows_why(start: Start) -> None:
    demo = start(FAKE_PREPARE="raise SystemExit('disk full')")

    assert demo.wait_ended() == 1

    assert "disk full" in demo.said()
    assert "Traceback" not in demo.said()
    assert demo.everything_is_gone()


def test_a_busy_port_gets_one_line_with_a_port_that_is_free(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = start(PORT=str(port))
        assert demo.wait_ended() == 1

    (line,) = demo.said().splitlines()
    assert line.startswith(f"Port {port} is taken by another program.")
    assert line.endswith(" make demo")
    assert not demo.children()


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_gets_one_line(start: Start, text: str) -> None:
    demo = start(SANDBOX_PORT=text)

    assert demo.wait_ended() == 1

    assert (
        demo.said() == f"SANDBOX_PORT={text} is not a port. Example: SANDBOX_PORT=8011 make demo\n"
    )


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_a_second_demo_in_the_same_folder_gets_one_line_and_harms_nothing(
    start: Start, arguments: tuple[str, ...]
) -> None:
    first = start()
    first.wait_running()

    second = start(*arguments, folder="second", VAR_DIR=str(first.var))

    assert second.wait_ended() == 1
    (line,) = second.said().splitlines()
    assert line.startswith(f"The demo is already running here (process {first.process.pid})")
    assert http_status(f"http://127.0.0.1:{first.port}/") == 200
    assert ensure_secrets(first.var)["DEMO_PASSWORD"] in first.said()


def test_started_again_it_keeps_its_data_and_reset_keeps_none(start: Start) -> None:
    first = start()
    first.wait_running()
    var = first.var
    (var / "app.sqlite3").write_text("books")
    (var / "notes.txt").write_text("not the demo's")
    password = ensure_secrets(var)["DEMO_PASSWORD"]
    first.process.send_signal(signal.SIGINT)
    first.wait_ended()

    again = start()
    again.wait_running()
    assert (var / "app.sqlite3").read_text() == "books"
    assert password in again.said()
    again.process.send_signal(signal.SIGINT)
    again.wait_ended()

    afresh = start("--reset")
    afresh.wait_running()
    wait_until(lambda: "Removed the demo's data." in afresh.said(), what="data are removed")
    assert not (var / "app.sqlite3").exists()
    assert (var / "notes.txt").exists()
    assert ensure_secrets(var)["DEMO_PASSWORD"] != password


PREPARE = """
import os, pathlib
var = pathlib.Path(os.environ["VAR_DIR"])
(var / "static").mkdir(exist_ok=True)
(var / "app.sqlite3").touch()
with (var / "prepared").open("a") as log:
    log.write("x")
"""


def test_preparing_is_left_out_as_long_as_it_would_change_nothing(
    start: Start, tmp_path: Path
) -> None:
    var = tmp_path / "var"

    def times_prepared(**env: str) -> int:
        demo = start(FAKE_PREPARE=PREPARE, **env)
        demo.wait_running()
        demo.process.send_signal(signal.SIGINT)
        demo.wait_ended()
        return len((demo.var / "prepared").read_text())

    assert times_prepared() == 1
    assert times_prepared() == 1
    (var / "another").touch()
    (var / "another").replace(var / "app.sqlite3")
    assert times_prepared() == 2
    assert times_prepared(DEMO_PASSWORD="another one to sign in with") == 3


def test_a_database_and_a_broker_of_the_environment_are_left_alone(start: Start) -> None:
    demo = start(
        DATABASE_URL="postgres://elsewhere/app",
        REDIS_URL="redis://elsewhere/0",
        FAKE_WORKER=(
            "import os, threading\n"
            "assert 'DATABASE_URL' not in os.environ\n"
            "assert os.environ['REDIS_URL'].startswith('redis://127.0.0.1:')\n"
            "threading.Event().wait()"
        ),
    )

    demo.wait_running()

    assert "DATABASE_URL is set and left alone: the demo has a private one." in demo.said()


def test_real_bokio_takes_the_place_of_the_sandbox(start: Start) -> None:
    secrets = {"BOKIO_CLIENT_ID": "an-id", "BOKIO_CLIENT_SECRET": "a-secret"}
    demo = start(BOKIO_API_URL="https://bokio.example/v1", **secrets)

    demo.wait_running()

    assert "Bokio     https://bokio.example/v1" in demo.said()
    assert not demo.children("sandbox")


def test_real_bokio_without_credentials_gets_one_line(start: Start) -> None:
    demo = start(BOKIO_API_URL="https://bokio.example/v1", BOKIO_CLIENT_ID="an-id")

    assert demo.wait_ended() == 1

    (line,) = demo.said().splitlines()
    assert line.startswith("BOKIO_API_URL is set, so BOKIO_CLIENT_SECRET must be too")
