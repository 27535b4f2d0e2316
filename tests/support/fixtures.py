"""Fixtures for tests of the product against a real sandbox over HTTP.

The product is imported inside the fixtures, because this file is read before its settings are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import SandboxProcess, running_sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from bokio_app.connections.models import Connection
    from bokio_app.tenants.models import User
    from tests.support.watch import Watch


@pytest.fixture(scope="session")
def listening() -> Iterator[Watch | None]:
    """The ears of the whole run; none where product and sandbox share a process and its ciphers."""
    if os.environ.get("TEST_INPROCESS") == "1":
        yield None
        return
    from tests.support.watch import Watch

    with Watch().listening() as watch:
        yield watch


@pytest.fixture(autouse=True)
def watch(request: pytest.FixtureRequest) -> Iterator[Watch | None]:
    """After each test with a database: no secret of it was said, answered, mailed or stored."""
    wants = {"db", "transactional_db"} & set(request.fixturenames)
    if not (wants or request.node.get_closest_marker("django_db")):
        yield None
        return
    request.getfixturevalue("_django_db_helper")
    watch: Watch | None = request.getfixturevalue("listening")
    if watch:
        watch.forget()
    yield watch
    if watch:
        places = watch.found(stored=True)
        watch.forget()
        assert places == [], "a secret can be read there"


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    with running_sandbox() as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess, settings: Any) -> SandboxProcess:
    """An empty sandbox, and the product pointed at it."""
    sandbox_process.reset()
    settings.BOKIO_API_URL = sandbox_process.api_url
    settings.BOKIO_AUTHORIZE_URL = f"{sandbox_process.api_url}/authorize"
    settings.BOKIO_CLIENT_ID = sandbox_process.client_id
    settings.BOKIO_CLIENT_SECRET = sandbox_process.client_secret
    return sandbox_process


@pytest.fixture
def person(transactional_db: None) -> User:
    from tests.support import make

    return make.member()


@pytest.fixture
def connection(sandbox: SandboxProcess, person: User) -> Connection:
    """A company whose books are read, with the calls for that forgotten."""
    from tests.support import bokio

    connection = bokio.connect(sandbox, by=person)
    sandbox.clear_calls()
    return connection


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Move the product's clock on; waiting costs no time."""
    from bokio_app.core import clock

    real, ahead = clock.now, [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: real() + ahead[0])

    def move(by: timedelta) -> None:
        ahead[0] += max(by, timedelta(0))

    return move


@pytest.fixture
def hurry(pass_time: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let twenty times as much time pass while `bokio.work` has nothing to do.

    Not for the limiter, which keeps its store's time, nor for the sandbox.
    """
    from tests.support import bokio

    pause = bokio.pause

    def long_pause() -> None:
        pause()
        pass_time(timedelta(seconds=20 * bokio.PAUSE))

    monkeypatch.setattr(bokio, "pause", long_pause)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system, one for the whole run: Playwright allows no second."""
    from playwright.sync_api import sync_playwright

    from tests.support.walk import CHROMIUM
    from tools import browser as installed

    program = installed.find()
    assert program, f"Chromium is missing (Debian: apt-get install {installed.PACKAGE})"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()
