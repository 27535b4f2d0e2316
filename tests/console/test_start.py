"""The start page: what there is to do, counted right and only within the workspace."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import Connection, State
from bokio_app.console import receivables
from bokio_app.console.queue import queue_of, work_of
from bokio_app.core import clock
from bokio_app.flows.models import FlowState
from bokio_app.invoicing.leftovers import Left
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import Member, Tenant
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    browser = Client()
    browser.force_login(make.member(tenant))
    browser.cookies["bokio_app_language"] = "en"
    return browser


def start(client: Client) -> Any:
    return client.get(reverse("start"))


def test_the_queue_counts_the_workspaces_own_work_and_no_others(
    client: Client, tenant: Tenant
) -> None:
    late = clock.today() - timedelta(days=12)
    for company in (make.connection(tenant), make.connection()):
        make.invoice(company)
        make.invoice(company, status="published", due_date=late)
        make.invoice(company, status="published", journal_entry_id="entry")
        make.flow(company, state=FlowState.STUCK)
    make.connection(tenant, state=State.BROKEN)

    queue = start(client).context["queue"]

    total = queue.total
    assert (total.drafts, total.unrecorded, total.overdue) == (1, 1, 1)
    assert (total.drafts_total, total.overdue_total) == (Decimal("1250.00"), Decimal("1250.00"))
    assert total.oldest_days == 12
    assert (queue.stuck, queue.needing, queue.companies) == (1, 1, 2)


def test_a_paid_invoice_past_its_due_date_is_not_overdue(client: Client, tenant: Tenant) -> None:
    make.invoice(
        make.connection(tenant),
        status="paid",
        journal_entry_id="entry",
        due_date=clock.today() - timedelta(days=5),
        open_amount=Decimal(0),
    )

    assert start(client).context["queue"].total.overdue == 0


def test_companies_that_need_a_person_come_before_those_with_much_to_do(
    client: Client, tenant: Tenant
) -> None:
    busy = make.connection(tenant, name="Aspen AB")
    for _number in range(3):
        make.invoice(busy)
    make.flow(make.connection(tenant, name="Zeta AB"), state=FlowState.STUCK)

    todos = start(client).context["queue"].todos

    assert [todo.company.connection.name for todo in todos] == ["Zeta AB", "Aspen AB"]


def test_an_empty_workspace_is_led_to_its_first_company(client: Client) -> None:
    page = start(client).content.decode()

    assert reverse("connections:connect") in page
    assert "Connect the first one" in page


def test_the_start_page_costs_the_same_however_many_companies(
    client: Client, tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    for _number in range(30):
        company = make.connection(tenant)
        make.fiscal_year(company)
        make.invoice(company)

    with django_assert_max_num_queries(18):
        assert start(client).status_code == 200


def test_a_person_without_a_workspace_is_told_so() -> None:
    browser = Client()
    browser.force_login(make.user())
    browser.cookies["bokio_app_language"] = "en"

    page = start(browser)

    assert page.status_code == 403
    assert "You belong to no workspace" in page.content.decode()


def owed(company: Connection, days: int, amount: str = "100", **fields: Any) -> Invoice:
    """A recorded invoice that has been due for so many days."""
    usual = {
        "status": "published",
        "journal_entry_id": "entry",
        "open_amount": Decimal(amount),
        "due_date": clock.today() - timedelta(days=days),
    }
    return make.invoice(company, **(usual | fields))


def ages(tenant: Tenant) -> list[int]:
    return [age.count for age in queue_of(tenant).total.ages]


def test_receivables_are_told_apart_by_the_days_since_they_were_due(tenant: Tenant) -> None:
    company = make.connection(tenant)
    for days in (-1, 0, 1, 30, 31, 60, 61, 90, 91, 400):
        owed(company, days)
    owed(company, 0, due_date=None)
    owed(company, 45, open_amount=Decimal("-5"))
    owed(company, 45, gone_at=clock.now())

    found = queue_of(tenant).total

    assert [age.count for age in found.ages] == [3, 2, 2, 2, 2]
    assert found.owed.amount == sum(age.amount for age in found.ages) == 1100
    assert (found.overdue, found.overdue_total, found.oldest_days) == (8, 800, 400)


@pytest.mark.parametrize(
    "due, before, after",
    [
        # 23:30 and 00:30 in Stockholm: in winter, in summer, and around both changes of the clock.
        (date(2026, 1, 14), "2026-01-14T22:30", "2026-01-14T23:30"),
        (date(2026, 7, 14), "2026-07-14T21:30", "2026-07-14T22:30"),
        (date(2026, 3, 28), "2026-03-28T22:30", "2026-03-28T23:30"),
        (date(2026, 3, 29), "2026-03-29T21:30", "2026-03-29T22:30"),
        (date(2026, 10, 24), "2026-10-24T21:30", "2026-10-24T22:30"),
        (date(2026, 10, 25), "2026-10-25T22:30", "2026-10-25T23:30"),
    ],
)
def test_an_invoice_grows_older_at_midnight_in_stockholm(
    tenant: Tenant, due: date, before: str, after: str
) -> None:
    owed(make.connection(tenant), 0, due_date=due)

    found = []
    for moment in (before, after):
        with time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=UTC), tick=False):
            found.append(ages(tenant))

    assert found == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]


def test_each_bar_leads_to_a_list_of_as_many_invoices(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant)
    for days in (-40, 0, 1, 30, 31, 61, 90, 91):
        owed(company, days)

    for row in start(client).context["ages"].rows:
        query = {name: each[0] for name, each in parse_qs(urlsplit(row.url).query).items()}
        bounds = {
            f"due_date__{'gte' if name == 'due_since' else 'lte'}": day
            for name, day in query.items()
            if name.startswith("due_")
        }
        assert query["view"] == "open"
        assert tenant.invoices.filter(open_amount__gt=0, **bounds).count() == row.count


def test_amounts_in_other_currencies_count_by_the_rate_of_their_invoice(tenant: Tenant) -> None:
    company = make.connection(tenant)
    owed(company, 10, "100.00")
    owed(company, 10, "100.05", currency="EUR", currency_rate=Decimal("11.5"))
    make.invoice(company, currency="USD", currency_rate=Decimal("10.01"), total=Decimal("2.00"))
    owed(company, 10, "9999", currency="GBP")

    found = queue_of(tenant).total

    assert found.overdue_total == Decimal("1250.58")  # 1 150.575 is rounded to öre
    assert found.drafts_total == Decimal("20.02")
    assert (found.overdue, found.rateless) == (3, 1)


def test_what_cannot_be_converted_is_said_to_be_left_out(client: Client, tenant: Tenant) -> None:
    owed(make.connection(tenant), 10, currency="GBP")

    assert "its rate has not been read yet" in start(client).content.decode()


def test_payments_that_bokio_has_and_no_books_are_counted_until_they_are_recorded(
    client: Client, tenant: Tenant
) -> None:
    invoice = owed(make.connection(tenant), -10)
    usual = {"date": clock.today(), "amount": 10, "account": 1930}
    invoice.payments.create(**usual, remote_id="made")
    invoice.payments.create(**usual, remote_id="recorded", journal_entry_id="entry")
    invoice.payments.create(**usual, remote_id="gone", gone_at=clock.now())
    invoice.payments.create(**usual)
    owed(make.connection(), -10).payments.create(**usual, remote_id="of others")

    queue = start(client).context["queue"]

    assert (queue.total.payments, queue.total.payments_total) == (1, 10)
    assert queue.having["payments"] == 1


def test_by_the_cash_method_published_invoices_are_not_work(tenant: Tenant) -> None:
    company = make.connection(tenant)
    make.fiscal_year(company, method="cash")
    make.invoice(company, status="published")

    assert queue_of(tenant).total.unrecorded == 0


def test_what_has_been_left_behind_leads_to_its_list_with_its_cure(
    client: Client, tenant: Tenant
) -> None:
    company = make.connection(tenant)
    make.fiscal_year(company, clock.today().year - 1, status="closed")
    long_ago = clock.now() - timedelta(days=30)
    day = {"date": long_ago.date(), "amount": 10, "remote_id": str(uuid.uuid4())}
    owed(company, -5, journal_entry_id="", published_at=long_ago)
    owed(company, -5).payments.create(**day, account=1930)
    owed(company, -5).settlements.create(**day, type="bankFee")
    make.invoice(company, created_at=long_ago)
    owed(company, -5, invoice_date=date(clock.today().year - 1, 6, 1))
    owed(company, -5, invoice_date=date(clock.today().year - 1, 6, 1), journal_entry_id="")

    context = start(client).context
    found = {row.url.partition("left=")[2]: row.count for row in context["left"]}

    assert found == {kind.value: 1 for kind in Left if kind not in {Left.TO_RECORD, Left.CREDIT}}
    assert context["left_note"] == "6 items in 1 company"
    assert all(str(row.cure) for row in context["left"])


def test_the_next_step_of_a_company_is_what_stops_most(client: Client, tenant: Tenant) -> None:
    broken = make.connection(tenant, state=State.BROKEN)
    stuck, behind, drafting = (make.connection(tenant) for _ in range(3))
    late, idle = make.connection(tenant), make.connection(tenant)
    for company in (broken, stuck, behind, drafting):
        make.invoice(company)
    for company in (broken, stuck, behind):
        make.invoice(company, status="published", due_date=clock.today())
    for company in (broken, stuck):
        make.flow(company, state=FlowState.STUCK)
    owed(late, 3)

    steps = {
        todo.company.connection: (words, url) for todo, words, url in start(client).context["todos"]
    }

    assert {company: words for company, (words, _url) in steps.items()} == {
        broken: "Mend the connection",
        stuck: "Open the run",
        behind: "Record 1 invoice",
        drafting: "Publish 1 draft",
        late: "See 1 overdue",
        idle: "",
    }
    assert str(behind.pk) in steps[behind][1]


def test_keys_1_to_6_open_the_queues_in_the_order_of_the_page(
    client: Client, tenant: Tenant
) -> None:
    make.connection(tenant)

    tiles = start(client).context["tiles"]

    assert [tile.key for tile in tiles] == ["1", "2", "3", "4", "5", "6"]
    assert {tile.state for tile in tiles} == {"done"}
    for tile in tiles:
        assert client.get(tile.url).status_code == 200


def test_when_all_is_done_the_page_says_so(client: Client, tenant: Tenant) -> None:
    company = make.connection(tenant)
    assert "Everything is done" in start(client).content.decode()

    make.invoice(company)

    assert "Everything is done" not in start(client).content.decode()


def test_a_member_counts_only_the_companies_that_were_given_to_them(tenant: Tenant) -> None:
    given, hidden = make.connection(tenant), make.connection(tenant)
    for company in (given, hidden):
        invoice = owed(company, 5)
        invoice.payments.create(date=clock.today(), amount=1, account=1930, remote_id="made")
    person = make.member(tenant)
    member = Member.objects.get(user=person)
    Member.objects.filter(pk=member.pk).update(sees_all=False)
    member.company_access.create(connection=given)
    browser = Client()
    browser.force_login(person)

    queue = start(browser).context["queue"]
    received = browser.get(reverse("received")).context["page"]
    weeks = browser.get(reverse("received_weeks")).context["weeks"]

    assert (queue.companies, queue.total.overdue, queue.total.payments) == (1, 1, 1)
    assert received.count == weeks.rows[-1].count == 1


def test_one_company_is_counted_alone(tenant: Tenant) -> None:
    company = make.connection(tenant)
    for each in (company, make.connection(tenant)):
        owed(each, 5)
        make.invoice(each)

    work = work_of(tenant, company)

    assert list(work) == [company.pk]
    assert (work[company.pk].overdue, work[company.pk].drafts) == (1, 1)
    assert receivables.late(work[company.pk].ages).count == 1
