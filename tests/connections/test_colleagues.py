"""Colleagues: who is invited joins once, and owners say who works here in which role."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections import colleagues, company_access, invitations
from bokio_app.connections.models import ConnectAttempt, Connection, Invitation, Notice
from bokio_app.core import clock
from bokio_app.tenants.models import Member, Role, Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

OVER = "/companies/invited/over/"
ADDRESS = "anna@example.com"
ACCOUNT = {"name": "Anna Ek", "password": make.PASSWORD}


@pytest.fixture(autouse=True)
def no_tries_before() -> None:
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant(name="Byrån Lagerkvist")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return owner_of(tenant, name="Maja Lindqvist")


@pytest.fixture
def given(tenant: Tenant) -> Connection:
    return make.connection(tenant, name="Given AB")


@pytest.fixture
def hidden(tenant: Tenant) -> Connection:
    return make.connection(tenant, name="Hidden AB")


@pytest.fixture
def client(owner: User) -> Client:
    return browser_of(owner)


def owner_of(tenant: Tenant, **fields: Any) -> User:
    person = make.member(tenant, **fields)
    person.memberships.update(role=Role.OWNER)
    return person


def browser_of(person: User | None = None) -> Client:
    browser = Client()
    if person:
        browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def place_of(person: User) -> Member:
    return person.memberships.get()


def invite(client: Client, email: str = ADDRESS, **changes: Any) -> Any:
    form = {"email": email, "language": "en", "role": "member", "sees": "all"}
    return client.post(reverse("connections:invite_colleague"), form | changes)


def link() -> str:
    """The path of the link in the latest mail."""
    found = re.search(r"http://127\.0\.0\.1:8000(/invitation/[\w-]+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def opened(visitor: Client, path: str) -> str:
    """Open the link; the address that it leads to."""
    return str(visitor.get(path)["Location"])


def said(browser: Client, page: str) -> str:
    return str(browser.get(page).content.decode())


def test_a_new_person_proves_the_address_by_the_link_and_sees_what_was_chosen(
    client: Client, tenant: Tenant, given: Connection, hidden: Connection
) -> None:
    invite(client, sees="listed", companies=[given.pk])
    visitor = browser_of()

    page = opened(visitor, link())
    shown = said(visitor, page)
    answer = visitor.post(page, ACCOUNT)

    assert "Byrån Lagerkvist" in shown
    assert "Maja Lindqvist" in shown
    assert answer["Location"] == "/"
    listed = said(visitor, "/companies/")
    assert "Given AB" in listed
    assert "Hidden AB" not in listed
    person = User.objects.get(email=ADDRESS)
    assert person.emailaddress_set.get().verified
    assert [each.tenant for each in person.memberships.all()] == [tenant]
    assert visitor.get(reverse("connections:members")).status_code == 403
    again = browser_of()
    again.post("/account/login/", {"login": ADDRESS, "password": make.PASSWORD})
    assert "Given AB" in said(again, "/companies/")
    assert Event.objects.get(action="member.joined").data["companies"] == [str(given.pk)]


def test_a_link_works_once_and_its_token_is_in_no_row(client: Client) -> None:
    invite(client)
    path = link()
    first, second = browser_of(), browser_of()
    pages = opened(first, path), opened(second, path)

    first.post(pages[0], ACCOUNT)
    answer = second.post(pages[1], ACCOUNT | {"name": "Somebody else"})

    assert answer["Location"] == OVER
    assert Member.objects.filter(user__email=ADDRESS).count() == 1
    assert said(browser_of(), OVER)
    rows = [*Invitation.objects.values(), *Event.objects.values()]
    assert path.rpartition("/")[2] not in str(rows)


def test_who_has_an_account_signs_in_and_joins_with_it(client: Client, tenant: Tenant) -> None:
    person = make.member(email=ADDRESS, password=make.PASSWORD)
    invite(client)
    visitor = browser_of()
    page = opened(visitor, link())

    assert f"/account/login/?next={page.replace('/', '%2F')}" in said(visitor, page)
    assert visitor.post(page, ACCOUNT).status_code == 200
    form = {"login": ADDRESS, "password": make.PASSWORD, "next": page}
    assert visitor.post("/account/login/", form)["Location"] == page
    assert tenant.members.count() == 1
    assert visitor.post(page)["Location"] == "/"

    assert set(person.memberships.values_list("tenant__name", flat=True)) > {"Byrån Lagerkvist"}
    assert visitor.get("/companies/").context["request"].tenant == tenant


def test_the_mail_is_in_the_language_of_who_has_an_account(client: Client) -> None:
    make.user(ADDRESS, language="sv")

    invite(client)
    invite(client, "new@example.com")

    known, new = mail.outbox
    assert known.subject == "Byrån Lagerkvist bjuder in dig till sin arbetsyta"
    assert new.subject == "Byrån Lagerkvist invites you to its workspace"
    assert known.to == [ADDRESS]


def test_somebody_signed_in_with_another_address_cannot_take_the_invitation(
    client: Client, tenant: Tenant
) -> None:
    invite(client)
    other = browser_of(make.member())
    page = opened(other, link())

    shown, answer = said(other, page), other.post(page)

    assert "you are signed in as" in shown
    assert answer.status_code == 200
    assert tenant.members.count() == 1


def test_an_account_that_a_stranger_made_for_the_address_gives_way(client: Client) -> None:
    stranger = browser_of()
    form = {
        "name": "Eve",
        "workspace": "Eve AB",
        "email": ADDRESS,
        "password1": "eve's pass phrase",
    }
    stranger.post("/account/signup/", form)
    code = re.search(r"^[A-Z0-9]{3,}-?[A-Z0-9]{3,}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code
    invite(client)
    visitor = browser_of()
    visitor.post(opened(visitor, link()), ACCOUNT)

    stranger.post("/account/confirm-email/", {"code": code[0]})
    stranger.post("/account/login/", {"login": ADDRESS, "password": "eve's pass phrase"})

    assert stranger.get("/companies/").status_code == 302
    assert visitor.get("/companies/").status_code == 200
    assert User.objects.get(email=ADDRESS).name == "Anna Ek"
    assert not Tenant.objects.filter(name="Eve AB").exists()


def test_a_weak_password_is_refused_and_the_link_still_works(client: Client) -> None:
    invite(client)
    visitor = browser_of()
    page = opened(visitor, link())

    assert visitor.post(page, ACCOUNT | {"password": "anna@example"}).status_code == 422
    assert not User.objects.filter(email=ADDRESS).exists()
    assert visitor.post(page, ACCOUNT)["Location"] == "/"


def test_a_closed_installation_lets_the_invited_in(client: Client, settings: Any) -> None:
    settings.SIGN_UP = False
    invite(client)
    visitor = browser_of()

    visitor.post(opened(visitor, link()), ACCOUNT)

    assert visitor.get("/companies/").status_code == 200


def test_who_works_here_already_is_told_so(client: Client, tenant: Tenant) -> None:
    person = make.member(tenant, email=ADDRESS.upper())
    assert "works in the workspace already" in invite(client).content.decode()
    assert mail.outbox == []
    visitor = browser_of(person)
    invite(client, "else@example.com")

    page = opened(visitor, link())

    assert visitor.get(page)["Location"] == "/"
    assert Invitation.objects.get().used_at is None


def test_a_link_works_no_more_when_it_is_withdrawn_sent_again_or_its_maker_is_no_owner(
    client: Client, tenant: Tenant, owner: User
) -> None:
    invite(client)
    first = link()
    visitor = browser_of()
    page = opened(visitor, first)
    number = Invitation.objects.get().pk
    client.post(reverse("connections:invite_again", args=[number]))
    assert visitor.get(page)["Location"] == OVER
    second = opened(visitor, link())
    assert "Byrån Lagerkvist" in said(visitor, second)

    invite(client)  # the same address once more
    assert visitor.get(second)["Location"] == OVER
    third = opened(visitor, link())
    latest = Invitation.objects.get(revoked_at=None)
    partner = owner_of(tenant)
    colleagues.change_role(place_of(owner), Role.MEMBER, by=partner)
    assert visitor.get(third)["Location"] == OVER
    colleagues.change_role(place_of(owner), Role.OWNER, by=partner)
    assert visitor.get(third).status_code == 200
    client.post(reverse("connections:revoke_colleague", args=[latest.pk]))

    assert visitor.post(third, ACCOUNT)["Location"] == OVER
    assert not User.objects.filter(email=ADDRESS).exists()
    assert len(mail.outbox) == 3


def test_an_invitation_that_is_too_old_stands_in_the_list_and_can_be_sent_again(
    client: Client,
) -> None:
    invite(client)
    Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    page = reverse("connections:members")
    assert "Works no more" in said(client, page)

    client.post(reverse("connections:invite_again", args=[Invitation.objects.get().pk]))

    assert "Works no more" not in said(client, page)
    assert ADDRESS in said(client, page)


def test_a_mail_server_that_fails_is_told_and_the_link_is_shown_to_nobody(
    client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    page = invite(client)

    shown = said(client, page["Location"])
    assert "could not be sent" in shown
    assert "/invitation/" not in shown
    assert ADDRESS in shown


def test_nobody_sends_invitations_in_bulk(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 1)

    answers = [invite(client, f"a{number}@example.com").status_code for number in range(2)]

    assert answers == [302, 422]
    assert len(mail.outbox) == 1
    again = reverse("connections:invite_again", args=[Invitation.objects.get().pk])
    client.post(again)
    assert len(mail.outbox) == 1
    assert Invitation.objects.get().revoked_at is None


def test_a_clients_link_lets_nobody_join_and_a_colleagues_connects_nothing(
    client: Client, tenant: Tenant, owner: User
) -> None:
    client_link = invitations.invite(tenant, by=owner, for_name="", email="", chosen=[])[1]
    invite(client)
    theirs, colleague = Invitation.objects.order_by("role")
    visitor = browser_of()
    opened(visitor, urlsplit(client_link).path)
    opened(visitor, link())

    joining = reverse("connections:joining", args=[theirs.pk])
    invited = reverse("connections:invited", args=[colleague.pk])

    assert visitor.post(joining, ACCOUNT)["Location"] == OVER
    assert visitor.post(invited)["Location"] == OVER
    assert not ConnectAttempt.objects.exists()
    assert tenant.members.count() == 1


def test_what_may_be_given_is_of_the_workspace_alone(client: Client) -> None:
    foreign = make.connection()

    assert invite(client, sees="listed", companies=[foreign.pk]).status_code == 422
    assert not Invitation.objects.exists()


def test_a_member_becomes_an_owner_and_an_owner_a_member(
    client: Client, tenant: Tenant, given: Connection, hidden: Connection
) -> None:
    person = make.member(tenant)
    member = place_of(person)
    company_access.set_access(member, sees_all=False, companies=[given.pk], by=person)
    page = reverse("connections:member_role", args=[member.pk])
    theirs = browser_of(person)

    client.post(page, {"role": "owner"})
    assert theirs.get(reverse("connections:members")).status_code == 200
    assert "Hidden AB" in said(theirs, "/companies/")
    client.post(page, {"role": "member"})

    assert theirs.get(reverse("connections:members")).status_code == 403
    assert theirs.post(page, {"role": "owner"}).status_code == 403
    changes = Event.objects.filter(action="member.role_changed").order_by("pk")
    assert [each.data["role"] for each in changes] == ["owner", "member"]


def test_a_removed_member_sees_nothing_from_the_next_request_on_and_what_they_did_stays(
    client: Client, tenant: Tenant, given: Connection
) -> None:
    person = make.member(tenant)
    member = place_of(person)
    elsewhere = Member.objects.create(tenant=make.tenant("Another"), user=person).tenant
    company_access.set_access(member, sees_all=False, companies=[given.pk], by=person)
    invoice = make.invoice(given, by=person)
    client_link = invitations.invite(tenant, by=person, for_name="", email="", chosen=[])[1]
    theirs = browser_of(person)
    session = theirs.session
    session["tenant"] = tenant.pk
    session.save()
    page = reverse("connections:detail", args=[given.pk])
    assert theirs.get(page).status_code == 200
    Notice.objects.create(
        person=person, tenant=tenant, connection=given, kind="broke", mail_not_before=clock.now()
    )

    client.post(reverse("connections:member_remove", args=[member.pk]))

    assert theirs.get(page).status_code == 404
    assert theirs.get("/companies/").context["request"].tenant == elsewhere
    assert not given.member_access.exists()
    assert not Notice.objects.exists()
    assert opened(browser_of(), urlsplit(client_link).path) != OVER
    Member.objects.create(tenant=tenant, user=person)
    visitor = browser_of()
    assert visitor.get(opened(visitor, urlsplit(client_link).path))["Location"] == OVER
    invoice.refresh_from_db()
    assert invoice.created_by == person
    told = Event.objects.get(action="member.removed")
    assert (told.actor, told.data["person"]) == (place_of_owner(tenant), person.pk)


def place_of_owner(tenant: Tenant) -> User:
    return tenant.members.get(role=Role.OWNER).user


def test_the_last_owner_can_be_neither_demoted_nor_removed_nor_leave(
    client: Client, tenant: Tenant, owner: User
) -> None:
    member = place_of(owner)
    gone = owner_of(tenant, is_active=False)  # who cannot sign in keeps no workspace

    shown = said(client, reverse("connections:member", args=[member.pk]))
    client.post(reverse("connections:member_role", args=[member.pk]), {"role": "member"})
    client.post(reverse("connections:member_remove", args=[member.pk]))
    with pytest.raises(colleagues.LastOwner):
        colleagues.leave(member)

    assert "is the only owner" in shown
    assert tenant.members.get(user=owner).role == Role.OWNER
    colleagues.remove(place_of(gone), by=owner)
    assert tenant.members.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_demote_each_other_at_once_one_stays(
    transactional_db: None,
) -> None:
    tenant = make.tenant()
    pair = [owner_of(tenant), owner_of(tenant)]
    together = threading.Barrier(2)

    def demote(by: User, other: User) -> None:
        together.wait(timeout=30)
        try:
            colleagues.change_role(place_of(other), Role.MEMBER, by=by)
        except (colleagues.PermissionDenied, colleagues.LastOwner):
            pass
        finally:
            database.close()

    threads = [threading.Thread(target=demote, args=each) for each in (pair, pair[::-1])]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)

    assert tenant.members.filter(role=Role.OWNER).count() == 1


def test_old_sign_ins_show_the_password_again_before_anybody_is_let_in(
    client: Client, tenant: Tenant
) -> None:
    session = client.session
    session["signed_in_at"] = 0.0
    session.save()
    member = place_of(make.member(tenant))

    invited = invite(client)
    role = client.post(reverse("connections:member_role", args=[member.pk]), {"role": "owner"})

    for answer in (invited, role):
        assert answer["Location"].startswith("/account/reauthenticate/")
    assert not Invitation.objects.exists()
    assert not Event.objects.filter(action="member.role_changed").exists()
