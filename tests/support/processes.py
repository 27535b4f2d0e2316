"""Real processes for journey and kill tests: broker, sandbox, web, worker and scheduler.

    with Stack(tmp_path) as stack:
        stack.start()
        ...                              # stack.app_url, stack.sandbox.books(…)
        stack.worker.kill()              # SIGKILL, as a power cut would do
        stack.worker.start()

Everything listens on free loopback ports, writes its output to files in the folder, and ends with
the test run, kill -9 of pytest included.
"""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.support import templates
from tests.support.net import free_port, http_status, wait_until
from tests.support.sandbox import SandboxProcess
from tools import children, programs, valkey

START_SECONDS = 40.0


class Program:
    """One real process, which can be started again after it was ended or killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        ready: Callable[["Program"], bool],
    ) -> None:
        self.name, self.command, self.env, self.log = name, command, env, log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self._written_before = 0

    def start(self, *, wait: bool = True) -> Self:
        """Start it, and wait until it is ready to work unless told otherwise."""
        self._written_before = len(self.output())
        self._process = children.spawn(self.command, env=self.env, log=self.log, cwd=programs.ROOT)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, *, seconds: float = START_SECONDS) -> None:
        """Wait until it is ready; raise `AssertionError` with its output if it ends instead."""

        def settled() -> bool:
            return not self.alive or self._ready(self)

        try:
            wait_until(settled, what=f"{self.name} is ready", seconds=seconds)
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{self.output()[-4000:]}") from late
        assert self.alive, f"{self.name} ended instead of starting:\n{self.output()[-4000:]}"

    def restart(self) -> Self:
        """Kill it and start it again."""
        self.kill()
        return self.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it by SIGKILL, at once and without a last word."""
        if self._process is not None:
            children.kill(self._process)

    def terminate(self, *, patience: float = 10) -> int:
        """Ask it to end, and return its exit code: negative when it had to be killed."""
        assert self._process is not None
        children.end(self._process, patience=patience)
        return self._process.returncode

    def output(self) -> str:
        """Return everything it has written so far, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def said(self, *words: str) -> bool:
        """Tell whether one line written since the last start holds all of the words."""
        fresh = self.output()[self._written_before :].splitlines()
        return any(all(word in line for word in words) for line in fresh)


class Stack:
    """The whole application with a database of its own.

    `embedded` chooses SQLite instead of the test run's PostgreSQL; `broker=False` leaves the
    broker out, so that workers find work by looking. `companies` and `history` say what the
    sandbox is seeded with. `env` adds to the environment of every process.
    """

    def __init__(
        self,
        folder: Path,
        *,
        embedded: bool | None = None,
        broker: bool = True,
        companies: int = 1,
        history: int = 0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.var = folder / "var"
        (self.var / "static").mkdir(mode=0o700, parents=True)
        self.embedded = not os.environ.get("DATABASE_URL") if embedded is None else embedded
        web_port, sandbox_port, self.broker_port = free_port(), free_port(), free_port()
        self.app_url = f"http://127.0.0.1:{web_port}"
        self._exit = contextlib.ExitStack()
        self.database_url = "" if self.embedded else self._exit.enter_context(_fresh_postgres())
        self.redis_url = f"redis://127.0.0.1:{self.broker_port}/0" if broker else ""
        self.env = templates.environment() | {
            "APP_URL": self.app_url,
            "BOKIO_API_URL": f"http://127.0.0.1:{sandbox_port}/v1",
            "BOKIO_RETURN_HOSTS": f"http://127.0.0.1:{sandbox_port}",
            "MAILBOX_PAGE": "1",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "VAR_DIR": str(self.var),
            "SANDBOX_CLIENT_ID": os.environ["BOKIO_CLIENT_ID"],
            "SANDBOX_CLIENT_SECRET": os.environ["BOKIO_CLIENT_SECRET"],
            "SANDBOX_REDIRECT_URIS": f"{self.app_url}/bokio/callback",
            **(env or {}),
        }
        self.broker = self._broker() if broker else None
        self.sandbox = SandboxProcess(
            self.env, companies=companies, history=history, port=sandbox_port, var_dir=self.var
        )
        self._exit.callback(self.sandbox.stop, kill=True)
        self.web = self._program(
            "web", programs.web(web_port), _answers(self.app_url + programs.WEB_IS_UP)
        )
        self.worker = self.another_worker("worker")
        self.beat = self._program(
            "beat",
            programs.beat(self.var / "beat-schedule"),
            lambda _: any(self.var.glob("beat-schedule*")),
        )

    def start(self) -> Self:
        """Start all of it, side by side, and wait until each part is ready.

        Without a broker there is no scheduler: it could reach nobody.
        """
        if self.embedded:
            templates.on_sqlite(self.var / "app.sqlite3")
        everyone = [self.web, self.worker]
        if self.broker:
            self.broker.start()
            everyone.append(self.beat)
        for program in everyone:
            program.start(wait=False)
        self.sandbox.start()
        for program in everyone:
            program.wait_ready()
        return self

    def another_worker(
        self,
        name: str,
        *,
        threads: int = 4,
        app: str = programs.APP,
        env: Mapping[str, str] | None = None,
    ) -> Program:
        """Return a further worker, not started yet."""
        command = programs.worker(threads=threads, name=name, app=app)
        return self._program(name, command, lambda it: it.said(f"{name}@", "ready."), env=env)

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """Run a management command in the stack's environment; return what it printed."""
        done = subprocess.run(
            programs.manage(*arguments),
            env=self.env,
            cwd=programs.ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def close(self) -> None:
        """End every process and remove the database."""
        self._exit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _program(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[Program], bool],
        *,
        env: Mapping[str, str] | None = None,
    ) -> Program:
        program = Program(
            name,
            command,
            env=self.env | dict(env or {}),
            log=self.folder / f"{name}.log",
            ready=ready,
        )
        self._exit.callback(program.kill)
        return program

    def _broker(self) -> Program:
        program = valkey.find()
        assert program is not None, "Valkey: neither the wheel's nor one on PATH"
        folder = self.folder / "broker"
        folder.mkdir()
        port = self.broker_port
        command = valkey.command(program, port=port, folder=folder, durable=True)
        return self._program("broker", command, lambda _: valkey.answers(port))


def _answers(url: str) -> Callable[[Program], bool]:
    return lambda _: http_status(url) == 200


@contextlib.contextmanager
def _fresh_postgres() -> Iterator[str]:
    """Make a migrated database on the test run's server; yield its address, then drop it.

    Where the run has two servers, it is on the one whose commits wait for the disk.
    """
    server = os.environ.get("DURABLE_DATABASE_URL") or os.environ["DATABASE_URL"]
    name, template = f"stack_{secrets.token_hex(6)}", templates.on_postgres(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(templates.statement("CREATE DATABASE {} TEMPLATE {}", name, template))
    try:
        yield templates.on_server(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(templates.statement("DROP DATABASE {} WITH (FORCE)", name))
