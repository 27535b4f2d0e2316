"""The page of the workspace: choosing among one's own, and leaving."""

from __future__ import annotations

import pytest
from django.test import Client

from bokio_app.audit.models import Event
from bokio_app.core import clock
from bokio_app.tenants.models import Member, Role, Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

PAGE = "/workspace/"


@pytest.fixture
def person() -> User:
    """Owner of one workspace, and a member of another."""
    person = make.member(make.tenant(name="Own"))
    person.memberships.update(role=Role.OWNER)
    Member.objects.create(tenant=make.tenant(name="Work"), user=person)
    return person


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def here(client: Client) -> str:
    return str(client.get("/companies/").context["request"].tenant.name)


def choose(client: Client, name: str) -> int:
    number = Tenant.objects.get(name=name).pk
    return int(client.post("/workspace/choose/", {"workspace": number}).status_code)


def test_a_person_works_in_the_workspace_that_they_choose(client: Client) -> None:
    make.member(make.tenant(name="Foreign"))
    assert here(client) == "Own"

    assert choose(client, "Work") == 302
    assert here(client) == "Work"
    assert choose(client, "Foreign") == 404
    assert client.post("/workspace/choose/", {"workspace": "x"}).status_code == 404

    assert here(client) == "Work"
    assert "Work in Own" in client.get(PAGE).content.decode()


def test_a_member_leaves_and_sees_the_next_workspace(client: Client, person: User) -> None:
    choose(client, "Work")

    client.post("/workspace/leave/")

    assert here(client) == "Own"
    told = Event.objects.get(action="member.left")
    assert (told.actor, told.tenant.name) == (person, "Work")


def test_the_only_owner_cannot_leave_and_reads_why(client: Client, person: User) -> None:
    assert "You are the only owner" in client.get(PAGE).content.decode()

    assert client.post("/workspace/leave/")["Location"] == PAGE

    assert person.memberships.filter(tenant__name="Own").exists()


def test_a_member_reads_that_only_owners_close_it(client: Client) -> None:
    choose(client, "Work")

    page = client.get(PAGE).content.decode()

    assert "Only owners can do this." in page
    assert "/workspace/close/" not in page
    assert client.get("/workspace/close/").status_code == 403


def test_an_open_workspace_is_opened_before_a_closed_one(client: Client, person: User) -> None:
    Tenant.objects.filter(name="Own").update(closed_at=clock.now())

    assert here(client) == "Work"
