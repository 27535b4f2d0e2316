"""`make demo`: everything that runs, under one supervisor, on SQLite and a private broker."""

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import FrameType

from bokio_app.core.local_secrets import ensure_secrets
from tools import programs, stamps, valkey
from tools.children import end, spawn
from tools.net import free_port, http_status, is_port_free
from tools.supervisor import Service, end_all, rotate, tail

EMAIL = "demo@example.com"
START_TIMEOUT = 90.0
PATIENCE = 2.0
THREADS = 12
_STAMP = "prepared.stamp"
DATA = (
    "app.sqlite3*",
    "sandbox.sqlite3*",
    "beat-schedule*",
    "static.stamp",
    _STAMP,
    "secrets.env",
    "broker",
    "static",
    "log",
)


class CannotRunError(Exception):
    """Why the demo does not start: one line, with what to do about it."""


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or sent a signal that means the same."""


def main() -> None:
    """Run until somebody stops it; `--reset` forgets everything that earlier runs kept."""
    stop = listen_for_signals()
    try:
        with only_demo(var_dir()) as var:
            Demo(var, stop).run(afresh="--reset" in sys.argv[1:])
    except CannotRunError as problem:
        sys.exit(f"{problem}")


def listen_for_signals() -> threading.Event:
    """Return what a signal to stop sets."""
    stop = threading.Event()

    def stopping(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopping)
    return stop


def say(line: str = "") -> None:
    """Print a line at once."""
    print(line, flush=True)


def var_dir() -> Path:
    """Return the folder of everything the demo keeps."""
    return Path(os.environ.get("VAR_DIR") or programs.ROOT / "var").resolve()


@contextlib.contextmanager
def only_demo(var: Path) -> Iterator[Path]:
    """Hold the folder for this run; a second demo in it would fight over the same data."""
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (var / "demo.lock").open("a+")
    except OSError as problem:
        raise CannotRunError(f"Cannot write to {var}: {problem.strerror}.") from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CannotRunError(
                f"The demo is already running here ({lock.read().strip() or 'just starting'}). "
                "Stop it with Ctrl-C where it runs, or set VAR_DIR to another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield var


def forget(var: Path) -> None:
    """Remove what the demo keeps, and nothing else that may lie in the folder."""
    for pattern in DATA:
        for path in var.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    say("Removed the demo's data.")


class Demo:
    """One run: what it needs, what it starts, what it says."""

    def __init__(self, var: Path, stop: threading.Event) -> None:
        self.var, self.stop = var, stop
        self.log = var / "log"
        self.web_port = port_from("PORT", 8000)
        self.sandbox_port = port_from("SANDBOX_PORT", 8001)
        self.app_url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.real_bokio = real_bokio(not_at=f"{self.sandbox_url}/v1")
        self.services: list[Service] = []
        self.env: dict[str, str] = {}

    def run(self, *, afresh: bool = False) -> None:
        """Start everything, say where it is, and mend it until somebody stops it."""
        self._check_ports()
        if afresh:
            forget(self.var)
        self.env = self._environment()
        self.log.mkdir(exist_ok=True)
        try:
            self._start()
            say(self._welcome())
            while not self.stop.wait(0.25):
                for service in self.services:
                    service.tend(say)
        except Stopped:
            pass
        finally:
            say("\nStopping …")
            end_all(self.services, patience=PATIENCE)
            say("Stopped. Nothing is left running.")

    def _check_ports(self) -> None:
        wanted = {"PORT": self.web_port, "SANDBOX_PORT": self.sandbox_port}
        if self.real_bokio:
            del wanted["SANDBOX_PORT"]
        elif self.web_port == self.sandbox_port:
            raise CannotRunError(f"PORT and SANDBOX_PORT are both {self.web_port}: change one.")
        for name, port in wanted.items():
            if not is_port_free(port):
                raise CannotRunError(
                    f"Port {port} is taken by another program. "
                    f"Choose another: {name}={next_free_port(port, wanted.values())} make demo"
                )

    def _environment(self) -> dict[str, str]:
        """Return the environment of the app's processes; their database and broker are private."""
        env = dict(os.environ)
        for name in ("DATABASE_URL", "REDIS_URL"):
            if env.pop(name, ""):
                say(f"{name} is set and left alone: the demo has a private one.")
        env.pop("DJANGO_SETTINGS_MODULE", None)
        env["VAR_DIR"] = str(self.var)
        env.setdefault("APP_URL", self.app_url)
        env.setdefault("BOKIO_API_URL", f"{self.sandbox_url}/v1")
        if not self.real_bokio:
            env.setdefault("BOKIO_RETURN_HOSTS", self.sandbox_url)
        env.setdefault("MAILBOX_PAGE", "1")
        env["PYTHONUNBUFFERED"] = "1"
        for name, value in ensure_secrets(self.var).items():
            env.setdefault(name, value)
        return env

    def _start(self) -> None:
        self._start_broker()
        if not self.real_bokio:
            self._add("sandbox", programs.sandbox(self.sandbox_port))
        if not self._is_prepared():
            self._prepare()
        self._add("web", programs.web(self.web_port))
        self._add("worker", programs.worker(threads=THREADS))
        if "REDIS_URL" in self.env:  # without a broker the worker looks for work by itself
            self._add("scheduler", programs.beat(self.var / "beat-schedule"))
        self._wait(lambda: http_status(self.app_url + programs.WEB_IS_UP) == 200, "web")
        if not self.real_bokio:
            self._wait(
                lambda: http_status(self.sandbox_url + programs.SANDBOX_IS_UP) == 200, "sandbox"
            )

    def _start_broker(self) -> None:
        program = valkey.find()
        if program is None:
            say("No Valkey for this platform and none on PATH: work starts up to 2 s later.")
            return
        folder = self.var / "broker"
        folder.mkdir(exist_ok=True)
        port = free_port()
        command = valkey.command(program, port=port, folder=folder, durable=True)
        self._add("broker", command, last=True)
        self._wait(lambda: valkey.answers(port), "broker")
        self.env["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"

    def _is_prepared(self) -> bool:
        """Tell whether all is as the last preparing left it, which saves some seconds."""
        stamp, wanted = self.var / _STAMP, stamps.of_demo(self.var, self.env)
        return bool(wanted) and stamp.is_file() and stamp.read_text() == wanted

    def _prepare(self) -> None:
        """Run the preparing program to its end; its output is shown when it fails."""
        say("Preparing database and files …")
        log = self._log_file("prepare")
        started = log.stat().st_size if log.exists() else 0
        process = spawn(programs.prepare(), env=self.env, log=log, cwd=programs.ROOT)
        while process.poll() is None:
            if self.stop.wait(0.05):
                end(process, patience=PATIENCE)
                raise Stopped
        if process.returncode != 0:
            said = log.read_text(errors="replace")[started:]
            raise CannotRunError(f"{said.strip()}\n\nPreparing failed; all of it is in {log}")
        (self.var / _STAMP).write_text(stamps.of_demo(self.var, self.env))

    def _add(self, name: str, command: Sequence[str], *, last: bool = False) -> None:
        service = Service(
            name=name,
            command=command,
            env=dict(self.env),
            log=self._log_file(name),
            cwd=programs.ROOT,
            last=last,
        )
        self.services.append(service)
        service.start()

    def _log_file(self, name: str) -> Path:
        log = self.log / f"{name}.log"
        rotate(log)
        return log

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        """Wait until a service answers; the first one that ends on the way ends the start."""
        deadline = time.monotonic() + START_TIMEOUT
        while not ready():
            if self.stop.wait(0.05):
                raise Stopped
            for service in self.services:
                if not service.running:
                    raise CannotRunError(f"{tail(service.log)}\n\n{service.name} did not start.")
            if time.monotonic() > deadline:
                log = self.log / f"{name}.log"
                raise CannotRunError(
                    f"{tail(log)}\n\n{name} did not answer in {START_TIMEOUT:g} s."
                )

    def _welcome(self) -> str:
        bokio = self.real_bokio or f"{self.sandbox_url}  (the sandbox stands in for Bokio)"
        where = self.log
        with contextlib.suppress(ValueError):
            where = self.log.relative_to(Path.cwd())
        return framed(
            "bokio_app is running",
            "",
            f"App       {self.env['APP_URL']}",
            f"Sign in   {EMAIL}   password: {self.env['DEMO_PASSWORD']}",
            f"Bokio     {bokio}",
            f"Mail      {self.env['APP_URL']}/mailbox/",
            f"Logs      {where}/",
            "",
            "Ctrl-C ends all of it; started again it continues with the same data.",
            "make demo-reset starts afresh.",
        )


def port_from(name: str, default: int) -> int:
    """Return the port that the environment names."""
    text = os.environ.get(name) or str(default)
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise CannotRunError(
            f"{name}={text} is not a port. Example: {name}={default + 10} make demo"
        )
    return int(text)


def real_bokio(*, not_at: str) -> str:
    """Return the address of the Bokio that the environment chooses in place of the sandbox."""
    address = os.environ.get("BOKIO_API_URL", "").rstrip("/")
    if address in ("", not_at):
        return ""
    for name in ("BOKIO_CLIENT_ID", "BOKIO_CLIENT_SECRET"):
        if not os.environ.get(name):
            raise CannotRunError(
                f"BOKIO_API_URL is set, so {name} must be too: Bokio's developer portal has it."
            )
    return address


def next_free_port(port: int, taken: Collection[int]) -> int:
    """Return a free port near the one that is taken."""
    candidates = (port + step for step in range(10, 1000, 10) if port + step < 65536)
    return next((p for p in candidates if p not in taken and is_port_free(p)), free_port())


def framed(*lines: str) -> str:
    """Draw a frame around the lines, with characters that the terminal can show."""
    fine = "utf" in (sys.stdout.encoding or "").lower()
    top_left, top_right, bottom_left, bottom_right = tuple("┌┐└┘") if fine else tuple("++++")
    across, down = ("─", "│") if fine else ("-", "|")
    width = max(map(len, lines)) + 4
    body = [f"{down}  {line:<{width - 2}}{down}" for line in lines]
    edge = across * width
    return "\n".join([top_left + edge + top_right, *body, bottom_left + edge + bottom_right])


if __name__ == "__main__":
    main()
