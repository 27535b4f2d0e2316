"""Databases, companies and their stock, made once in a process; then seed after seed is played."""

from __future__ import annotations

from collections.abc import Callable

from django.test.utils import setup_databases

from tests.inprocess.harness import Harness
from tests.simulation.run import Outcome, Run
from tests.simulation.stock import stock_up

COMPANIES = 2


def prepared() -> Callable[[int], Outcome]:
    """Make the databases of this process, and return what plays a seed."""
    setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    return player(Harness(companies=COMPANIES))


def player(harness: Harness) -> Callable[[int], Outcome]:
    """What plays a seed with this harness."""
    stocked = stock_up(harness)

    def play(seed: int) -> Outcome:
        with harness.fresh(seed=seed):
            return Run(harness, stocked, seed).outcome()

    return play
