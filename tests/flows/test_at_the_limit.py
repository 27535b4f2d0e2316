"""Real worker processes with more work than Bokio takes: what arrives, and who waits how long.

One run of a minute and a half at Bokio's own limit shows shares and costs. Clicks have another, in
which the limit lets through what people click each second for a minute and a half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.support.net import wait_until
from tests.support.processes import Stack
from tools import bench_limit
from tools.bench_fairness import OTHERS_GOAL, OWN_GOAL, Fairness
from tools.bench_limit import LIMIT, ORDER, WINDOW, Saturation, Share, surplus
from tools.load import Company

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timed,
    pytest.mark.skipif(django_settings.EMBEDDED, reason="several processes need a broker"),
]

SECONDS, ALLOWED = 90.0, 300
ORDERS = 46  # of seven calls: more than the allowance, and soon through afterwards
NEW = 4  # orders with a new customer each
OTHERS_CLICKS, OWN_CLICKS = 60, 30


@dataclass(frozen=True)
class Run:
    """What was seen of a saturated company, and of one with orders for new customers."""

    share: Share
    moments: list[float]
    known: Counter[str]
    new: Counter[str]
    overlapping: list[Any]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Stack(tmp_path, embedded=False, companies=2, env={"TIME_FACTOR": "1"}) as stack:
        saturation = Saturation(stack)
        saturation.start([ORDERS, NEW], known=[True, False])
        measured, new = saturation.companies

        def calls(company: Company) -> Counter[str]:
            found = stack.sandbox.calls()["calls"]
            return Counter(call["operation"] for call in found if company.remote_id in call["path"])

        wait_until(
            lambda: calls(measured)[ORDER[-1]] >= ORDERS,
            what="all orders are through",
            seconds=SECONDS + 2 * WINDOW,
            every=1,
        )
        yield Run(
            share=saturation.share(measured, SECONDS),
            moments=saturation.arrivals(measured),
            known=calls(measured),
            new=calls(new),
            overlapping=stack.sandbox.calls()["overlappingWrites"],
        )


def test_four_processes_use_a_saturated_companys_allowance_and_no_call_too_many(run: Run) -> None:
    assert run.share.arrived >= bench_limit.GOAL * ALLOWED
    assert not run.share.refused
    assert run.overlapping == []
    assert run.moments[-1] >= SECONDS
    for first, over in zip(run.moments, run.moments[LIMIT:], strict=False):
        assert over - first > WINDOW
    # An order is seven calls, and nine with a new customer.
    assert surplus(run.known, known=ORDERS, new=0) == {}
    assert surplus(run.new, known=0, new=NEW) == {}


def test_clicks_wait_a_moment_while_a_batch_takes_all_that_bokio_gives(tmp_path: Path) -> None:
    # A quarter of the time for a window, so that it is full soon; the goals are not scaled.
    with (
        Stack(tmp_path, embedded=False, companies=2, env={"TIME_FACTOR": "0.25"}) as stack,
        ExitStack() as running,
    ):
        fairness = Fairness(stack, flows=300, pause=1.1)
        workers = [stack.another_worker(f"worker{number}", threads=8) for number in range(2)]
        for worker in workers:
            running.callback(worker.kill)
        fairness.start(workers)
        fairness.saturate()

        others = fairness.clicks(fairness.quiet, OTHERS_CLICKS)
        own = fairness.clicks(fairness.busy, OWN_CLICKS)

        assert others.p95 <= OTHERS_GOAL, others
        assert own.p95 <= OWN_GOAL, own
