"""Invitations: a client without an account connects one company, once, and sees nothing else."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections import company_access, invitations
from bokio_app.connections.features import NEEDED
from bokio_app.connections.models import ConnectAttempt, Connection, Invitation, State
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User
from tests.support import make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant(name="Byrån Lagerkvist")


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant, name="Maja Lindqvist")


def browser_of(person: User | None = None) -> Client:
    browser = Client()
    if person:
        browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


@pytest.fixture
def client(person: User) -> Client:
    return browser_of(person)


@pytest.fixture
def link(tenant: Tenant, person: User) -> str:
    """The path of an invitation's link."""
    _made, link = invitations.invite(
        tenant, by=person, for_name="Bageriet AB", email="", chosen=["credit-notes"]
    )
    return urlsplit(link).path


def opened(visitor: Client, link: str) -> str:
    """Open the link; the address that it leads to."""
    answer = visitor.get(link)
    assert answer.status_code == 302
    assert link.rstrip("/").rpartition("/")[2] not in answer["Location"]
    return str(answer["Location"])


def go_on(visitor: Client, page: str) -> str:
    """Press *Continue to Bokio*; the state that Bokio is given."""
    answer = visitor.post(page)
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def come_back(visitor: Client, **query: str) -> str:
    return str(visitor.get("/bokio/callback", query)["Location"])


def failed(reason: str) -> str:
    return reverse("connections:invited_failed", args=[Invitation.objects.get().pk, reason])


OVER = "/companies/invited/over/"


def test_a_client_without_an_account_connects_the_company_and_sees_a_thank_you(
    tenant: Tenant, person: User, link: str, sandbox: SandboxProcess
) -> None:
    visitor = browser_of()
    page = opened(visitor, link)
    shown = visitor.get(page).content.decode()
    for told in ("Byrån Lagerkvist", "Maja Lindqvist", person.email, "Bageriet AB"):
        assert told in shown
    assert "Take an invoice back, publish and record that" in shown
    assert "A company that another workspace here has connected moves to this one" in shown

    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], NEEDED)
    address = come_back(visitor, state=go_on(visitor, page), code=code)

    company = Connection.objects.get(tenant=tenant)
    assert (company.state, company.created_by) == (State.ACTIVE, person)
    assert address == reverse("connections:invited_thanks")
    thanks = visitor.get(address).content.decode()
    assert "Byrån Lagerkvist" not in thanks
    assert str(company.pk) not in thanks
    for inside in ("/", "/companies/", reverse("connections:result", args=[company.pk])):
        assert visitor.get(inside)["Location"].startswith("/account/login/")
    invitation = Invitation.objects.get()
    assert invitation.connection == company
    assert Event.objects.get(action="connection.connected").data["invitation"] == str(invitation.pk)


def test_a_link_works_once(tenant: Tenant, link: str, sandbox: SandboxProcess) -> None:
    sandbox.reset(companies=2)
    first, second = browser_of(), browser_of()
    pages = opened(first, link), opened(second, link)
    states = go_on(first, pages[0]), go_on(second, pages[1])
    codes = [sandbox.authorize_directly(each["id"], NEEDED) for each in sandbox.companies()]
    sandbox.clear_calls()

    come_back(first, state=states[0], code=codes[0])
    address = come_back(second, state=states[1], code=codes[1])

    assert address == failed("invitation-over")
    assert sandbox.count("request-token") == 1
    assert tenant.connections.count() == 1
    assert opened(browser_of(), link) == pages[0]
    assert browser_of().get(pages[0])["Location"] == OVER
    assert first.get(pages[0])["Location"] == OVER


@pytest.mark.parametrize("fault", ["refusal", "spent code", "lost answer"])
def test_a_consent_that_led_to_nothing_leaves_the_link_usable(
    fault: str, tenant: Tenant, link: str, sandbox: SandboxProcess
) -> None:
    visitor, company = browser_of(), sandbox.companies()[0]["id"]
    page = opened(visitor, link)
    state = go_on(visitor, page)

    if fault == "refusal":
        address = come_back(visitor, state=state, error="access_denied")
    elif fault == "spent code":
        address = come_back(visitor, state=state, code="spent")
    else:
        sandbox.lose_answer("request-token")
        code = sandbox.authorize_directly(company, NEEDED)
        address = come_back(visitor, state=state, code=code)

    said = visitor.get(address)
    assert said.status_code == 200
    assert page in said.content.decode()
    assert not Connection.objects.exists()
    code = sandbox.authorize_directly(company, NEEDED)
    assert come_back(visitor, state=go_on(visitor, page), code=code) == "/companies/invited/thanks/"


def test_another_browser_cannot_come_back_in_the_clients_place(
    link: str, client: Client, sandbox: SandboxProcess
) -> None:
    visitor, other = browser_of(), browser_of()
    state = go_on(visitor, opened(visitor, link))
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], NEEDED)

    assert come_back(other, state=state, code=code) == "/companies/connect/failed/sign-in/"
    assert come_back(client, state=state, code=code) == "/companies/connect/failed/unknown/"
    assert not Connection.objects.exists()


def test_the_page_of_an_invitation_opens_by_its_link_alone(link: str) -> None:
    page = opened(browser_of(), link)

    for answer in (browser_of().get(page), browser_of().post(page)):
        assert answer["Location"] == OVER
    assert not ConnectAttempt.objects.exists()


