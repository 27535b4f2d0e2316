"""64 workers in four processes need the same expired token at one instant.

The sandbox takes no refresh token twice, unless a test that loses an answer lets it once: the
published contract does not say whether Bokio does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.database import query
from tests.support.net import wait_until
from tests.support.processes import Stack
from tools import children, load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fault,
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL"), reason="on SQLite one process works for all"
    ),
]

PROCESSES, THREADS = 4, 16
SECONDS = 120.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A database and a sandbox; the only workers are those of the tests."""
    with Stack(tmp_path_factory.mktemp("stack"), embedded=False, companies=5) as running:
        running.sandbox.start()
        yield running


@pytest.fixture(scope="module")
def companies(stack: Stack) -> Iterator[load.Company]:
    """Connected companies, each for one test, with a token of the first generation."""
    return iter(load.companies(stack, [0] * 5))


@pytest.fixture
def company(stack: Stack, companies: Iterator[load.Company]) -> Iterator[load.Company]:
    mine = next(companies)
    stack.sandbox.clear_calls()
    yield mine
    stack.sandbox.clear_faults()
    stack.sandbox.set_switches(refresh_accepts_previous_once=False)


class Workers:
    """Processes of workers that stand at a gate until it is opened."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def gather(self, company: load.Company, *, worn: int, processes: int, threads: int) -> Path:
        """Start them, and return the gate that they wait at."""
        gate = self.folder / f"gate-{len(self.running)}"
        for _ in range(processes):
            log = self.folder / f"workers-{len(self.running)}.log"
            arguments = [company.connection_id, str(worn), str(threads), str(gate)]
            process = children.spawn(
                [sys.executable, "-m", "tests.support.needing", *arguments],
                env=self.stack.env | {"DJANGO_SETTINGS_MODULE": "bokio_app.settings"},
                log=log,
            )
            self.running.append((process, log))
        for process, log in self.running[-processes:]:
            wait_until(
                lambda process=process, log=log: (
                    process.poll() is not None  # type: ignore[misc]
                    or "ready" in log.read_text()
                ),
                what="the workers are at the gate",
                seconds=SECONDS,
            )
        return gate

    def ended(self, *, processes: int) -> set[str]:
        """Wait for the last so many, and return what they say of the token that they got."""
        said = set()
        for process, log in self.running[-processes:]:
            process.wait(SECONDS)
            said.add(log.read_text().splitlines()[-1])
        return said

    def kill(self) -> None:
        for process, _log in self.running:
            children.kill(process)


@pytest.fixture
def workers(stack: Stack, tmp_path: Path) -> Iterator[Workers]:
    gathered = Workers(stack, tmp_path)
    yield gathered
    gathered.kill()


def run(workers: Workers, company: load.Company, *, then: Callable[[], None] = lambda: None) -> int:
    """Let 64 need another token than the first; return how many calls for one that has cost.

    All of them get the second, and it is no dead end: with it, one more gets the third.
    """
    gate = workers.gather(company, worn=1, processes=PROCESSES, threads=THREADS)
    gate.touch()
    then()
    assert workers.ended(processes=PROCESSES) == {"generation 2"}
    calls = workers.stack.sandbox.count("request-token")
    [(state, generation)] = query(
        workers.stack,
        "SELECT state, generation FROM connections_connection WHERE id = %s",
        company.connection_id,
    )
    assert (state, generation) == ("active", 2)
    workers.gather(company, worn=2, processes=1, threads=1).touch()
    assert workers.ended(processes=1) == {"generation 3"}
    return calls


def test_they_cause_one_refresh(workers: Workers, company: load.Company) -> None:
    assert run(workers, company) == 1


def test_a_slow_answer_changes_nothing_of_that(
    stack: Stack, workers: Workers, company: load.Company
) -> None:
    hold = stack.sandbox.add_fault("request-token", "hold_after")

    def be_slow() -> None:
        stack.sandbox.wait_held(hold)
        asking = "SELECT count(*) FROM connections_connection WHERE refresh_until > now()"
        assert query(stack, asking) == [(1,)]
        stack.sandbox.release(hold)

    assert run(workers, company, then=be_slow) == 1


def test_after_a_lost_answer_two_calls_bring_the_pair(
    stack: Stack, workers: Workers, company: load.Company
) -> None:
    stack.sandbox.set_switches(refresh_accepts_previous_once=True)
    stack.sandbox.lose_answer("request-token")

    assert run(workers, company) == 2


def test_after_a_worker_killed_in_the_middle_two_calls_bring_the_pair(
    stack: Stack, workers: Workers, company: load.Company
) -> None:
    stack.sandbox.set_switches(refresh_accepts_previous_once=True)
    hold = stack.sandbox.add_fault("request-token", "hold_after")
    workers.gather(company, worn=1, processes=1, threads=1).touch()
    stack.sandbox.wait_held(hold)
    workers.kill()
    stack.sandbox.release(hold)

    assert run(workers, company) == 2


def test_when_bokio_takes_no_token_twice_a_lost_answer_asks_for_consent_and_costs_two_calls(
    stack: Stack, workers: Workers, company: load.Company
) -> None:
    stack.sandbox.lose_answer("request-token")

    workers.gather(company, worn=1, processes=PROCESSES, threads=THREADS).touch()

    assert all("NeedsConsent" in line for line in workers.ended(processes=PROCESSES))
    assert stack.sandbox.count("request-token") == 2
    state = "SELECT state, generation FROM connections_connection WHERE id = %s"
    assert query(stack, state, company.connection_id) == [("broken", 1)]
