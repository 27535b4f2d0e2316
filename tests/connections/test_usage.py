"""Calls and refusals are counted cheaply, and equal refusals in a row pause the company."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bokio_app.audit.models import Event
from bokio_app.bokio.http import Call
from bokio_app.connections import grants, overview, usage
from bokio_app.connections.causes import Cause
from bokio_app.connections.models import Connection, Usage
from bokio_app.core import clock
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow
from bokio_app.flows.progress import wait_reason, waits_until
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    usage._tallies.clear()


def heard(connection: Connection, *statuses: int, operation: str = "post-invoice") -> None:
    for status in statuses:
        usage.heard(connection.pk, Call(operation, "POST", status, 0.01))


@pytest.mark.django_db(transaction=True)
def test_calls_are_counted_without_a_write_for_each() -> None:
    connection = make.connection()

    with CaptureQueriesContext(database) as queries:
        heard(connection, *[200] * 30)
    assert len(queries) == 0
    usage.write()

    row = Usage.objects.get()
    assert (row.calls_this_month, row.failures_today) == (30, 0)


@pytest.mark.django_db(transaction=True)
def test_what_a_company_used_that_is_gone_is_forgotten_and_hinders_no_other() -> None:
    gone, kept = make.connection(), make.connection()
    heard(gone, 200)
    heard(kept, 200)
    gone.delete()

    usage.write()

    assert Usage.objects.get().connection == kept


@pytest.mark.django_db(transaction=True)
def test_a_new_month_and_a_new_day_begin_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make.connection()
    heard(connection, 200, 400)
    usage.write()

    later = clock.now() + timedelta(days=40)
    monkeypatch.setattr(clock, "now", lambda: later)
    row = Usage.objects.get()
    assert (row.calls_this_month, row.failures_today) == (0, 0)
    heard(connection, 200)
    usage.write()

    row.refresh_from_db()
    assert (row.calls_this_month, row.failures_today) == (1, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statuses, is_open",
    [
        ([400] * 5, True),
        ([400] * 4, False),
        ([400] * 4 + [200, 400], False),
        ([400] * 4 + [500, 400], True),  # no answer is no success
        ([400] * 4 + [403, 400], False),
        ([401] * 9, False),
        ([429] * 9, False),
    ],
)
def test_only_equal_refusals_in_a_row_pause_a_company(statuses: list[int], is_open: bool) -> None:
    connection = make.connection()

    heard(connection, *statuses)

    connection.refresh_from_db()
    assert bool(connection.blocked_until) == is_open
    assert Event.objects.filter(action="connection.paused").exists() == is_open


@pytest.mark.django_db(transaction=True)
def test_what_other_operations_achieve_does_not_hide_a_row_of_refusals() -> None:
    connection = make.connection()

    for _order in range(5):
        heard(connection, 200, operation="post-customer")
        heard(connection, 400)
        usage.write()

    connection.refresh_from_db()
    assert connection.blocked_by == "breaker 400 post-invoice"


@pytest.mark.django_db(transaction=True)
def test_after_the_pause_one_more_refusal_pauses_again_and_a_success_ends_it() -> None:
    connection = make.connection()
    heard(connection, *[400] * 5)
    Connection.objects.update(blocked_until=None)

    heard(connection, 400)
    connection.refresh_from_db()
    assert connection.blocked_until

    Connection.objects.update(blocked_until=None)
    heard(connection, 200, *[400] * 4)
    connection.refresh_from_db()
    assert connection.blocked_until is None


@pytest.mark.django_db(transaction=True)
def test_a_shorter_rest_never_cuts_a_longer_one() -> None:
    connection = make.connection()
    late, soon = (clock.now() + timedelta(hours=hours) for hours in (5, 1))

    grants.block(connection, until=late, code="quota-exceeded")
    grants.block(connection, until=soon, code="rate-limit-exceeded")

    connection.refresh_from_db()
    assert (connection.blocked_until, connection.blocked_by) == (late, "quota-exceeded")


@pytest.mark.fault
def test_the_sixth_bad_invoice_is_not_sent_and_its_run_says_why_and_until_when(
    sandbox: SandboxProcess, connection: Connection, person: User, settings: Any, client: Client
) -> None:
    settings.FLOW_BREAKER_REST = 900
    error = '{"code": "validation-error", "errors": [{"field": "#/x", "message": "wrong"}]}'
    sandbox.add_fault("post-invoice", "status", times=9, status=400, body=error)
    for _invoice in range(6):
        invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    bokio.work_until(connection, lambda: Flow.objects.filter(state="stuck").count() == 5)

    assert claim(connection.pk) is None
    assert sandbox.count("post-invoice") == 5
    flow = Flow.objects.select_related("connection").get(state="ready")
    assert "400 post-invoice" in wait_reason(flow)
    until = waits_until(flow)
    assert until
    assert 800 < (until - clock.now()).total_seconds() <= 900

    client.force_login(person)
    page = client.get(f"/companies/{connection.pk}/").content.decode()
    assert "400 post-invoice" in page
    assert Usage.objects.get(pk=connection.pk).failures_today == 5

    sandbox.clear_faults()
    Connection.objects.update(blocked_until=None)
    bokio.work(connection)
    assert Invoice.objects.get(pk=UUID(flow.business_key)).is_recorded


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cause, code, state, words",
    [
        (Cause.PLAN, "price_plan_feature_required", "needs", "plan"),
        (Cause.QUOTA, "quota-exceeded", "waiting", "quota"),
        (Cause.BROWNOUT, "version_brownout", "waiting", "version"),
        (Cause.PAUSED, "breaker 400 post-invoice", "waiting", "post-invoice"),
        (Cause.TOLD_TO_WAIT, "rate-limit-exceeded", "waiting", "Bokio asked us to wait."),
    ],
)
def test_a_company_that_rests_says_why(cause: Cause, code: str, state: str, words: str) -> None:
    connection = make.connection()
    grants.block(connection, until=clock.now() + timedelta(minutes=5), code=code, cause=cause)
    connection.refresh_from_db()
    with translation.override("en"):
        health = overview.health(connection)
    assert (health.state, health.code) == (state, cause)
    assert words in health.cause
