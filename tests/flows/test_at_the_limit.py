"""Real worker processes with more work than Bokio takes: what arrives, and who waits how long.

One run of a minute and a half serves all tests here: at Bokio's own limit, nothing scaled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.support.net import wait_until
from tests.support.processes import Stack
from tools import bench_fairness, bench_limit
from tools.bench_fairness import OTHERS_GOAL, OWN_GOAL, Waits
from tools.bench_limit import LIMIT, ORDER, WINDOW, Saturation, Share, surplus
from tools.load import Company

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(django_settings.EMBEDDED, reason="several processes need a broker"),
]

SECONDS, ALLOWED = 90.0, 300
ORDERS = 46  # of seven calls: more than the allowance, and soon through afterwards
BUSY = 120  # orders of a company that is saturated for as long as anybody clicks
NEW = 4  # orders with a new customer each
CLICKS = 30


@dataclass(frozen=True)
class Run:
    """What was seen of a company with orders alone, of one with orders for new customers, and of
    clicks: in a company without orders (`others`), and in a saturated one (`own`).
    """

    share: Share
    moments: list[float]
    known: Counter[str]
    new: Counter[str]
    overlapping: list[Any]
    others: Waits
    own: Waits


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("limit")
    with Stack(folder, embedded=False, companies=4, env={"TIME_FACTOR": "1"}) as stack:
        saturation = Saturation(stack)
        saturation.start([ORDERS, BUSY, NEW, 0], known=[True, True, False, True])
        measured, busy, new, quiet = saturation.companies

        def calls(company: Company) -> Counter[str]:
            found = stack.sandbox.calls()["calls"]
            return Counter(call["operation"] for call in found if company.remote_id in call["path"])

        def clicks(company: Company) -> Waits:
            return bench_fairness.clicks(stack, company, CLICKS, cleared=saturation.cleared)

        others = clicks(quiet)
        wait_until(
            lambda: calls(busy).total() >= LIMIT, what="the limit", seconds=2 * WINDOW, every=1
        )
        own = clicks(busy)
        assert calls(busy)[ORDER[-1]] < BUSY, "the clicks came when nothing was in their way"
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
            others=others,
            own=own,
        )


def test_four_processes_use_a_saturated_companys_allowance_and_never_more(run: Run) -> None:
    assert run.share.arrived >= bench_limit.GOAL * ALLOWED
    assert not run.share.refused
    assert run.overlapping == []
    assert run.moments[-1] >= SECONDS
    for first, over in zip(run.moments, run.moments[LIMIT:], strict=False):
        assert over - first > WINDOW


def test_an_order_costs_seven_calls_and_nine_with_a_new_customer(run: Run) -> None:
    assert surplus(run.known, known=ORDERS, new=0) == {}
    assert surplus(run.new, known=0, new=NEW) == {}


def test_a_click_waits_a_moment_while_other_companies_batches_run(run: Run) -> None:
    assert run.others.p95 <= OTHERS_GOAL, run.others


def test_a_click_waits_a_second_at_most_while_its_own_companys_batch_runs(run: Run) -> None:
    assert run.own.p95 <= OWN_GOAL, run.own
