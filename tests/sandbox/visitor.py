"""A person on the sandbox's pages, in a browser without scripts: follows links, sends forms."""

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

from tests.support.sandbox import SandboxProcess


@dataclass(frozen=True)
class Page:
    """An answer: the status, the address after redirects, the body as text."""

    status: int
    address: str
    text: str
    headers: Any
    content: bytes

    def form(self, action: str) -> "Form":
        """The first form whose address ends like this; "" is one that leads to the page itself."""
        reader = _Forms(action)
        reader.feed(self.text)
        assert reader.found is not None, f"No form leads to {action!r} on {self.address}"
        return Form(reader.leads or urllib.parse.urlsplit(self.address).path, reader.found)


@dataclass(frozen=True)
class Form:
    """Where a form leads, and what it would send as it stands."""

    address: str
    fields: dict[str, list[str]]


class _Forms(HTMLParser):
    """Collects the fields of the first form whose `action` ends as wanted."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action = action
        self._inside = False
        self.leads = ""
        self._select = ""
        self._first: str | None = None
        self._chosen: str | None = None
        self._area = ""
        self.found: dict[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            leads = given.get("action", "")
            wanted = leads.endswith(self._action) if self._action else not leads
            self._inside = self.found is None and given.get("method") == "post" and wanted
            if self._inside:
                self.found, self.leads = {}, leads
        elif self._inside:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "select":
            self._select, self._first, self._chosen = name, None, None
        elif tag == "option" and "selected" in given:
            self._chosen = given["value"]
        elif tag == "option" and self._first is None:
            self._first = given["value"]
        elif tag == "textarea":
            self._area = name
        elif tag == "input":
            box = given.get("type") in {"checkbox", "radio"}
            if name and ("checked" in given or not box):
                self._add(name, given.get("value", "on" if box else ""))

    def handle_data(self, data: str) -> None:
        if self._inside and self._area:
            self._add(self._area, data.strip("\r\n"))
            self._area = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._inside:
            # A browser sends the first option where none is marked.
            self._add(self._select, self._first or "" if self._chosen is None else self._chosen)

    def _add(self, name: str, value: str) -> None:
        assert self.found is not None
        self.found.setdefault(name, []).append(value)


class Visitor:
    """Signed in as somebody, and reading in one of the two languages."""

    def __init__(self, sandbox: SandboxProcess, *, language: str = "en") -> None:
        self._sandbox = sandbox
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.send(self.get("/"), "/language", language=language)
        self.sign_in("Maja Lindqvist")

    def sign_in(self, name: str) -> None:
        if "/sign-in" not in (page := self.get("/")).text:
            self.send(page, "/sign-out")
            page = self.get("/")
        before = page.text[: page.text.index(f"<strong>{name}</strong>")]
        person = before.rsplit('value="', 1)[1].split('"', 1)[0]
        self.send(page, "/sign-in", person=person)

    def get(self, path: str) -> Page:
        return self._open(path, None)

    def send(self, page: Page, action: str, /, **changes: object) -> Page:
        """Fill in the page's form for this address and send it; None empties a field."""
        form = page.form(action)
        fields = dict(form.fields)
        for name, value in changes.items():
            values = value if isinstance(value, list) else [value]
            fields[name] = [str(one) for one in values if one is not None]
        return self._open(form.address, fields)

    def send_to(self, page: Page, action: str, elsewhere: str, /) -> Page:
        """Press the button of a form that leads elsewhere than the form itself."""
        form = page.form(action)
        return self._open(form.address.removesuffix(action) + elsewhere, dict(form.fields))

    def post(self, path: str, /, **fields: object) -> Page:
        """Send fields without any form, and so without its token."""
        return self._open(path, {name: [str(value)] for name, value in fields.items()})

    def _open(self, path: str, fields: dict[str, list[str]] | None) -> Page:
        body = None if fields is None else urllib.parse.urlencode(fields, doseq=True).encode()
        request = urllib.request.Request(  # noqa: S310  # always http on loopback
            self._sandbox.url + path, data=body
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                return _page(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return _page(refused)


def _page(answer: Any) -> Page:
    content = answer.read()
    text = content.decode("utf-8", "replace")
    return Page(answer.status, answer.url, text, answer.headers, content)
