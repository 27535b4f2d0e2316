"""Messages are only bells: lost, doubled or without a broker, work comes late and never twice."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from tests.support.net import wait_until
from tests.support.processes import Stack
from tools import load
from tools.bench_limit import CALLS_PER_ORDER, Saturation, surplus

pytestmark = [
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.skipif(django_settings.EMBEDDED, reason="without a broker nobody rings"),
]

LATEST = 5.0  # seconds until work goes on
ORDERS = 2
TEN_TIMES = """
from bokio_app.flows.tasks import work
for _ in range(10):
    work.apply_async(["{connection}"], queue="work")
    work.apply_async(["{connection}", True], queue="click")
"""


def seconds_until_work(stack: Stack) -> float:
    """Seconds from now to the first call, zero if it has come already."""
    since = time.monotonic()
    wait_until(lambda: bool(stack.sandbox.calls()["calls"]), what="work goes on", seconds=60)
    return time.monotonic() - since


def test_without_bells_work_comes_late_and_with_ten_of_each_it_comes_once(tmp_path: Path) -> None:
    with Stack(tmp_path, embedded=False, companies=1, env={"TIME_FACTOR": "1"}) as stack:
        saturation = Saturation(stack, workers=2)
        saturation.start([0], known=[True])
        (company,) = saturation.companies
        assert stack.broker

        # No scheduler, and nobody rings for what is in the rows.
        stack.beat.kill()
        load.add_orders(stack, company, ORDERS)
        assert seconds_until_work(stack) <= LATEST
        assert surplus(saturation.drain(ORDERS, patience=60), known=ORDERS, new=0) == {}

        # The broker is gone with all it held, the limiter's counts among it, and comes back empty.
        stack.beat.start()
        stack.broker.kill()
        stack.sandbox.clear_calls()
        load.add_orders(stack, company, ORDERS)
        shutil.rmtree(tmp_path / "broker")
        (tmp_path / "broker").mkdir()
        assert not stack.sandbox.count("post-invoice")  # nobody calls uncounted
        stack.broker.start()
        assert seconds_until_work(stack) <= LATEST
        assert surplus(saturation.drain(ORDERS, patience=60), known=ORDERS, new=0) == {}

        # Every message ten times.
        stack.sandbox.clear_calls()
        load.add_orders(stack, company, ORDERS)
        stack.manage(*load.SHELL, TEN_TIMES.format(connection=company.connection_id))
        assert surplus(saturation.drain(ORDERS, patience=60), known=ORDERS, new=0) == {}

        books = stack.sandbox.books(company.remote_id)
        assert len(books["invoices"]) == 3 * ORDERS
        entries = CALLS_PER_ORDER[True] // 2  # recorded: invoice, settlement, payment
        assert len(books["journalEntries"]) == 3 * ORDERS * entries
