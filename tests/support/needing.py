"""Workers of a process of their own that need a token at one instant.

    python -m tests.support.needing CONNECTION WORN THREADS GATE

Each thread is told that generation WORN of the token is refused, and waits for the file GATE to
come before it asks for another. Says `ready` when all wait, and ends with the generation that
they got: the same for all of them, or it fails.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PATIENCE = 120.0  # seconds
LOOK = 0.01


def say(line: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Be so many workers."""
    import django

    django.setup()
    from django.db import close_old_connections

    from bokio_app.connections import grants
    from bokio_app.connections.models import Connection

    connection_id, worn, threads, gate = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        Path(sys.argv[4]),
    )
    everybody = threading.Barrier(threads + 1)
    gone_through = threading.Barrier(threads)

    def need(_number: int) -> int:
        connection = Connection.objects.get(pk=connection_id)
        everybody.wait(PATIENCE)
        while not gate.exists():
            time.sleep(0.001)
        gone_through.wait(PATIENCE)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return grants.access(connection, worn=worn).generation
            except grants.RefreshUnderWay:
                assert time.monotonic() < until, "no token came"
                time.sleep(LOOK)
            finally:
                close_old_connections()

    with ThreadPoolExecutor(threads) as pool:
        working = [pool.submit(need, number) for number in range(threads)]
        everybody.wait(PATIENCE)
        say("ready")
        generations = {each.result() for each in working}
    assert len(generations) == 1, generations
    say(f"generation {generations.pop()}")


if __name__ == "__main__":
    main()
