"""How fresh a page is, as it says itself, and the button that has it read again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import CompanyAccess, Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow, Listing
from bokio_app.mirror.freshness import freshness_of
from bokio_app.mirror.models import Mirror
from bokio_app.mirror.rounds import READ_LISTS
from bokio_app.tenants.models import Member, Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

READ = "/copy/read"


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant)


@pytest.fixture
def client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies["bokio_app_language"] = "en"
    return client


def company_read(tenant: Tenant, minutes_ago: int) -> Connection:
    """A company whose open invoices were asked for so long ago."""
    company = make.connection(tenant)
    at = clock.now() - timedelta(minutes=minutes_ago)
    later = clock.now() + timedelta(hours=1)
    Mirror.objects.create(connection=company, next_at=later, all_at=later, open_at=later)
    Listing.objects.create(connection=company, name="list_open_invoices", complete_at=at)
    return company


def asked_for() -> set[object]:
    """Companies whose open invoices are due at once."""
    return set(Mirror.objects.filter(next_at__lte=clock.now()).values_list("pk", flat=True))


def test_all_companies_are_as_fresh_as_the_oldest_of_them(client: Client, tenant: Tenant) -> None:
    company_read(tenant, 5)
    old = company_read(tenant, 50)

    at = freshness_of(tenant, None).at

    assert at == Listing.objects.get(connection=old).complete_at
    page = client.get(reverse("invoicing:list")).content.decode()
    assert "Read from Bokio" in page
    assert f'action="{READ}"' in page


def test_reading_one_company_again_starts_it_and_shows_that_it_is_read(
    client: Client, tenant: Tenant
) -> None:
    company, other = company_read(tenant, 5), company_read(tenant, 5)

    part = client.post(READ, {"company": company.pk}, headers={"HX-Request": "true"})

    assert "Being read from Bokio" in part.content.decode()
    assert 'data-poll="2"' in part.content.decode()
    assert Flow.objects.filter(connection=company, kind=READ_LISTS).exists()
    assert not Flow.objects.filter(connection=other).exists()


def test_it_is_over_when_the_list_has_been_read_since(client: Client, tenant: Tenant) -> None:
    company = company_read(tenant, 5)
    client.post(READ, {"company": company.pk})
    assert freshness_of(tenant, company).reading == 1

    Listing.objects.filter(connection=company).update(complete_at=clock.now())

    assert freshness_of(tenant, company).reading == 0
    part = client.get(reverse("mirror:freshness"), {"company": company.pk}).content.decode()
    assert "data-poll" not in part
    assert f'action="{READ}"' in part


def test_reading_all_makes_each_company_due_and_not_again_within_a_minute(
    client: Client, tenant: Tenant
) -> None:
    companies = [company_read(tenant, 5), company_read(tenant, 5)]
    stranger = company_read(make.tenant(), 5)

    part = client.post(READ, headers={"HX-Request": "true"}).content.decode()

    assert "2 companies are being read" in part
    assert asked_for() == {each.pk for each in companies}
    later = clock.now() + timedelta(hours=1)
    Mirror.objects.filter(connection__in=companies).update(next_at=later)
    client.post(READ)
    assert asked_for() == set()
    assert Mirror.objects.get(connection=stranger).asked_at is None


def test_a_member_asks_for_the_companies_they_see_and_no_others(
    client: Client, tenant: Tenant, person: User
) -> None:
    seen, hidden = company_read(tenant, 5), company_read(tenant, 5)
    member = Member.objects.get(user=person)
    Member.objects.filter(pk=member.pk).update(sees_all=False)
    CompanyAccess.objects.create(member=member, connection=seen)

    client.post(READ)

    assert asked_for() == {seen.pk}
    assert client.post(READ, {"company": hidden.pk}).status_code == 404
    assert client.post(READ, {"company": "nonsense"}).status_code == 404


def test_without_a_script_the_button_leads_back_to_the_page_and_nowhere_else(
    client: Client, tenant: Tenant
) -> None:
    company_read(tenant, 5)

    assert client.post(READ, {"next": "/invoices/?q=1"}).headers["Location"] == "/invoices/?q=1"
    assert client.post(READ, {"next": "https://example.com/"}).headers["Location"] == "/"


def test_a_company_that_waits_for_a_consent_has_no_button(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant, state="broken")

    part = client.get(reverse("mirror:freshness"), {"company": company.pk}).content.decode()

    assert "Not everything has been read yet" in part
    assert "<form" not in part


def test_the_number_of_queries_is_the_same_for_few_and_many_companies(
    client: Client, tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    for _number in range(8):
        company_read(tenant, 5)

    with django_assert_max_num_queries(3):
        freshness_of(tenant, None)


def test_a_company_that_has_left_while_its_invoice_is_looked_at_is_still_told_of(
    client: Client, tenant: Tenant
) -> None:
    company = company_read(tenant, 5)
    Connection.objects.filter(pk=company.pk).update(state="ended")

    answer = client.get("/copy/freshness", {"company": str(company.pk)})

    assert answer.status_code == 200
    assert "<button" not in answer.content.decode()
    assert client.post(READ, {"company": str(company.pk)}).status_code == 404
