"""Many tabs of one browser: one stream for all that are seen, and none for one that is hidden."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import Page, Request, expect

from tests.journeys.conftest import Company
from tests.journeys.steps import PUBLISH, draft, expect_recorded
from tests.journeys.test_live import HIDE
from tests.support.net import wait_until
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

TABS = 10
PATIENCE = 20
HEARD = "() => document.body.dataset.liveIs === 'heard'"
LOST = "() => document.body.dataset.liveIs === 'lost'"


class Streams:
    """The streams that a browser has open, as its requests tell."""

    def __init__(self, walk: Walk) -> None:
        self.open: set[Request] = set()
        walk.context.on("request", self._began)
        walk.context.on("requestfinished", self._ended)
        walk.context.on("requestfailed", self._ended)

    def expect_one(self, page: Page) -> None:
        """One stream is open, as soon as the browser has told of those that it has closed."""

        def is_one() -> bool:
            page.evaluate("1")  # hear what the browser has to tell
            return len(self.open) == 1

        wait_until(is_one, what="one stream is open", seconds=PATIENCE)

    def _began(self, request: Request) -> None:
        if request.url.endswith("/live/"):
            self.open.add(request)

    def _ended(self, request: Request) -> None:
        self.open.discard(request)


def tabs_on(walk: Walk, path: str) -> list[Page]:
    """Ten tabs on the same page, each of which hears the stream."""
    walk.go(path)
    pages = [walk.page, *(walk.context.new_page() for _ in range(TABS - 1))]
    for page in pages:
        page.goto(walk.app_url + path)
        page.wait_for_function(HEARD)
    return pages


def test_ten_open_tabs_follow_a_run_by_one_stream(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    streams = Streams(member)
    path = draft(member, connection_id)
    pages = tabs_on(member, path)
    held = stack.sandbox.add_fault(PUBLISH, "hold_before")
    member.press("send")
    stack.sandbox.wait_held(held)

    for page in pages:
        expect(page.locator(".flow-progress li")).to_have_count(4)
    streams.expect_one(member.page)
    stack.sandbox.release(held)

    for page in pages:
        expect(page.locator("a[href*='/payments/invoice/']").first).to_be_visible()
    expect_recorded(member)
    streams.expect_one(member.page)


def test_a_hidden_tab_leaves_the_stream_to_another_and_looks_when_it_is_shown(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    streams = Streams(member)
    path = draft(member, connection_id)
    leader, other = tabs_on(member, path)[0], member.context.pages[1]
    for page in member.context.pages[2:]:
        page.close()

    leader.evaluate(HIDE, True)
    other.wait_for_function(HEARD)
    other.get_by_role("button", name=member.word("send")).first.click()

    expect(other.locator("a[href*='/payments/invoice/']").first).to_be_visible()
    expect(leader.locator("a[href*='/payments/invoice/']")).to_have_count(0)
    streams.expect_one(other)
    other.evaluate(HIDE, True)
    other.close()
    leader.evaluate(HIDE, False)
    expect(leader.locator("a[href*='/payments/invoice/']").first).to_be_visible()
    leader.wait_for_function(HEARD)
    streams.expect_one(leader)


def test_while_no_stream_is_heard_the_page_asks_by_itself(
    member: Walk, company: Company, connection_id: str, stack: Stack
) -> None:
    path = draft(member, connection_id)
    member.page.route("**/live/", lambda route: route.fulfill(status=204))
    member.go(path)
    held = stack.sandbox.add_fault(PUBLISH, "hold_before")
    member.press("send")
    stack.sandbox.wait_held(held)
    member.page.wait_for_function(LOST)

    expect(member.page.locator(".flow-progress li")).to_have_count(4)
    stack.sandbox.release(held)

    expect_recorded(member)
    member.page.unroute("**/live/")
    member.page.evaluate(HIDE, True)
    member.page.evaluate(HIDE, False)
    member.page.wait_for_function(HEARD)


def test_a_server_that_stops_lets_the_streams_go_and_the_page_hears_the_next_one(
    member: Walk, stack: Stack
) -> None:
    member.go("/runs/")
    member.page.wait_for_function(HEARD)

    code = stack.web.terminate(patience=PATIENCE)

    assert code in {0, -signal.SIGTERM}  # it was not killed
    assert not stack.web.said("timeout graceful shutdown exceeded")
    member.page.wait_for_function(LOST)
    stack.web.start()
    member.page.wait_for_function(HEARD)
    refused = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "htmx:")
    member.noted[:] = [line for line in member.noted if not any(each in line for each in refused)]
