"""The limiter's rules, the same table of tests for each store, by the stores' own clocks."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections

from bokio_app.bokio.http import Call
from bokio_app.flows.limits import limiter, redis_store
from bokio_app.flows.limits.asking import (
    Finished,
    Permit,
    Reason,
    Rules,
    Store,
    Wait,
    Want,
    normalised,
)
from bokio_app.flows.limits.redis_store import RedisStore
from bokio_app.flows.limits.rows import Pace
from bokio_app.flows.limits.tables import TableStore
from tests.support import make

pytestmark = pytest.mark.django_db

STORES = ["tables"] if django_settings.EMBEDDED else ["tables", "redis"]
LASTS = 1.0
ANSWERED = Finished(sent=True, answered=True)
WRITE = normalised("post", "Companies/1/invoices/?page=2")


@dataclass
class Company:
    """A connection with one store and rules for it."""

    store: Store
    rules: Rules
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    def ask(
        self, *, urgent: bool = True, address: str = "", who: str = "", lasts: float = LASTS
    ) -> Permit | Wait:
        want = Want(who=who or uuid.uuid4().hex, lasts=lasts, urgent=urgent, address=address)
        return self.store.ask(self.id, want, uuid.uuid4().hex, self.rules)

    def permit(self, **wanted: Any) -> Permit:
        answer = self.ask(**wanted)
        assert isinstance(answer, Permit), answer
        return answer

    def wait(self, **wanted: Any) -> Wait:
        answer = self.ask(**wanted)
        assert isinstance(answer, Wait), answer
        return answer

    def patiently(self, **wanted: Any) -> Permit:
        while isinstance(answer := self.ask(**wanted), Wait):
            time.sleep(answer.seconds)
        return answer

    def done(self, permit: Permit, end: Finished = ANSWERED) -> None:
        self.store.done(permit, end, self.rules)

    def call(self, remaining: int | None = None, **wanted: Any) -> None:
        """A call that is answered at once."""
        self.done(self.permit(**wanted), Finished(sent=True, answered=True, remaining=remaining))

    def lose_everything(self) -> None:
        if isinstance(self.store, RedisStore):
            client = redis_store._client(django_settings.REDIS_URL)
            for key in client.scan_iter(f"limits:{{{self.id}}}:*"):
                client.delete(key)
        Pace.objects.filter(connection_id=self.id).delete()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    return TableStore() if request.param == "tables" else RedisStore(django_settings.REDIS_URL)


@pytest.fixture
def company(store: Store, settings: Any) -> Company:
    """Ten calls in a second, and none made yet."""
    settings.TIME_FACTOR = 0.1
    return Company(store, Rules(limit=10, window=1.0), make.connection().pk)


@pytest.mark.django_db(transaction=True)
def test_no_window_ever_holds_more_than_the_limit(company: Company) -> None:
    arrivals: list[float] = []
    ends = time.monotonic() + 3 * company.rules.window
    company.call()

    def caller(number: int) -> None:
        try:
            while time.monotonic() < ends:
                answer = company.ask(urgent=number % 2 == 0, who=f"caller{number}")
                if isinstance(answer, Wait):
                    time.sleep(answer.seconds)
                    continue
                time.sleep(number * 0.003)  # on the way
                arrivals.append(time.monotonic())
                time.sleep(number * 0.002)  # and back
                company.done(answer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(caller, range(4)))

    arrivals.sort()
    assert len(arrivals) > 2 * company.rules.limit
    window, limit = company.rules.window, company.rules.limit
    for first, over in zip(arrivals, arrivals[limit:], strict=False):
        assert over - first > window


def test_two_writes_never_share_an_address(company: Company) -> None:
    company.call()
    first = company.permit(address=WRITE)

    wait = company.wait(address=WRITE)
    company.permit(address=WRITE + "/1")
    company.permit()
    company.done(first)

    assert wait.reason == Reason.PATH
    assert 0 < wait.seconds < LASTS
    company.permit(address=WRITE)


def test_a_write_without_an_answer_keeps_its_address_until_its_deadline(company: Company) -> None:
    company.call()
    began = time.monotonic()
    lost = company.permit(address=WRITE)

    company.done(lost, Finished(sent=True))

    company.patiently(address=WRITE)
    assert time.monotonic() - began >= LASTS * 0.95


def test_a_request_that_never_left_gives_back_all_it_held(company: Company) -> None:
    company.call()
    for _ in range(3 * company.rules.limit):
        company.done(company.permit(address=WRITE), Finished(sent=False))


def test_a_question_asked_again_since_its_answer_was_lost_is_answered_alike(
    settings: Any,
) -> None:
    if not django_settings.REDIS_URL:
        pytest.skip("tables answer within the transaction that takes the slot")
    store, rules = RedisStore(django_settings.REDIS_URL), Rules(limit=10, window=1.0)
    connection_id, token = make.connection().pk, uuid.uuid4().hex
    want = Want(who="a batch", lasts=0.5, address="POST invoices")

    first = store.ask(connection_id, want, token, rules)
    again = store.ask(connection_id, want, token, rules)

    assert isinstance(first, Permit)
    assert again == first


def test_an_unanswered_call_counts_a_window_longer_than_it_may_last(company: Company) -> None:
    company.call()
    began = time.monotonic()
    for _ in range(9):
        company.done(company.permit(), Finished(sent=True))

    for _ in range(2):  # the answered call's slot is free first
        company.patiently()

    assert time.monotonic() - began >= (LASTS + company.rules.window) * 0.9


def test_an_unanswered_call_counts_as_long_as_bokio_may_still_meet_it(company: Company) -> None:
    """A request that lay in a queue of Bokio's is counted as it is carried out, not as it came."""
    company.rules = replace(company.rules, late=0.5)
    company.call()
    began = time.monotonic()
    company.permit()  # of a worker that is killed, and never tells
    for _ in range(8):
        company.done(company.permit(), Finished(sent=True))

    for _ in range(2):  # the answered call's slot is free first
        company.patiently()

    assert time.monotonic() - began >= (LASTS + 0.5 + company.rules.window) * 0.9


