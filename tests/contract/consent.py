"""A browser without scripts, for the one operation that a person takes part in."""

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar

from tests.support.sandbox import Reply, SandboxProcess


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page, with what they would send untouched; the first radio is chosen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif not self.found or not given.get("name"):
            return
        elif tag == "button":
            self.found[-1].buttons.append((given["name"], given.get("value", "")))
        elif tag == "input":
            self.found[-1].fields.setdefault(given["name"], given.get("value", ""))


class Person:
    """Follows no redirects by itself, so that each answer can be looked at."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._url = sandbox.url
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies, _NoRedirects())

    def open(self, path: str, fields: dict[str, str] | None = None) -> Reply:
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        address = urllib.parse.urljoin(self._url, path)
        try:
            with self._opener.open(address, data, timeout=30) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as other:
            with other:
                return Reply(other.code, dict(other.headers), other.read())

    def press(self, page: Reply, button: str) -> Reply:
        """Send the form that has a button of this name (`name` or `name=value`)."""
        for form in Forms(page.body.decode()).found:
            for name, value in form.buttons:
                if button in (name, f"{name}={value}"):
                    return self.open(form.action, form.fields | {name: value})
        raise AssertionError(f"no button {button} on the page")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def authorize_path(sandbox: SandboxProcess, **changes: str) -> str:
    query = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": sandbox.redirect_uri,
        "state": "state-1",
        "scope": "company-information:read",
    }
    return f"/v1/authorize?{urllib.parse.urlencode(query | changes)}"


def allow(sandbox: SandboxProcess) -> Reply:
    """Sign in as the first person, allow, and return the redirect back to the application."""
    person = Person(sandbox)
    start = authorize_path(sandbox)
    signed_in = person.press(person.open(start), "person")
    assert signed_in.status == 302, signed_in.body[:300]
    return person.press(person.open(start), "decision=allow")
