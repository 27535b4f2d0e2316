"""The stream through the whole ASGI application: who hears what, how long, and what it holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection as database
from django.db import connections
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import CompanyAccess, Connection
from bokio_app.flows.models import Flow, FlowState
from bokio_app.live import hub as hubs
from bokio_app.live import views
from bokio_app.live.hub import MOST_STREAMS, Hub
from bokio_app.live.visitors import Gone, Visitor
from bokio_app.tenants.models import Member, User
from tests.support import make
from tests.support.loops import run

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20.0  # seconds; nothing waits for it to pass


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub of the test's own that looks often."""
    fresh = Hub()
    monkeypatch.setattr(views, "hub", fresh)
    monkeypatch.setattr(hubs, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(views, "HEARTBEAT", 0.05)
    return fresh


@pytest.fixture
def company() -> Connection:
    return make.connection(make.tenant())


@pytest.fixture
def person(company: Connection) -> User:
    return make.member(company.tenant)


@pytest.fixture
def browser(person: User) -> Iterator[Client]:
    client = Client()
    client.force_login(person)
    yield client
    connections.close_all()


class Tab:
    """One open stream: the request as the server would give it to the application."""

    def __init__(self, browser: Client) -> None:
        cookies = "; ".join(f"{name}={each.value}" for name, each in browser.cookies.items())
        headers = [(b"host", b"127.0.0.1"), (b"cookie", cookies.encode())]
        headers.append((b"accept-encoding", b"gzip"))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": reverse("live:stream"),
            "query_string": b"",
            "headers": headers,
        }
        self._app = ApplicationCommunicator(get_asgi_application(), scope)
        self._text = ""
        self.is_closed = False

    async def start(self) -> dict[bytes, bytes]:
        """Ask; returns the headers, and the status as `:status`."""
        await self._app.send_input({"type": "http.request", "body": b""})
        answer = await self._app.receive_output(PATIENCE)
        return {**dict(answer["headers"]), b":status": str(answer["status"]).encode()}

    async def hear(self, *names: str) -> tuple[str, Any]:
        """The next event of one of these names, and its data; "" when the stream has ended."""
        while True:
            while "\n\n" in self._text:
                block, _end, self._text = self._text.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.splitlines())
                if fields.get("event") in names:
                    return fields["event"], json.loads(fields["data"])
            if self.is_closed:
                return "", None
            part = await self._app.receive_output(PATIENCE)
            self._text += part.get("body", b"").decode()
            self.is_closed = not part.get("more_body", False)

    async def go(self) -> None:
        """The browser leaves."""
        await self._app.send_input({"type": "http.disconnect"})
        await self._app.wait(PATIENCE)


async def changed(change: Callable[[], object]) -> None:
    """Do it in another thread with a connection of its own, as another process would."""

    def alone() -> None:
        try:
            change()
        finally:
            connections.close_all()

    await sync_to_async(alone, thread_sensitive=False)()


def runs(flow: Flow) -> Callable[[], object]:
    return lambda: Flow.objects.filter(pk=flow.pk).update(state=FlowState.RUNNING)


