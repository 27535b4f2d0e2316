"""The list of runs beside the one that is open, by keyboard and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import EMAIL, PASSWORD, Company
from tests.journeys.steps import draft, expect_recorded
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

ONE_RUN = re.compile(r"/runs/[0-9a-f-]{36}/")


def test_runs_are_walked_and_opened_by_keys_and_looked_at_on_a_phone(
    member: Walk,
    company: Company,
    connection_id: str,
    open_window: Callable[..., Walk],
    stack: Stack,
) -> None:
    draft(member, connection_id)
    member.press("send")
    expect_recorded(member)
    page = member.page
    member.go(f"/runs/?reads=1&company={connection_id}")
    expect(page.locator("#run h1")).to_be_visible()  # the newest is there without being asked for
    expect(page.locator("#run-views .count")).to_have_count(5)
    last = page.locator("#runs .run-link").last

    for _row in range(page.locator("#runs .run-link").count()):
        page.keyboard.press("j")
    expect(last).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url(ONE_RUN)
    expect(last).to_have_attribute("aria-current", "true")
    expect(page.locator("#run h1")).to_have_count(1)
    assert member.barriers() == []
    opened = page.url.removeprefix(member.app_url)
    page.go_back()
    expect(page.locator("#run-views")).to_be_visible()

    phone = open_window(width=390, height=844)
    phone.be_signed_in(EMAIL, PASSWORD)
    phone.go("/runs/")
    expect(phone.page.locator("#runs .run-link").first).to_be_visible()
    assert phone.barriers() == []
    phone.go(opened)
    expect(phone.page.locator("#runs")).to_be_hidden()
    expect(phone.page.locator("#run h1")).to_be_visible()
    assert phone.barriers() == []
