"""Writing to the sandbox's database: one writer at a time, one transaction per request."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import router, transaction

from bokio_app.sandbox import clock, switches
from bokio_app.sandbox.models import State

# SQLite has one writer anyway. Waiting here is fair and immediate, where its own busy handler
# sleeps in growing steps.
_writing = threading.Lock()


class Generation:
    """Counts the writes that may have changed who may do what; caches of that compare it."""

    value = 0


def alias() -> str:
    """The database that the sandbox's rows live on: the only one, unless a router says else."""
    return router.db_for_write(State)


@contextmanager
def write(*, changes_access: bool = True) -> Iterator[None]:
    """Hold the only write transaction. Committed at the end, undone by any exception.

    `changes_access` is false for writes that touch neither tokens nor a company's own row.
    """
    with _writing:
        with transaction.atomic(using=alias()):
            yield
        if changes_access:
            Generation.value += 1


def load_state() -> None:
    """Take up the clock and the switches where an earlier process left them."""
    state, _ = State.objects.get_or_create(pk=1)
    clock.set_offset(dt.timedelta(seconds=state.clock_seconds))
    switches.reset()
    switches.change(state.switches)


def save_state() -> None:
    State.objects.update_or_create(
        pk=1,
        defaults={
            "clock_seconds": clock.offset().total_seconds(),
            "switches": switches.changed(),
        },
    )
