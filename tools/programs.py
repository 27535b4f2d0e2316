"""The command lines of the project's processes, as demo and tests start them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

WEB_IS_UP = "/healthz"
SANDBOX_IS_UP = "/"
APP = "bokio_app.celery"


def web(port: int) -> list[str]:
    """Return the web process: one, on loopback."""
    return [
        *(sys.executable, "-m", "uvicorn", "bokio_app.asgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--no-access-log"),
        *("--lifespan", "off", "--timeout-graceful-shutdown", "1"),
    ]


def worker(*, threads: int = 8, name: str = "worker", app: str = APP) -> list[str]:
    """Return a worker for every queue."""
    return [
        *(sys.executable, "-m", "bokio_app.worker", "--app", app),
        *("--threads", str(threads), "--name", name),
    ]


def beat(schedule: Path) -> list[str]:
    """Return the scheduler, which remembers in the file `schedule` what it last rang for."""
    return [
        *(sys.executable, "-m", "celery", "--app", f"{APP}:app", "--quiet", "beat"),
        *("--schedule", str(schedule), "--pidfile", "", "--loglevel", "INFO"),
    ]


def sandbox(port: int) -> list[str]:
    """Return the sandbox, which stands in for Bokio."""
    return manage("sandbox", "--port", str(port))


def prepare() -> list[str]:
    """Return the program that brings database, files and data up to date."""
    return [sys.executable, "-m", "tools.prepare"]


def manage(*arguments: str) -> list[str]:
    """Return a management command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]
