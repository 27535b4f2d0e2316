"""Being the worker where there is none: on SQLite, when no other process executes flows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings

from bokio_app.core import clock

from . import engine
from .claim import claim
from .executor import may_execute
from .tasks import due_connections, sweep


def work_here(*, stop: Callable[[], bool]) -> bool:
    """Run due flows for one turn, or until `stop` says so between two of them. False when none
    was due, or others do the work.

    With PostgreSQL this does nothing: there are workers. On SQLite the process that has once
    worked here goes on executing until it ends, and a worker that starts meanwhile stands by.
    """
    if not (settings.EMBEDDED and may_execute()):
        return False
    worked = False
    until = clock.now() + timedelta(seconds=settings.FLOW_TURN)
    sweep()
    for connection_id in due_connections():
        while not stop() and clock.now() < until and (flow := claim(connection_id)):
            engine.run(flow, until=until)
            worked = True
    return worked
