"""The bell: it hastens a look, costs whoever rings nothing, and is not missed when it is lost."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import redis

from bokio_app.flows.signals import flow_moved
from bokio_app.live import bell
from bokio_app.live.bell import CHANNEL, Ringer, heard
from tests.support.loops import run
from tests.support.net import ClosedPort

PATIENCE = 20.0


@pytest.fixture
def broker(settings: Any) -> str:
    if not settings.REDIS_URL:
        pytest.skip("without Redis there is no bell")
    return str(settings.REDIS_URL)


def test_a_ring_of_one_process_is_heard_by_another(broker: str) -> None:
    ringer = Ringer()

    async def scenario() -> None:
        rung = asyncio.Event()
        listening = asyncio.create_task(heard(rung))
        while not rung.is_set():  # until the other has subscribed
            ringer.ring()
            await asyncio.wait([asyncio.create_task(rung.wait())], timeout=0.05)
        listening.cancel()
        await asyncio.wait([listening])

    run(asyncio.wait_for(scenario(), PATIENCE))


def test_rings_in_a_row_become_one_and_a_lost_broker_is_noticed_by_nobody(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = ClosedPort()
    settings.REDIS_URL = f"redis://127.0.0.1:{closed.number}/0"
    published: list[str] = []
    first, may_go_on, second = threading.Event(), threading.Event(), threading.Event()

    def publish(_line: Any, channel: str, _message: str) -> None:
        published.append(channel)
        (second if first.is_set() else first).set()
        assert may_go_on.wait(PATIENCE)
        raise redis.ConnectionError

    monkeypatch.setattr(redis.Redis, "publish", publish)
    monkeypatch.setattr(bell, "PAUSE", 0)
    ringer = Ringer()
    ringer.ring()
    assert first.wait(PATIENCE)

    for _number in range(100):
        ringer.ring()  # while the first is on its way
    may_go_on.set()

    assert second.wait(PATIENCE)
    assert published == [CHANNEL, CHANNEL]
    closed.close()


def test_without_a_broker_nothing_is_rung_and_nothing_listens(settings: Any) -> None:
    settings.REDIS_URL = ""
    ringer = Ringer()

    ringer.ring()
    run(heard(asyncio.Event()))

    assert ringer._thread is None


def test_a_commit_of_a_worker_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(bell.ringer, "ring", lambda: rung.append(True))

    flow_moved.send(None)

    assert rung == [True]