def test_two_invitations_in_two_tabs_do_not_mix(tenant: Tenant, person: User, link: str) -> None:
    other = make.member(name="Siv Ek")
    _made, second = invitations.invite(
        other.memberships.get().tenant, by=other, for_name="", email="", chosen=[]
    )
    visitor = browser_of()
    pages = opened(visitor, link), opened(visitor, urlsplit(second).path)

    go_on(visitor, pages[0])

    assert "Maja Lindqvist" in visitor.get(pages[0]).content.decode()
    assert "Siv Ek" in visitor.get(pages[1]).content.decode()
    assert ConnectAttempt.objects.get().tenant == tenant


def test_a_withdrawn_link_works_no_more_not_even_for_who_is_at_bokio_already(
    client: Client, link: str, sandbox: SandboxProcess
) -> None:
    visitor = browser_of()
    page = opened(visitor, link)
    state = go_on(visitor, page)
    revoke = reverse("connections:revoke_invitation", args=[Invitation.objects.get().pk])

    assert client.post(revoke)["Location"] == "/companies/"

    assert visitor.get(page)["Location"] == OVER
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], NEEDED)
    assert come_back(visitor, state=state, code=code) == failed("invitation-over")
    assert not Connection.objects.exists()
    assert client.post(revoke).status_code == 404


def test_a_link_ends_after_a_week_and_with_its_makers_membership(link: str, person: User) -> None:
    visitor = browser_of()
    page = opened(visitor, link)

    Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert visitor.get(page)["Location"] == OVER
    Invitation.objects.update(expires_at=clock.now() + timedelta(days=1))
    assert visitor.get(page).status_code == 200
    person.memberships.all().delete()

    assert visitor.get(page)["Location"] == OVER


def test_a_made_up_link_is_answered_as_one_that_is_over() -> None:
    assert opened(browser_of(), "/invitation/made-up/") == OVER
    assert browser_of().get(OVER).status_code == 410


def test_the_token_is_in_no_row_and_no_log_line(
    client: Client, caplog: Any, sandbox: SandboxProcess
) -> None:
    caplog.set_level(logging.DEBUG)
    page = client.post(reverse("connections:invite"), {"for_name": "Bageriet AB"})
    found = re.search(r"/invitation/([\w-]+)", page.content.decode())
    assert found
    visitor = browser_of()
    come_back(visitor, state=go_on(visitor, opened(visitor, found[0])), code="spent")
    for mangled in (f"{found[0]}.", f"{found[0]}/x", f"{found[0]}//"):
        visitor.get(mangled)
        visitor.post(mangled)
        Client(enforce_csrf_checks=True).post(mangled)

    assert found[1] not in caplog.text
    assert "no-store" in page["Cache-Control"]
    rows = [*Invitation.objects.values(), *ConnectAttempt.objects.values(), *Event.objects.values()]
    assert found[1] not in str(rows)


def test_the_invitation_is_mailed_on_wish_with_what_it_is_about(client: Client) -> None:
    form = {"for_name": "Bageriet AB", "email": "ceo@example.com"}

    page = client.post(reverse("connections:invite"), form).content.decode()

    [message] = mail.outbox
    assert message.to == ["ceo@example.com"]
    assert message.subject == "Byrån Lagerkvist asks for access to your company in Bokio"
    assert "Bageriet AB" in message.body
    assert re.search(r"http://127.0.0.1:8000/invitation/[\w-]+", str(message.body))
    assert "It went to ceo@example.com" in page


def test_a_mail_server_that_fails_leaves_the_link_to_be_handed_over(
    client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    page = client.post(reverse("connections:invite"), {"email": "ceo@example.com"})

    assert "The mail could not be sent." in page.content.decode()
    assert "/invitation/" in page.content.decode()


def test_the_log_says_that_a_mail_was_refused_and_not_whose(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(message: mail.EmailMessage) -> int:
        raise SMTPRecipientsRefused({message.to[0]: (550, b"no such person")})

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    client.post(reverse("connections:invite"), {"email": "ceo@example.com"})

    assert "invitation_not_sent" in caplog.text
    assert "ceo@example.com" not in caplog.text


def test_open_invitations_stand_on_the_companies_page_for_whom_they_concern(
    client: Client, tenant: Tenant, link: str
) -> None:
    limited = make.member(tenant)
    company_access.set_access(limited.memberships.get(), sees_all=False, companies=[], by=limited)
    invitations.invite(tenant, by=limited, for_name="Egna AB", email="", chosen=[])
    names = ("Bageriet AB", "Egna AB")

    def listed(browser: Client) -> list[str]:
        page = browser.get("/companies/").content.decode()
        return [name for name in names if name in page]

    assert listed(client) == ["Bageriet AB", "Egna AB"]
    assert listed(browser_of(limited)) == ["Egna AB"]
    assert listed(browser_of(make.member())) == []
    foreign = reverse(
        "connections:revoke_invitation", args=[Invitation.objects.get(for_name="Bageriet AB").pk]
    )
    assert browser_of(limited).post(foreign).status_code == 404


def test_nobody_sends_invitations_in_bulk(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 1)
    address = reverse("connections:invite")

    answers = [client.post(address, {"email": "a@example.com"}).status_code for _ in range(2)]

    assert answers == [200, 422]
    assert len(mail.outbox) == 1


def test_a_company_that_an_invitation_brings_is_seen_by_its_maker(
    tenant: Tenant, sandbox: SandboxProcess
) -> None:
    limited = make.member(tenant)
    company_access.set_access(limited.memberships.get(), sees_all=False, companies=[], by=limited)
    _made, link = invitations.invite(tenant, by=limited, for_name="", email="", chosen=[])
    visitor = browser_of()
    state = go_on(visitor, opened(visitor, urlsplit(link).path))
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], NEEDED)

    come_back(visitor, state=state, code=code)

    company = Connection.objects.get()
    assert (
        browser_of(limited).get(reverse("connections:detail", args=[company.pk])).status_code == 200
    )
