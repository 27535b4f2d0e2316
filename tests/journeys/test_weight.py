"""What the heaviest page costs to open for the first time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Response

from tests.journeys.conftest import Company
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]

MOST_BYTES = 150_000


def weight(response: Response) -> int:
    """Bytes of headers and body on the wire."""
    sizes = response.request.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]


def test_the_editor_is_light_and_asks_no_other_host(
    member: Walk, company: Company, open_window: Callable[..., Walk]
) -> None:
    connection_id = member.be_given(company.id, company.name)
    fresh = open_window()
    fresh.context.add_cookies(member.context.cookies())
    responses: list[Response] = []

    def note(response: Response) -> None:
        if not response.url.endswith("/live/"):  # it stays open, and carries a few ids
            responses.append(response)

    fresh.page.on("response", note)
    fresh.page.goto(f"{fresh.app_url}/invoices/new/?company={connection_id}")
    fresh.page.wait_for_function("() => document.body.dataset.liveIs === 'heard'")

    weights = {each.url: weight(each) for each in responses}
    assert any("htmx" in address for address in weights)
    assert any("app." in address and address.endswith(".css") for address in weights)
    assert all(each.status == 200 for each in responses)
    assert all(address.startswith(fresh.app_url) for address in weights)
    assert sum(weights.values()) < MOST_BYTES, sorted(weights.items(), key=lambda pair: pair[1])
