"""What the browser asks for, with a server that is slow: pages and answers are given by hand."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import Browser, Page, Route, expect

from bokio_app.core import clock

pytestmark = pytest.mark.journey

SITE = "http://app.test"
SILENT = """
window.streams = 0;
window.EventSource = class extends EventTarget {
  static OPEN = 1;
  static CLOSED = 2;
  readyState = 1;
  constructor() { super(); window.streams += 1; }
  close() { this.readyState = 2; }
};
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def shown(page: Page, body: str, *scripts: str) -> None:
    """Open a page that holds this, with scripts of the product's."""
    tags = "".join(f'<script src="/{name}" type="module"></script>' for name in scripts)
    page.route(f"{SITE}/", lambda route: route.fulfill(body=body + tags, content_type="text/html"))
    for name in scripts:
        page.route(f"{SITE}/{name}", answered_by(name))
    page.goto(f"{SITE}/")


def answered_by(name: str) -> Any:
    return lambda route: route.fulfill(path=str(finders.find(name)))


def test_a_stream_that_is_slow_to_speak_is_not_asked_for_anew_each_second(page: Page) -> None:
    page.add_init_script(SILENT)
    page.clock.install()
    shown(page, '<body data-live="/live/" data-live-of="1">', "js/live.js")
    page.wait_for_function("window.streams === 1")

    page.clock.run_for(19_000)

    assert page.evaluate("window.streams") == 1
    page.clock.run_for(5_000)
    assert page.evaluate("window.streams") == 2


def test_of_two_runs_that_are_opened_quickly_the_newer_is_shown(page: Page) -> None:
    keys = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    flow = SimpleNamespace(label="Send", connection="Almgren AB", created_at=clock.now())
    rows = [SimpleNamespace(key=key, state="done", flow=flow) for key in keys]
    request = RequestFactory().get("/runs/")
    part = render_to_string("flows/_rows.html", {"rows": rows, "request": request})
    held: dict[str, Route] = {}
    page.route(f"{SITE}/runs/**", lambda route: held.update({route.request.url[-38:-2]: route}))
    shown(page, f'<main id="main">{part}<div id="run"></div></main>', "django_htmx/htmx-2.min.js")

    for key in keys:
        with page.expect_request(f"**/runs/{key}/*"):
            page.locator(f"#run-{key}").click()
    for key in keys:
        held[key].fulfill(body=f'<div id="run"><h1>{key}</h1></div>', content_type="text/html")

    expect(page.locator("#run h1")).to_have_text(keys[1])
