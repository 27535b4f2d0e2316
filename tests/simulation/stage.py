"""Databases, companies and their stock, made once in a process; then seed after seed is played."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable

from django.test.utils import setup_databases

from tests.inprocess.harness import Harness
from tests.simulation.run import Outcome, Run
from tests.simulation.stock import stock_up

COMPANIES = 2
BETWEEN_COLLECTIONS = 10  # runs; each leaves a few megabytes of greenlets


def prepared() -> Callable[[int], Outcome]:
    """Make the databases of this process, and return what plays a seed."""
    setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    return player(Harness(companies=COMPANIES))


def player(harness: Harness) -> Callable[[int], Outcome]:
    """What plays a seed with this harness."""
    stocked = stock_up(harness)
    played = itertools.count(1)
    gc.collect()
    gc.freeze()  # what every run needs is not looked through again

    def play(seed: int) -> Outcome:
        gc.disable()
        try:
            with harness.fresh(seed=seed):
                return Run(harness, stocked, seed).outcome()
        finally:
            gc.enable()
            if next(played) % BETWEEN_COLLECTIONS == 0:
                gc.collect()

    return play
