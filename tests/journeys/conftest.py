"""The whole application as real processes, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.processes import Stack
from tests.support.walk import Walk

PASSWORD = "a long enough pass phrase"
EMAIL = "demo@example.com"
COMPANIES = 6


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """On the test run's database and broker, at a tenth of the engine's times."""
    with Stack(
        tmp_path_factory.mktemp("stack"), companies=COMPANIES, env={"TIME_FACTOR": "0.1"}
    ) as running:
        running.start()
        running.manage("seed_demo", "--password", PASSWORD, "--force")
        yield running


@pytest.fixture
def open_window(browser: Browser, stack: Stack) -> Iterator[Callable[..., Walk]]:
    """Windows that close with the test, which fails if one of them noted anything."""
    windows: list[Walk] = []

    def open_window(**options: object) -> Walk:
        walk = Walk.begin(
            browser,
            app_url=stack.app_url,
            sandbox_url=stack.sandbox.url,
            **options,  # type: ignore[arg-type]
        )
        windows.append(walk)
        return walk

    yield open_window
    noted = [line for walk in windows for line in walk.noted]
    for walk in windows:
        walk.context.close()
    assert not noted


@pytest.fixture
def member(open_window: Callable[..., Walk]) -> Walk:
    """A signed-in person, in Swedish, at a desk."""
    walk = open_window()
    walk.sign_in(EMAIL, PASSWORD)
    return walk
