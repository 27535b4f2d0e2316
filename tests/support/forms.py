"""Filling in a form without drawing its page, with a browser's cookies: for the steps that are not
what a test looks at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from playwright.sync_api import APIResponse, BrowserContext


@dataclass
class Form:
    """A form as the page has it: what it sends unless somebody changes it, and all names in it."""

    action: str
    values: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(of.get("action", "")))
        if tag not in {"input", "button"} or "name" not in of or not self.found:
            return
        form = self.found[-1]
        form.names.add(of["name"])
        boxes = {"checkbox", "radio"}
        if tag == "input" and (of.get("type") not in boxes or "checked" in of):
            form.values.append((of["name"], of.get("value", "")))


def submit(context: BrowserContext, shown: APIResponse, *having: str, **chosen: str) -> APIResponse:
    """Send the form that has fields or buttons of all these names; returns where it has led."""
    page = _Forms()
    page.feed(shown.text())
    [form] = [each for each in page.found if {*having, *chosen} <= each.names]
    sent = [(name, value) for name, value in form.values if name not in chosen]
    return context.request.post(
        urljoin(shown.url, form.action),
        data=urlencode([*sent, *chosen.items()]),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Referer": shown.url},
        fail_on_status_code=True,
    )
