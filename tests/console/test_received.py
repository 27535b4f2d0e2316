"""What has come in: by week, beside the year before, and one by one."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import Connection
from bokio_app.console.received import PAGE, monday_of, weeks_of, year_before
from bokio_app.payments.models import Payment
from bokio_app.tenants.models import Tenant
from tests.support import make

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 11, 20, 11, tzinfo=UTC)  # in week 47


@pytest.fixture(autouse=True)
def friday() -> Any:
    with time_machine.travel(FRIDAY, tick=False):
        yield


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    browser = Client()
    browser.force_login(make.member(tenant))
    browser.cookies["bokio_app_language"] = "en"
    return browser


def paid(company: Connection, day: date, amount: str = "100", **fields: Any) -> Payment:
    invoice = make.invoice(company, status="paid", journal_entry_id="entry", open_amount=Decimal(0))
    usual = {"remote_id": str(uuid.uuid4()), "journal_entry_id": "entry", "account": 1930}
    made: Payment = invoice.payments.create(date=day, amount=Decimal(amount), **(usual | fields))
    return made


def test_a_week_is_from_monday_to_sunday_and_beside_it_stands_the_year_before(
    tenant: Tenant,
) -> None:
    company, other = make.connection(tenant), make.connection()
    for day in (date(2026, 11, 9), date(2026, 11, 15)):
        paid(company, day)
    paid(company, date(2026, 11, 16), "7")
    paid(company, date(2025, 11, 16), "30")
    paid(company, date(2026, 8, 30), "9999")  # the Sunday before the first week shown
    paid(company, date(2026, 11, 12), "9999", remote_id="")
    paid(company, date(2026, 11, 12), "9999", gone_at=FRIDAY)
    paid(other, date(2026, 11, 12), "9999")

    weeks = weeks_of(tenant)

    assert [week.number for week in weeks] == list(range(36, 48))
    assert [week.number for week in weeks if week.amount or week.earlier] == [46, 47]
    assert (weeks[-2].amount, weeks[-2].count, weeks[-2].earlier) == (200, 2, 30)
    assert (weeks[-1].amount, weeks[-1].is_running) == (7, True)


@pytest.mark.parametrize(
    "moment, number",
    [
        (datetime(2026, 11, 22, 22, 30, tzinfo=UTC), 47),  # Sunday 23:30 in Stockholm
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), 48),  # Monday 00:30
        (datetime(2026, 3, 29, 21, 30, tzinfo=UTC), 13),  # the Sunday on which summer time begins
        (datetime(2026, 3, 29, 22, 30, tzinfo=UTC), 14),
        (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), 43),  # the Sunday on which it ends
        (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), 44),
    ],
)
def test_a_new_week_begins_at_midnight_in_stockholm(
    tenant: Tenant, moment: datetime, number: int
) -> None:
    with time_machine.travel(moment, tick=False):
        assert weeks_of(tenant)[-1].number == number


def test_a_53rd_week_stands_beside_the_52nd_of_a_year_that_has_no_more() -> None:
    week_53 = date(2026, 12, 28)

    assert week_53.isocalendar().week == 53
    assert year_before(week_53).isocalendar()[:2] == (2025, 52)
    assert year_before(date(2026, 12, 21)).isocalendar()[:2] == (2025, 52)
    assert monday_of(date(2027, 1, 3)) == week_53


def test_each_week_leads_to_the_payments_that_make_up_its_bar(
    client: Client, tenant: Tenant
) -> None:
    company = make.connection(tenant)
    mine = {paid(company, date(2026, 11, 9)), paid(company, date(2026, 11, 15))}
    paid(company, date(2026, 11, 8))
    paid(company, date(2026, 11, 16))
    paid(make.connection(), date(2026, 11, 10))

    [week] = [
        row
        for row in client.get(reverse("received_weeks")).context["weeks"].rows
        if row.label == "Week 46"
    ]
    page = client.get(week.url).context["page"]

    assert set(page.rows) == mine
    assert (page.count, page.total) == (week.count, week.amount) == (2, Decimal(200))


def test_what_is_to_be_recorded_is_listed_by_company(client: Client, tenant: Tenant) -> None:
    company, other = make.connection(tenant), make.connection(tenant)
    mine = paid(company, date(2026, 11, 9), journal_entry_id="")
    paid(other, date(2026, 11, 9), journal_entry_id="")
    paid(company, date(2026, 11, 9))
    address = reverse("received")

    assert client.get(address).context["page"].count == 2
    narrowed = client.get(address, {"company": company.pk})
    assert list(narrowed.context["page"].rows) == [mine]


def test_a_company_of_others_is_not_found(client: Client) -> None:
    stranger = make.connection()

    assert client.get(reverse("received"), {"company": stranger.pk}).status_code == 404


def test_pages_follow_each_other_without_a_gap(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant)
    invoice = make.invoice(company, status="paid", open_amount=Decimal(0))
    made = Payment.objects.bulk_create(
        Payment(
            invoice=invoice,
            date=FRIDAY.date() - timedelta(days=number // 40),
            amount=1,
            account=1930,
            remote_id=str(number),
        )
        for number in range(PAGE + 20)
    )

    first = client.get(reverse("received"))
    second = client.get(reverse("received") + first.context["next_url"])

    rows = [*first.context["page"].rows, *second.context["page"].rows]
    assert len(rows) == len(set(rows)) == len(made)
    assert second.context["page"].next == ""
    assert [row.date for row in rows] == sorted((row.date for row in rows), reverse=True)


@pytest.mark.parametrize("query", ["week=x", "week=2026-13-40", "before=x", "before=2026_x_y"])
def test_an_address_that_makes_no_sense_is_read_as_without_it(client: Client, query: str) -> None:
    assert client.get(f"{reverse('received')}?{query}").status_code == 200


def test_the_lists_cost_the_same_however_many_payments(
    client: Client, tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        paid(make.connection(tenant), FRIDAY.date())

    with django_assert_max_num_queries(5):
        client.get(reverse("received"))
    with django_assert_max_num_queries(4):
        client.get(reverse("received_weeks"))


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "2026-02-30", "9999-12-31_x_y"])
def test_a_week_at_the_end_of_time_is_none(client: Client, text: str) -> None:
    assert client.get(reverse("received"), {"week": text}).status_code == 200
