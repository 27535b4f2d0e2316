"""Word of companies that break and recover: none lost, none twice, no flood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client

from bokio_app.connections import company_access, notices, standing
from bokio_app.connections.causes import Cause
from bokio_app.connections.models import Connection, Notice, State
from bokio_app.core import clock
from bokio_app.tenants.models import Member, Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def locmem(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant(name="Byrån")


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant, language="en")


def break_it(connection: Connection, cause: Cause = Cause.REVOKED) -> None:
    assert standing.broke(connection, generation=1, cause=cause)


def mend(connection: Connection) -> None:
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
        standing.recovered(connection)


def send() -> list[mail.EmailMessage]:
    """Let the time pass that mails wait, and send; what has left."""
    before = len(mail.outbox)
    Notice.objects.update(mail_not_before=clock.now() - timedelta(seconds=1))
    notices.send_due()
    return mail.outbox[before:]


def test_one_mail_when_it_breaks_and_one_when_it_recovers(tenant: Tenant, person: User) -> None:
    connection = make.connection(tenant, name="Bolaget AB")

    break_it(connection, Cause.DISCONNECTED)
    assert not standing.broke(connection, generation=1, cause=Cause.REVOKED)
    [told] = send()
    assert send() == []
    mend(connection)
    [again] = send()

    assert told.to == [person.email]
    assert "Bolaget AB" in told.subject
    assert "ended in Bokio" in told.body
    assert "Works again" in again.body
    assert [each.kind for each in notices.of(person, tenant)] == ["recovered", "broke"]


def test_two_hundred_that_break_at_once_are_one_mail_with_a_list(
    tenant: Tenant, person: User
) -> None:
    for number in range(200):
        break_it(make.connection(tenant, name=f"Bolag {number:03d}"))

    [told] = send()

    assert told.subject == "200 companies need you"
    assert told.body.count("\n- Bolag ") == 200


def test_a_mail_waits_a_minute_and_what_has_recovered_by_then_is_in_none(
    tenant: Tenant, person: User, settings: Any
) -> None:
    settings.TIME_FACTOR = 1
    connection = make.connection(tenant)
    break_it(connection)
    notices.send_due()
    assert mail.outbox == []

    mend(connection)

    assert send() == []
    assert notices.of(person, tenant).count() == 2


def test_each_reads_it_in_their_own_language_and_only_of_companies_that_they_see(
    tenant: Tenant, person: User
) -> None:
    swede, stranger = make.member(tenant), make.member()
    limited = make.member(tenant)
    Member.objects.filter(user=limited).update(sees_all=False)
    given, hidden = make.connection(tenant, name="Given"), make.connection(tenant, name="Hidden")
    company_access.set_access(
        limited.memberships.get(), sees_all=False, companies=[given.pk], by=person
    )

    break_it(given)
    break_it(hidden)
    by_person = {each.to[0]: each for each in send()}

    assert set(by_person) == {person.email, swede.email, limited.email}
    assert "Behöver dig" in by_person[swede.email].body
    assert "Hidden" not in by_person[limited.email].body
    assert stranger.email not in by_person


def test_a_mail_that_the_server_does_not_take_is_sent_later_as_the_same_mail(
    tenant: Tenant, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(make.connection(tenant))
    tried: list[str] = []

    def refuse(message: mail.EmailMessage) -> int:
        tried.append(message.extra_headers["Message-ID"])
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMessage, "send", refuse)
        assert send() == []
    [told] = send()

    assert tried == [told.extra_headers["Message-ID"]]


def test_a_name_that_no_header_may_hold_keeps_no_mail_back(tenant: Tenant, person: User) -> None:
    break_it(make.connection(tenant, name="Bolaget\nBcc: x@example.com"))

    [told] = send()

    assert told.subject.startswith("Bolaget Bcc: x@example.com: ")
    assert told.recipients() == [person.email]


def test_who_has_left_the_workspace_is_not_written_to(tenant: Tenant, person: User) -> None:
    break_it(make.connection(tenant))
    person.memberships.all().delete()

    assert send() == []
    assert not notices.due().exists()


def test_who_no_longer_sees_a_company_is_not_written_to_of_it(tenant: Tenant, person: User) -> None:
    limited = make.member(tenant)
    given, taken = make.connection(tenant, name="Given"), make.connection(tenant, name="Taken")
    break_it(given)
    break_it(taken)
    company_access.set_access(
        limited.memberships.get(), sees_all=False, companies=[given.pk], by=person
    )

    by_person = {each.to[0]: each for each in send()}

    assert "Given" in by_person[limited.email].body
    assert "Taken" not in by_person[limited.email].body
    assert "Taken" in by_person[person.email].body
    assert not notices.due().exists()


def test_a_break_that_is_undone_leaves_no_notice(tenant: Tenant, person: User) -> None:
    connection = make.connection(tenant)

    with transaction.atomic():
        break_it(connection)
        transaction.set_rollback(True)

    assert not Notice.objects.exists()


def test_the_bell_counts_what_is_new_until_it_has_been_shown(tenant: Tenant, person: User) -> None:
    connection = make.connection(tenant, name="Bolaget AB")
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    break_it(connection, Cause.DISCONNECTED)
    assert "Notices, 1 new" in browser.get("/companies/").content.decode()

    page = browser.get("/companies/notices/").content.decode()

    assert "Bolaget AB" in page
    assert "The connection was ended in Bokio." in page
    assert "Notices, 1 new" not in browser.get("/companies/").content.decode()
    other = Client()
    other.force_login(make.member(tenant))
    assert "Bolaget AB" not in other.get("/companies/notices/").content.decode()


def test_mails_are_in_the_language_that_a_person_last_chose(person: User) -> None:
    browser = Client()
    browser.force_login(person)

    browser.post("/language/", {"language": "sv"})

    person.refresh_from_db()
    assert person.language == "sv"
