"""Nobody reaches another workspace: every page × method, with the real ids of its owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from bokio_app.connections import closing
from tests.isolation.addresses import (
    EVEN_WHEN_CLOSED,
    KEEPS_NOTHING,
    OF_ALL_MEMBERS,
    OF_OWNERS,
    Address,
    accounts,
    console,
    pages,
    reachable,
)
from tests.isolation.scene import Scene
from tests.isolation.world import World, made, undone
from tests.support.rows import all_rows, changed, pointing_at
from tests.support.watch import Watch

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
AS_PAGE_OR_PART: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"})
PAGES = pages()
OF_WORKSPACES = [page for page in PAGES if not page.is_open]
WITH_IDS = [page for page in OF_WORKSPACES if page.arguments]
WITHOUT_IDS = [page for page in OF_WORKSPACES if not page.arguments]

every_page = pytest.mark.parametrize("page", OF_WORKSPACES, ids=str)


@dataclass(frozen=True)
class Beginning:
    """The world as it was made, and what was encrypted for it."""

    world: World
    secrets: frozenset[str]


@pytest.fixture(scope="module")
def beginning(
    listening: Watch | None, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Beginning]:
    """One world for the whole module, inside the transaction in which each test has its own."""
    with django_db_blocker.unblock(), undone():
        if listening:
            listening.forget()
        world = made()
        yield Beginning(world, frozenset(listening.secrets if listening else ()))


@pytest.fixture
def world(beginning: Beginning, watch: Watch | None) -> World:
    if watch:
        watch.secrets |= beginning.secrets  # no answer of this test may hold one of them either
    return beginning.world.fresh()


@dataclass(frozen=True)
class Answer:
    """What came back: `said` is headers, cookies and body, `sent` what the request had in it."""

    status: int
    location: str
    said: str
    sent: str

    def tells_of(self, scene: Scene) -> bool:
        """Whether a word of the scene stands in it that the request did not bring along."""
        return self.tells(scene.words)

    def tells(self, words: Sequence[str]) -> bool:
        return any(word in self.said and word not in self.sent for word in words)


def answer_of(response: Any, *, sent: str = "") -> Answer:
    body = b"".join(response) if getattr(response, "streaming", False) else response.content
    said = f"{response.headers} {response.cookies} {body.decode()}"
    leads_to = response.headers.get("Location") or response.headers.get("HX-Redirect", "")
    return Answer(response.status_code, leads_to, said, sent)


def ask(
    client: Client,
    method: str,
    page: Address,
    scene: Scene,
    *,
    headers: dict[str, str] | None = None,
    **changes: str,
) -> Answer:
    """The request that the scene's member would make, with its ids, whoever sends it."""

    def with_changes(values: dict[str, str]) -> dict[str, str]:
        return values | {name: value for name, value in changes.items() if name in values}

    asked, form = with_changes(page.asked(scene)), with_changes(page.form(scene))
    url = f"{page.url(scene)}?{urlencode(asked)}" if asked else page.url(scene)
    send = getattr(client, method.lower())
    body = [form | page.files] if method == "POST" else []
    response = send(url, *body, headers=headers)
    return answer_of(response, sent=f"{asked} {form if method == 'POST' else ''}")


@every_page
def test_the_owner_is_answered_with_the_same_ids(page: Address, world: World) -> None:
    known, owner = world.methods_of(page), world.owner
    client = world.browser(owner.person)

    for method in sorted(known & set(METHODS)):
        answer = ask(client, method, page, owner)

        assert answer.status < 400, method
        if method == "POST" and page.name not in KEEPS_NOTHING:
            assert all_rows() != world.rows, (
                "the form changes nothing: another's refusal proves nothing"
            )

    assert known & {"GET", "POST"}


@every_page
def test_a_member_of_another_workspace_finds_nothing_and_changes_nothing(
    page: Address, world: World
) -> None:
    known, owner = world.methods_of(page), world.owner
    client = world.browser(world.stranger.person)

    for method, headers in product(METHODS, AS_PAGE_OR_PART):
        answer = ask(client, method, page, owner, headers=headers)

        if page.arguments:
            assert answer.status == (404 if method in known else 405), method
        assert not answer.tells_of(owner), method

    after = all_rows()
    assert changed(world.owned, after) == []
    assert pointing_at(after, world.owned, known=world.rows) == []
    assert not page.arguments or after == world.rows


@every_page
def test_a_member_without_access_to_the_company_finds_nothing_and_changes_nothing(
    page: Address, world: World
) -> None:
    known, owner = world.methods_of(page), world.owner
    client = world.browser(world.limited)

    for method, headers in product(METHODS, AS_PAGE_OR_PART):
        answer = ask(client, method, page, owner, headers=headers)

        if page.name in OF_OWNERS:
            assert answer.status in {403, 405}, method
        elif page.arguments and page.name not in OF_ALL_MEMBERS:
            assert answer.status == (404 if method in known else 405), method
        assert not answer.tells(owner.words_of_company), method

    if page.name not in OF_ALL_MEMBERS:
        after = all_rows()
        of_company = {key: row for key, row in world.owned.items() if key[0] != "tenants_tenant"}
        assert changed(world.owned, after) == []
        assert not page.arguments or after == world.rows
        assert pointing_at(after, of_company, known=world.rows) == []


