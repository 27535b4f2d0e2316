"""The start page: what there is to do, counted right and only within the workspace."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import State
from bokio_app.core import clock
from bokio_app.flows.models import FlowState
from bokio_app.tenants.models import Tenant
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

    with django_assert_max_num_queries(8):
        assert start(client).status_code == 200


def test_a_person_without_a_workspace_is_told_so() -> None:
    browser = Client()
    browser.force_login(make.user())
    browser.cookies["bokio_app_language"] = "en"

    page = start(browser)

    assert page.status_code == 403
    assert "You belong to no workspace" in page.content.decode()
