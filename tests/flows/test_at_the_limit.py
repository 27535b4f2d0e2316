"""Real worker processes with more work than Bokio takes: what arrives, and who waits how long."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from tests.support.processes import Stack
from tools import bench_limit
from tools.bench_fairness import OTHERS_GOAL, OWN_GOAL, Fairness
from tools.bench_limit import Saturation, surplus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(django_settings.EMBEDDED, reason="several processes need a broker"),
]

SECONDS, ALLOWED = 90.0, 300
ORDERS = 46  # of seven calls: more than the allowance, and soon through afterwards
CLICKS = 30


def test_four_processes_use_a_saturated_companys_allowance_and_never_more(tmp_path: Path) -> None:
    with Stack(tmp_path, embedded=False, companies=1, env={"TIME_FACTOR": "1"}) as stack:
        saturation = Saturation(stack)
        saturation.start([ORDERS], known=[True])

        (share,) = saturation.run(SECONDS)
        counts = saturation.drain(ORDERS, patience=bench_limit.WINDOW)

        assert share.arrived >= bench_limit.GOAL * ALLOWED
        assert not share.refused
        assert surplus(counts, known=ORDERS, new=0) == {}
        calls = stack.sandbox.calls()
        assert calls["overlappingWrites"] == []
        moments = saturation.arrivals(saturation.companies[0])
        for first, over in zip(moments, moments[bench_limit.LIMIT :], strict=False):
            assert over - first > bench_limit.WINDOW


def test_an_order_costs_seven_calls_and_nine_with_a_new_customer(tmp_path: Path) -> None:
    known, new = 3, 4
    with Stack(tmp_path, embedded=False, companies=2, env={"TIME_FACTOR": "0.25"}) as stack:
        saturation = Saturation(stack, workers=2)
        saturation.start([known, new], known=[True, False])

        counts = saturation.drain(known + new, patience=60)

        assert surplus(counts, known=known, new=new) == {}


def test_clicks_wait_a_moment_while_a_batch_takes_all_that_bokio_gives(tmp_path: Path) -> None:
    # A quarter of the time for a window, so that it is full soon; the goals are not scaled.
    with (
        Stack(tmp_path, embedded=False, companies=2, env={"TIME_FACTOR": "0.25"}) as stack,
        ExitStack() as running,
    ):
        fairness = Fairness(stack, flows=300)
        workers = [stack.another_worker(f"worker{number}", threads=8) for number in range(2)]
        for worker in workers:
            running.callback(worker.kill)
        fairness.start(workers)
        fairness.saturate()

        others = fairness.clicks(fairness.quiet, CLICKS)
        own = fairness.clicks(fairness.busy, CLICKS)

        assert others.p95 <= OTHERS_GOAL, others
        assert own.p95 <= OWN_GOAL, own
