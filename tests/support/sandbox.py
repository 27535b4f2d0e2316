"""The sandbox as a process of its own, for tests: start, stop, kill, start again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import templates
from tests.support.sandbox_client import (
    ALL_SCOPES,
    Reply,
    SandboxClient,
    SandboxError,
    Tokens,
)
from tools import children

__all__ = [
    "ALL_SCOPES",
    "Reply",
    "SandboxError",
    "SandboxProcess",
    "Tokens",
    "running_sandbox",
]

ROOT = Path(__file__).resolve().parents[2]
READY = "sandbox ready "
DATABASE = "sandbox.sqlite3"
START_SECONDS = 60.0


class SandboxProcess(SandboxClient):
    """Runs `manage.py sandbox` on a free port. Use as a context manager or with start and stop.

    `env` adds to the environment; `companies` and `history` say how much is seeded. The books
    live in a folder of their own that goes away with the object's last `stop(forget=True)`, and
    begin as a copy of migrated tables; in a `var_dir` the sandbox migrates them itself.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        *,
        companies: int = 1,
        history: int = 0,
        port: int = 0,
        var_dir: Path | None = None,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.client_id = str(uuid.uuid4())
        self.client_secret = uuid.uuid4().hex
        self.redirect_uri = "http://127.0.0.1:8000/bokio/callback"
        self._companies, self._history, self._port = companies, history, port
        self._start_seconds = start_seconds
        self._folder = None if var_dir else tempfile.TemporaryDirectory(prefix="sandbox-")
        self.var_dir = var_dir or Path(self._folder.name if self._folder else ".")
        self._env = dict(env or {})
        self._process: subprocess.Popen[str] | None = None
        self.api_url = ""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SandboxError("The sandbox is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers. After a stop: the same port and the same books."""
        if self._folder and not (self.var_dir / DATABASE).exists() and "VAR_DIR" in os.environ:
            templates.copy("sandbox", self.var_dir / DATABASE, migrate=_migrate)
        environment = {
            **_environment(self.var_dir),
            "SANDBOX_CLIENT_ID": self.client_id,
            "SANDBOX_CLIENT_SECRET": self.client_secret,
            "SANDBOX_REDIRECT_URIS": self.redirect_uri,
            "PYTHONUNBUFFERED": "1",
        }
        environment.update(self._env)
        self.client_id = environment["SANDBOX_CLIENT_ID"]
        self.client_secret = environment["SANDBOX_CLIENT_SECRET"]
        self.redirect_uri = environment["SANDBOX_REDIRECT_URIS"].split(",")[0]
        arguments = (
            f"sandbox --port {self._port} --companies {self._companies} --history {self._history}"
        )
        self._log = (self.var_dir / "sandbox.log").open("a")
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments.split()],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            preexec_fn=children.die_with_parent(),  # noqa: PLW1509  # only the child can ask
        )
        self.api_url = self._ready_line()
        self._port = int(self.url.rsplit(":", 1)[1])
        return self

    def _ready_line(self) -> str:
        process = self._process
        if process is None or process.stdout is None:
            raise SandboxError("The sandbox is not running")
        # Kills a start that hangs, which ends the reading below.
        watch = threading.Timer(self._start_seconds, process.kill)
        watch.start()
        try:
            for line in process.stdout:
                if line.startswith(READY):
                    return line.removeprefix(READY).strip()
        finally:
            watch.cancel()
        log = (self.var_dir / "sandbox.log").read_text()[-2000:]
        raise SandboxError(f"The sandbox did not start: {log}")

    def stop(self, *, kill: bool = False, forget: bool = False) -> None:
        """End the process: politely, or with SIGKILL. `forget` deletes its books too."""
        if self._process is not None:
            if kill:
                self._process.kill()
            else:
                self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            if self._process.stdout:
                self._process.stdout.close()
            self._log.close()
            self._process = None
        if forget and self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(forget=True)

    def reset(self, *, companies: int | None = None, history: int | None = None) -> Any:
        """Forget everything: books, connections, faults, calls, clock and switches."""
        wanted = {
            "companies": self._companies if companies is None else companies,
            "history": self._history if history is None else history,
        }
        return self.control("POST", "reset", wanted)["companies"]


def _environment(folder: Path) -> dict[str, str]:
    """The environment of a sandbox that keeps its books in the folder."""
    ours = {"DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings", "VAR_DIR": str(folder)}
    environment = {**os.environ, **ours}
    environment.pop("SANDBOX_DATABASE_URL", None)
    return environment


def _migrate(folder: Path) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=_environment(folder), check=True)


@contextlib.contextmanager
def running_sandbox(
    env: Mapping[str, str] | None = None, *, companies: int = 1, history: int = 0
) -> Iterator[SandboxProcess]:
    """A sandbox for the length of a `with`, gone with its books afterwards."""
    with SandboxProcess(env, companies=companies, history=history) as process:
        yield process
