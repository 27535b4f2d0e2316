"""A worker process: `python -m bokio_app.worker`. Times and repeats are the engine's affair.

It is Celery's own worker without Celery's command line, which keeps a terminal's whole tool kit
in memory. `manage.py check` looks at the settings; a worker need not load every page to do so.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib
import os
import socket
import sys

QUEUES = "click,work,beat"
M_ARENA_MAX = -8  # of glibc's malloc.h


def main() -> int:
    """Work until SIGTERM, which lets the calls under way end; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--app", default="bokio_app.celery", help="module of the Celery application"
    )
    parser.add_argument("--threads", type=int, default=os.environ.get("WORKER_THREADS", "16"))
    parser.add_argument("--name", default="worker", help="part of the name before the host's")
    parser.add_argument("--queues", default=QUEUES, help=f"some of {QUEUES}")
    asked = parser.parse_args()
    _share_memory()
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    app = importlib.import_module(asked.app).app
    worker = app.Worker(
        hostname=f"{asked.name}@{socket.gethostname()}",
        pool_cls="threads",
        concurrency=asked.threads,
        queues=asked.queues.split(","),
        loglevel=os.environ.get("LOG_LEVEL", "INFO"),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _share_memory() -> None:
    """Have glibc keep two heaps for all threads and not one for each, of which most lies idle."""
    with contextlib.suppress(OSError, AttributeError):  # another system, another allocator
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


if __name__ == "__main__":
    sys.exit(main())
