"""What every test of the addresses begins with: made once, and put back after each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import transaction
from django.test import Client

from bokio_app.tenants.models import User
from tests.isolation.addresses import Address
from tests.isolation.scene import Scene
from tests.support import make
from tests.support.rows import Rows, all_rows


@dataclass(frozen=True)
class World:
    """Two workspaces with the same things in each, everybody who asks, and all rows of that.

    `owned` are the rows of the first workspace, read while there were no others; `rows` all that
    there are when a test begins.
    """

    owner: Scene
    stranger: Scene
    limited: User  # a member of the owner's workspace who may see another company of it
    operator: User  # of no workspace
    owned: Rows
    rows: Rows
    sessions: Mapping[int, str]  # by person: the cookie of a browser that is signed in
    answered: dict[str, set[str]] = field(default_factory=dict)

    def methods_of(self, page: Address) -> set[str]:
        """The methods that the page answers to, as it says itself; asked once for each page."""
        if page.name not in self.answered:
            with undone():
                url = page.url(self.owner)
                response = self.browser(self.owner.person).options(url)
            allowed = response.headers["Allow"] if response.status_code == 405 else "GET,HEAD,POST"
            self.answered[page.name] = {method.strip() for method in allowed.split(",")}
        return self.answered[page.name]

    def browser(self, person: User | None) -> Client:
        """A browser of its own of the person, or of a visitor who is not signed in."""
        client = Client()
        client.cookies["bokio_app_language"] = "en"
        if person:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[person.pk]
        return client

    def fresh(self) -> World:
        """The same for one test, which may change its objects; what pages answer stays known."""
        owner, stranger = deepcopy((self.owner, self.stranger))
        return replace(self, owner=owner, stranger=stranger)


def made() -> World:
    """Rows for everybody, in the transaction that is open, and a session for each person."""
    owner = Scene()
    owned = all_rows()
    stranger, limited = Scene(), owner.limited()
    operator = make.user(is_staff=True, is_superuser=True)
    people = (owner.person, stranger.person, limited, operator)
    sessions = {person.pk: _signed_in(person) for person in people}
    return World(owner, stranger, limited, operator, owned, all_rows(), sessions)


def _signed_in(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done to the database inside is taken back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