def test_after_the_store_is_lost_one_call_finds_out_what_is_left(company: Company) -> None:
    company.call()
    company.lose_everything()

    probe = company.permit()
    waits = [company.wait() for _ in range(3)]
    company.done(probe, Finished(sent=True, answered=True, remaining=3))

    assert {wait.reason for wait in waits} == {Reason.RATE}
    for _ in range(3):
        company.permit()
    assert company.wait().seconds <= company.rules.window


def test_a_probe_without_an_answer_is_followed_by_another(company: Company) -> None:
    company.done(company.permit(), Finished(sent=True))

    company.permit()

    assert isinstance(company.ask(), Wait)


def test_what_bokio_tells_may_only_lower_our_estimate(company: Company) -> None:
    company.call()
    company.call(remaining=10)
    company.call(remaining=4)

    for _ in range(4):
        company.permit()
    company.wait()


def test_an_answer_from_before_slots_were_freed_fills_none_of_them(company: Company) -> None:
    company.rules = Rules(limit=10, window=4.0)
    for _ in range(9):
        company.call()
    time.sleep(company.rules.window * 0.7)
    slow = company.permit()
    time.sleep(company.rules.window * 0.5)

    company.done(slow, Finished(sent=True, answered=True, remaining=0))

    for _ in range(9):
        company.permit()


def test_a_waiting_click_gets_the_free_slot_before_a_batch(company: Company) -> None:
    company.call()
    for _ in range(9):
        company.permit(lasts=30)
    wait = company.wait(who="click")
    time.sleep(wait.seconds)

    assert company.wait(urgent=False).reason == Reason.RATE
    company.permit(who="click")


def test_batches_keep_a_pace_after_a_burst_of_five_and_clicks_do_not(company: Company) -> None:
    company.rules = Rules(limit=20, window=60)
    for _ in range(5):
        company.call(urgent=False)

    wait = company.wait(urgent=False)
    for _ in range(5):
        company.call(urgent=True)

    assert wait.seconds <= company.rules.interval


def test_each_paced_asker_is_given_a_moment_of_its_own_and_keeps_it(
    company: Company, settings: Any
) -> None:
    settings.TIME_FACTOR = 1
    company.rules = Rules(limit=20, window=40)
    company.call()
    for number in range(5):
        company.permit(urgent=False, who=f"early{number}")

    waits = [company.wait(urgent=False, who=who).seconds for who in ("a", "b", "a", "b")]

    assert waits[2] <= waits[0] <= company.rules.interval < waits[0] + 1
    assert waits[1] - waits[0] > 1
    assert waits[3] - waits[2] > 1