@every_page
def test_a_closed_workspace_is_read_and_nothing_is_started_in_it(
    page: Address, world: World
) -> None:
    known, owner = world.methods_of(page), world.owner
    client = world.browser(owner.person)
    closing.close(owner.tenant, finishes_first=True, by=owner.person)

    if page.name not in EVEN_WHEN_CLOSED:
        before = all_rows()
        for method in METHODS[2:]:
            refused = {409} if method in known else {405, 409}
            assert ask(client, method, page, owner).status in refused, method
        assert all_rows() == before

    if "GET" in known:
        assert ask(client, "GET", page, owner).status < 400


@every_page
def test_who_is_not_signed_in_is_led_to_sign_in_and_changes_nothing(
    page: Address, world: World
) -> None:
    known, client = world.methods_of(page), world.browser(None)

    for method, headers in product(METHODS, AS_PAGE_OR_PART):
        answer = ask(client, method, page, world.owner, headers=headers)

        if method in known:
            assert answer.status == (302 if "HX-Redirect" not in answer.said else 200), method
            assert answer.location.startswith(reverse("account_login")), method
        else:
            assert answer.status in {302, 405} or "HX-Redirect" in answer.said, method
        assert not answer.tells_of(world.owner), method

    assert all_rows() == world.rows


@every_page
def test_another_workspaces_ids_in_a_form_or_query_reach_nothing(
    page: Address, world: World
) -> None:
    """The stranger's own page, where one id after the other is replaced by the owner's."""
    owner, stranger = world.owner, world.stranger
    theirs = page.asked(owner) | page.form(owner)
    mine = page.asked(stranger) | page.form(stranger)
    names = [name for name in mine if mine[name] != theirs.get(name, mine[name])]
    client = world.browser(stranger.person)

    for name in names:
        for method in sorted(world.methods_of(page) & {"GET", "POST"}):
            answer = ask(client, method, page, stranger, **{name: theirs[name]})

            assert answer.status < 500, (method, name)
            assert not answer.tells_of(owner), (method, name)
            after = all_rows()
            assert changed(world.owned, after) == [], (method, name)
            assert pointing_at(after, world.owned, known=world.rows) == [], (method, name)


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_open], ids=str)
def test_an_open_page_tells_nothing_of_any_workspace(page: Address, world: World) -> None:
    stranger, known = world.stranger.person, world.rows

    for person in (None, stranger):
        client = world.browser(person)
        for method in ("GET", "POST"):
            answer = ask(client, method, page, world.owner)

            assert answer.status < 500, method
            assert not answer.tells_of(world.owner), method
        now = all_rows()
        own = {("tenants_user", stranger.pk)} if person else set()  # their language
        assert now.keys() == known.keys()
        assert set(changed(known, now)) <= own
        known = now


@pytest.mark.parametrize("page", accounts(), ids=str)
def test_an_accounts_page_shows_nothing_to_a_visitor(page: Address, world: World) -> None:
    answer = answer_of(world.browser(None).get(reverse(page.name)))

    assert answer.status in {200, 302, 401}
    assert not answer.tells_of(world.owner)
    assert changed(world.rows, all_rows()) == []


@every_page
def test_a_person_without_a_workspace_is_told_so(page: Address, world: World) -> None:
    client = world.browser(world.operator)  # who is no member

    for method in sorted(world.methods_of(page)):
        answer = ask(client, method, page, world.owner)

        assert answer.status == 403, method
        assert not answer.tells_of(world.owner), method
    assert all_rows() == world.rows


def console_urls(scene: Scene) -> list[str]:
    """Every address of the console, with the scene's rows where it takes one."""
    urls, addresses = [], console()
    for model in admin.site._registry:
        row = model._base_manager.first()
        values = {
            "object_id": row.pk if row else 1,
            "app_label": model._meta.app_label,
            "content_type_id": 1,
            "id": scene.person.pk,
            "url": "anything",
        }
        for page in addresses:
            arguments = {name: values[name] for name in page.arguments if name in values}
            if page.name != f"{admin.site.name}:" and (url := reachable(page, **arguments)):
                urls.append(url)
    return sorted(set(urls))


def test_the_console_is_shut_to_members_and_visitors(world: World) -> None:
    urls = console_urls(world.owner)
    assert len(urls) > 3 * len(admin.site._registry)

    for client in (world.browser(None), world.browser(world.owner.person)):
        for url in urls:
            for response in (client.get(url), client.post(url, {"action": "retry"})):
                answer = answer_of(response)
                assert answer.status in {302, 403, 404}, url
                assert not answer.tells_of(world.owner), url
    assert all_rows() == world.rows


def test_the_pages_are_those_of_the_url_configuration() -> None:
    names = {page.name for page in PAGES}

    assert {"start", "flows:export", "invoicing:edit", "payments:register"} <= names
    assert len(names) == len(PAGES)
    assert len(WITH_IDS) > 10
    assert {page.name for page in WITHOUT_IDS} >= {"start", "connections:list", "invoicing:list"}
