"""Keep a handful of processes running, and end every one of them when it is time."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.children import kill, send, spawn

LONGEST_PAUSE = 30.0
SETTLED_AFTER = 60.0  # a process that ran for so many seconds starts again without a pause
KEEP_LOG_BELOW = 5_000_000


@dataclass
class Service:
    """One supervised process. `last` services end after the others, which may still need them."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    last: bool = False
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _due: float = 0.0
    _pause: float = field(default=1.0)

    def start(self) -> None:
        """Start the process, its output appended to the log."""
        self.process = spawn(self.command, env=self.env, log=self.log, cwd=self.cwd)
        self._started = time.monotonic()

    @property
    def running(self) -> subprocess.Popen[bytes] | None:
        """The process, while it is alive."""
        return self.process if self.process and self.process.poll() is None else None

    def tend(self, say: Callable[[str], None]) -> None:
        """Start a process that has ended again, after a pause that doubles each time."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        kill(self.process)  # what it started itself goes with it
        if now - self._started > SETTLED_AFTER:
            self._pause = 1.0
        say(
            f"{self.name} ended ({reason(code)}) and starts again in {self._pause:g} s; "
            f"why: {self.log}"
        )
        self.process = None
        self._due = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def reason(code: int) -> str:
    """Say in words what an exit code means."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def end_all(services: Sequence[Service], *, patience: float) -> None:
    """End all processes together, then those marked `last`; kill what is left after `patience`."""
    for group in ([s for s in services if not s.last], [s for s in services if s.last]):
        processes = [service.process for service in group if service.process is not None]
        for process in processes:
            send(process, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in processes:
            kill(process)


def rotate(log: Path) -> None:
    """Put a log that has grown large aside; one older log is kept."""
    if log.exists() and log.stat().st_size > KEEP_LOG_BELOW:
        log.replace(log.with_suffix(".log.1"))


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return "(nothing was written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