def in_a_loop(scenario: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        await asyncio.wait_for(scenario(), 2 * PATIENCE)

    run(in_time())


def test_an_open_page_hears_which_ids_have_moved_and_nothing_else(
    browser: Client, company: Connection, hub: Hub
) -> None:
    flow = make.flow(company)

    async def scenario() -> None:
        tab = Tab(browser)
        headers = await tab.start()
        assert headers[b":status"] == b"200"
        assert headers[b"Content-Type"] == b"text/event-stream"
        assert b"no-store" in headers[b"Cache-Control"]
        assert b"Content-Encoding" not in headers
        assert await tab.hear("begun", "moved") == ("begun", {})

        await changed(runs(flow))

        told = {"flow": [str(flow.public_id)], "connection": [str(company.pk)]}
        assert await tab.hear("moved") == ("moved", told)
        assert await tab.hear("still") == ("still", {})
        await tab.go()
        assert hub.count() == 0

    in_a_loop(scenario)


def test_what_moved_while_the_page_was_on_its_way_is_told_to_it(
    browser: Client, company: Connection
) -> None:
    flow = make.flow(company)

    async def scenario() -> None:
        first, second = Tab(browser), Tab(browser)
        await first.start()
        await first.hear("begun")
        await changed(runs(flow))
        await first.hear("moved")
        await first.go()

        await second.start()

        assert (await second.hear("moved"))[1]["flow"] == [str(flow.public_id)]
        await second.go()

    in_a_loop(scenario)


def test_a_member_hears_of_no_company_that_was_not_given_to_them(
    browser: Client, company: Connection, person: User
) -> None:
    hidden = make.flow(make.connection(company.tenant))
    seen = make.flow(company)
    member = Member.objects.get(user=person)
    Member.objects.filter(pk=member.pk).update(sees_all=False)
    CompanyAccess.objects.create(member=member, connection=company)
    stranger = make.flow(make.connection(make.tenant()))

    async def scenario() -> None:
        tab = Tab(browser)
        await tab.start()
        await tab.hear("begun")

        await changed(runs(hidden))
        await changed(runs(stranger))
        await changed(runs(seen))

        _name, told = await tab.hear("moved")
        assert told["flow"] == [str(seen.public_id)]
        assert told["connection"] == [str(company.pk)]
        await tab.go()

    in_a_loop(scenario)


@pytest.mark.parametrize("why", ["signed_out", "removed", "deactivated"])
def test_the_stream_of_somebody_who_may_not_listen_any_more_ends(
    browser: Client, person: User, hub: Hub, why: str
) -> None:
    ends = {
        "signed_out": browser.session.flush,
        "removed": Member.objects.filter(user=person).delete,
        "deactivated": lambda: User.objects.filter(pk=person.pk).update(is_active=False),
    }

    async def scenario() -> None:
        tab = Tab(browser)
        await tab.start()
        await tab.hear("begun")

        await changed(ends[why])

        assert await tab.hear("over") == ("over", {})
        assert await tab.hear("over") == ("", None)
        await tab.go()
        assert hub.count() == 0

    in_a_loop(scenario)


def test_a_stream_ends_by_itself_and_the_browser_asks_anew(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LONGEST", 0.1)

    async def scenario() -> None:
        tab = Tab(browser)
        await tab.start()

        assert await tab.hear("over") == ("", None)
        await tab.go()

    in_a_loop(scenario)


def test_all_streams_end_when_the_process_is_to_stop(browser: Client, hub: Hub) -> None:
    async def scenario() -> None:
        tabs = [Tab(browser), Tab(browser)]
        for tab in tabs:
            await tab.start()
            await tab.hear("begun")

        hub.stop()

        for tab in tabs:
            assert await tab.hear("over") == ("", None)
            await tab.go()

    in_a_loop(scenario)


def test_one_member_has_so_many_streams_and_no_more(browser: Client, hub: Hub) -> None:
    async def scenario() -> None:
        tabs = [Tab(browser) for _ in range(MOST_STREAMS)]
        for tab in tabs:
            await tab.start()
            await tab.hear("begun")

        refused = Tab(browser)

        assert (await refused.start())[b":status"] == b"429"
        for tab in tabs:
            await tab.go()
        assert hub.count() == 0

    in_a_loop(scenario)


def test_a_look_that_fails_is_followed_by_the_next(
    browser: Client, company: Connection, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = make.flow(company)
    looked = hub._look_now
    failures = iter([RuntimeError("the database is away")])

    def look(tenants: Any) -> Any:
        if failure := next(failures, None):
            raise failure
        return looked(tenants)

    async def scenario() -> None:
        tab = Tab(browser)
        await tab.start()
        await tab.hear("begun")
        monkeypatch.setattr(hub, "_look_now", look)

        await changed(runs(flow))

        assert (await tab.hear("moved"))[1]["flow"] == [str(flow.public_id)]
        await tab.go()

    in_a_loop(scenario)


def test_asking_whether_somebody_may_listen_leaves_no_connection_to_the_database(
    browser: Client, company: Connection, person: User
) -> None:
    visitor = Visitor(browser.session.session_key or "", person.pk, company.tenant_id)
    left: list[object] = []

    def ask() -> None:
        visitor.companies()
        left.append(database.connection)

    run(sync_to_async(ask, thread_sensitive=False)())

    assert left == [None]
    assert str(browser.session.session_key) not in repr(visitor)


def test_a_workspace_that_was_left_for_another_is_told_nothing_more_of(
    browser: Client, company: Connection, person: User
) -> None:
    other = make.tenant()
    Member.objects.create(tenant=other, user=person)
    visitor = Visitor(browser.session.session_key or "", person.pk, company.tenant_id)
    session = browser.session
    session["tenant"] = other.pk
    session.save()

    with pytest.raises(Gone):
        visitor.companies()


def test_a_visitor_is_sent_to_sign_in_and_a_server_without_a_loop_has_no_stream(
    browser: Client,
) -> None:
    address = reverse("live:stream")

    assert Client().get(address).url.startswith(reverse(settings.LOGIN_URL))  # type: ignore[attr-defined]  # a redirect
    assert browser.get(address).status_code == 204