def test_a_moment_that_is_too_far_ahead_is_left_to_others(company: Company, settings: Any) -> None:
    settings.TIME_FACTOR = 1
    company.rules = Rules(limit=20, window=600)
    company.call()
    for number in range(5):
        company.permit(urgent=False, who=f"early{number}")
    waits = [company.wait(urgent=False, who=who).seconds for who in ("a", "b")]

    assert waits[1] <= waits[0] <= company.rules.interval


def test_paced_askers_without_a_free_slot_wait_for_one_each(
    company: Company, settings: Any
) -> None:
    settings.TIME_FACTOR = 1
    company.rules = Rules(limit=4, window=4.0)
    company.call()
    for _ in range(3):
        time.sleep(0.3)
        company.call()

    waits = [company.wait(urgent=False, who=who).seconds for who in ("a", "b", "c")]

    assert waits[0] < waits[1] < waits[2] <= waits[0] + 2 * company.rules.interval


def test_slots_that_come_free_in_a_bunch_are_taken_one_after_the_other(
    company: Company, settings: Any
) -> None:
    settings.TIME_FACTOR = 1
    company.rules = Rules(limit=20, window=4.0)
    for _ in range(20):
        company.call()

    waits = [company.wait(urgent=False, who=str(number)).seconds for number in range(5)]

    gaps = [later - sooner for sooner, later in itertools.pairwise(waits)]
    assert min(gaps) > 0.8 * company.rules.interval


def test_a_batch_uses_the_whole_allowance_but_for_its_round_trips(store: Store) -> None:
    company = Company(store, Rules(limit=40, window=3.0), make.connection().pk)
    calls, began, longest = 0, time.monotonic(), 0.0

    while time.monotonic() - began < 2 * company.rules.window:
        asked = time.monotonic()
        answer = company.ask(urgent=False, who="batch")
        if isinstance(answer, Permit):
            company.done(answer)
            calls += 1
            longest = max(longest, time.monotonic() - asked)
        else:
            time.sleep(answer.seconds)

    windows = (time.monotonic() - began) / (company.rules.window + longest)
    assert calls >= 0.99 * windows * company.rules.limit


def test_a_blocked_company_waits_exactly_as_told_and_then_asks_carefully(company: Company) -> None:
    company.call()

    company.store.block(company.id, 0.5)

    wait = company.wait()
    assert 0.2 < wait.seconds <= 0.5
    time.sleep(wait.seconds)
    company.patiently()
    company.wait()  # nothing is known of the window until that one is answered


def test_a_refused_call_tells_nothing_of_the_window(settings: Any) -> None:
    refused = Call("get-company", "GET", 429, 0.1, remaining=0, retry_after=3)
    lost = Call("get-company", "GET", 0, 0.1)
    unsent = Call("get-company", "GET", 0, 0.1, sent=False)

    assert limiter._end(refused) == Finished(sent=True, answered=True)
    assert limiter._end(lost) == Finished(sent=True)
    assert limiter._end(unsent) == limiter._end(None) == Finished(sent=False)


def test_without_the_store_everybody_waits_and_nobody_fails(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    connection_id = uuid.uuid4()

    answer = limiter.ask(connection_id, Want(who="somebody", lasts=1))
    limiter.done(Permit(connection_id, "token", "", 1, 0), None)
    limiter.block(connection_id, 1)

    assert isinstance(answer, Wait)
    assert answer.reason == Reason.LIMITER
    assert "limiter_unreachable" in caplog.text


def test_all_keys_of_a_company_lie_on_one_node_of_a_cluster() -> None:
    connection_id = uuid.uuid4()

    keys = redis_store._keys(connection_id, WRITE)

    assert all(key.startswith(b"limits:{%b}:" % str(connection_id).encode()) for key in keys)
    assert len(set(keys)) == 9


def test_an_address_is_told_apart_as_the_server_does() -> None:
    assert WRITE == "POST companies/1/invoices"


@pytest.mark.django_db(transaction=True)
def test_many_askers_at_once_take_each_slot_once(company: Company) -> None:
    company.rules = Rules(limit=10, window=60)
    company.call()
    barrier = threading.Barrier(6)

    def caller(_number: int) -> int:
        try:
            barrier.wait()
            return sum(isinstance(company.ask(lasts=30), Permit) for _ in range(5))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as callers:
        granted = sum(callers.map(caller, range(6)))

    assert granted == company.rules.limit - 1
