"""One company with more work than Bokio takes from it, and several flows of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connections

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import engine, readings
from bokio_app.flows.claim import claim
from bokio_app.flows.limits import limiter
from bokio_app.flows.limits.asking import Reason, Wait
from bokio_app.flows.models import Flow, FlowState, Lane, StepState
from bokio_app.flows.operations import Operation, StepContext, register
from bokio_app.invoicing import flows as invoicing_flows
from bokio_app.invoicing import services as invoicing
from bokio_app.payments.sync import start_reading
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess, running_sandbox

# SQLite syncs each write to the disk, several for each call: it is given more time for as many.
FACTOR, WINDOWS = (0.5, 1) if django_settings.EMBEDDED else (0.25, 2)
WINDOW = 60 * FACTOR
LIMIT = 200
THREADS = 4


@pytest.fixture
def slower_sandbox(settings: Any) -> Iterator[SandboxProcess]:
    """A sandbox, and the product, on slower time than the other tests."""
    with running_sandbox({"TIME_FACTOR": str(FACTOR)}) as process:
        settings.TIME_FACTOR = FACTOR
        settings.FLOW_SEND_GUARD, settings.FLOW_DEADLINE = 5 * FACTOR, 30 * FACTOR
        settings.BOKIO_API_URL = process.api_url
        settings.BOKIO_AUTHORIZE_URL = f"{process.api_url}/authorize"
        settings.BOKIO_CLIENT_ID = process.client_id
        settings.BOKIO_CLIENT_SECRET = process.client_secret
        yield process


def work_until(connection: Connection, until: datetime, *, all_done: bool = False) -> None:
    """Be several executors of the company at once, until then or until all is done."""
    open_flows = Flow.objects.filter(connection=connection, state__in=["ready", "running"])

    def executor(_number: int) -> None:
        try:
            while clock.now() < until and not (all_done and not open_flows.exists()):
                if flow := claim(connection.pk):
                    engine.run(flow, until=until)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as executors:
        list(executors.map(executor, range(THREADS)))


@pytest.mark.slow
@pytest.mark.timed
def test_a_saturated_company_uses_its_allowance_and_never_more(
    slower_sandbox: SandboxProcess, person: User
) -> None:
    connection = bokio.connect(slower_sandbox, by=person)
    for _ in range(THREADS):
        make.flow(connection, kind="read_books", ops=["read_company"] * 200, lane=Lane.BATCH)
    slower_sandbox.clear_calls()

    work_until(connection, clock.now() + timedelta(seconds=(WINDOWS + 0.1) * WINDOW))

    calls = slower_sandbox.calls()["calls"]
    assert [call["status"] for call in calls if call["status"] != 200] == []
    arrivals = [float(call["began"]) for call in calls]
    within = [moment for moment in arrivals if moment < arrivals[0] + WINDOWS * WINDOW]
    assert len(within) >= 0.95 * WINDOWS * LIMIT
    for first, over in zip(arrivals, arrivals[LIMIT:], strict=False):
        assert over - first > WINDOW


def test_flows_of_one_company_run_at_once_and_never_write_to_one_address(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault("post-invoice", "delay_after", nth=None, seconds=3)
    invoices = [bokio.guide_draft(connection, by=person) for _ in range(3)]
    for invoice in invoices:
        invoicing.start_sending(invoice, by=person)

    work_until(connection, clock.now() + timedelta(seconds=60), all_done=True)

    calls = sandbox.calls()
    assert calls["overlappingWrites"] == []
    assert {call["status"] for call in calls["calls"]} <= {200, 201}
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()
    assert len(sandbox.books(str(connection.company_id))["invoices"]) == len(invoices)


def test_a_flow_that_must_wait_long_is_put_back_and_says_why(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    monkeypatch.setattr(limiter, "ask", lambda *_: Wait(7.5, Reason.RATE))
    before = clock.now()

    taken = claim(connection.pk)
    assert taken
    engine.run(taken, until=before + timedelta(seconds=60))

    flow.refresh_from_db()
    assert (flow.state, flow.wait_reason) == (FlowState.READY, "rate")
    assert flow.not_before >= before + timedelta(seconds=7.5)
    assert sandbox.calls()["calls"] == []
    assert set(flow.steps.values_list("state", flat=True)) <= {StepState.PENDING}


def test_a_write_that_nobody_asked_leave_for_is_never_sent(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    monkeypatch.setattr(invoicing_flows.CreateInvoice, "address", lambda *_: "POST somewhere/else")

    bokio.work(connection)

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "no-permit")
    assert sandbox.count("post-invoice") == 0


def test_bokios_own_refusal_rests_the_company_as_long_as_it_says(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.add_fault("post-invoice", "rate_limited", retryAfter=20)
    flow, _ = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)

    bokio.work(connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    refused, sent = (
        call for call in sandbox.calls()["calls"] if call["operation"] == "post-invoice"
    )
    waited = float(sent["began"]) - float(refused["ended"])
    assert waited >= 20 * 0.02 * 0.95
    assert "rate_limit_hit" in caplog.text


def test_an_older_reading_does_not_replace_a_newer_one(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    reading = make.flow(connection, kind="read_books", ops=["read_company"])
    step = reading.steps.get()
    newer, older = clock.now(), clock.now() - timedelta(seconds=1)

    def newest(asked_at: datetime) -> bool:
        step.intent_at = asked_at
        return readings.is_newest(StepContext(reading, step, {}), "read_company")

    assert newest(newer)
    assert not newest(older)
    assert newest(newer)


def test_what_a_flow_wrote_meanwhile_is_not_undone_by_a_reading(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    reading = start_reading(invoice, by=person, because="before")
    step = reading.steps.get()
    step.intent_at = invoice.published_at and invoice.published_at - timedelta(minutes=1)

    assert readings.written_since_asked(StepContext(reading, step, {}), f"invoice:{invoice.pk}")
    step.intent_at = clock.now()
    assert not readings.written_since_asked(StepContext(reading, step, {}), f"invoice:{invoice.pk}")


def test_an_operation_that_writes_must_say_where() -> None:
    class Silent(Operation):
        name = f"silent-{uuid4()}"

    with pytest.raises(TypeError, match="does not say where"):
        register(Silent)
