"""What people see of our copy: how much there is, how far a reading is, how old it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Listing
from bokio_app.mirror import progress, rounds
from bokio_app.mirror.progress import copy_of
from bokio_app.tenants.models import Tenant
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(make.member(tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def company(tenant: Tenant) -> Connection:
    return make.connection(tenant)


def listing(company: Connection, name: str, **fields: object) -> Listing:
    values = {"pass_number": 1, "looks": 1, "pages": 1, "total": 1, "rows": 1} | fields
    return Listing.objects.create(connection=company, name=name, **values)


def test_a_company_that_is_being_read_shows_how_far_each_list_is(
    client: Client, company: Connection
) -> None:
    make.flow(company, kind=rounds.READ_LISTS, ops=["list_invoices"])
    listing(company, "list_customers", complete_at=clock.now(), filled_at=clock.now())
    listing(company, "list_invoices", is_open=True, pages=12, total=1180, rows=300)
    make.customer(company, remote_id="1")

    shown = copy_of(company)
    page = client.get(reverse("connections:detail", args=[company.pk])).content.decode()

    states = dict(zip(rounds.LISTS, [line.state for line in shown.lines], strict=True))
    assert states == {
        "list_customers": "done",
        "list_items": "skipped",  # not among what is asked for by default
        "list_credit_notes": "waiting",
        "list_invoices": "running",
    }
    assert "300 of 1,180 read" in page.replace("\u00a0", " ")
    assert "The permission is missing." in page
    assert f'data-follows="connection:{company.pk}" data-poll="2"' in page
    assert shown.filled_at is None


def test_the_live_part_answers_only_when_something_has_changed(
    client: Client, company: Connection
) -> None:
    make.flow(company, kind=rounds.READ_LISTS, ops=["list_invoices"])
    row = listing(company, "list_invoices", is_open=True, pages=3, total=300, rows=100)
    address = reverse("mirror:lists", args=[company.pk])
    with translation.override("en"):
        seen = copy_of(company).version

    unchanged = client.get(address, {"seen": seen})
    row.rows = 200
    row.save()
    changed = client.get(address, {"seen": seen}, headers={"hx-request": "true"})

    assert unchanged.status_code == 204
    assert "200 of 300 read" in changed.content.decode()
    assert "0 of 4 lists are read." in changed.content.decode()


def test_strangers_do_not_find_the_copy_of_a_company(company: Connection) -> None:
    stranger = Client()
    stranger.force_login(make.member())

    assert stranger.get(reverse("mirror:lists", args=[company.pk])).status_code == 404


def test_a_list_over_all_companies_is_as_old_as_the_oldest_of_them(
    client: Client, tenant: Tenant, company: Connection
) -> None:
    other = make.connection(tenant)
    late, early = clock.now(), clock.now() - timedelta(hours=3)
    listing(company, "list_invoices", complete_at=early - timedelta(hours=9))
    listing(company, "list_open_invoices", complete_at=late)

    assert progress.invoices_as_of(tenant, company) == late
    assert progress.invoices_as_of(tenant, None) is None
    assert "Not everything has been read yet" in client.get("/invoices/").content.decode()

    listing(other, "list_invoices", complete_at=early)
    assert progress.invoices_as_of(tenant, None) == early
    assert "Read from Bokio" in client.get("/invoices/").content.decode()


def test_what_is_left_of_payments_to_read_is_told(client: Client, company: Connection) -> None:
    make.invoice(company, status="paid", details_wanted_at=clock.now())

    page = client.get(reverse("connections:detail", args=[company.pk])).content.decode()

    assert "1 invoice is left to be read, open ones first." in page
