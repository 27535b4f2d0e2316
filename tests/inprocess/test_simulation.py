"""The simulation's own promises: a seed is a run, and its rules notice what they are there for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tools.programs import ROOT

if TYPE_CHECKING:
    from tests.simulation.run import Outcome

Play = Callable[[int], "Outcome"]
FEW_HUNDRED = 300
SEED = 11

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(
        os.environ.get("TEST_EMBEDDED") != "1", reason="the simulation keeps its rows in memory"
    ),
]


@pytest.fixture(scope="module")
def play(django_db_setup: None, django_db_blocker: Any) -> Play:
    """Plays a seed."""
    from tests.inprocess.harness import Harness
    from tests.simulation.stage import COMPANIES, player

    with django_db_blocker.unblock():
        playing = player(Harness(companies=COMPANIES))

    def unblocked(seed: int) -> Outcome:
        with django_db_blocker.unblock():
            return playing(seed)

    return unblocked


def in_another_process(seed: int, *, hash_seed: str) -> dict[str, Any]:
    """The outcome of a seed as a process of its own finds it."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.simulate", "--part", str(seed), "1", str(seed + 1)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_a_seed_is_the_same_run_when_it_is_played_again(play: Play) -> None:
    first, again = play(SEED), play(SEED)

    assert first.calls > 0
    assert first.digest == again.digest


def test_a_seed_is_the_same_run_in_every_process(play: Play) -> None:
    one, other = (in_another_process(SEED, hash_seed=each)["digest"] for each in ("1", "2"))

    assert one == other == play(SEED).digest


def test_another_seed_is_another_run(play: Play) -> None:
    assert play(SEED).digest != play(SEED + 1).digest


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_engine_without_one_of_its_precautions_breaks_a_rule(mutant: Mutant, play: Play) -> None:
    with mutant.alive():
        assert any(play(seed).problems for seed in range(mutant.first, FEW_HUNDRED))
