"""Disconnecting a company: work first, then Bokio, then our tokens; nothing is cut off or lost."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections import disconnecting, general
from bokio_app.connections.models import Connection, Leaving, State, TokenGrant
from bokio_app.core import clock
from bokio_app.flows import errands
from bokio_app.flows.claim import claim
from bokio_app.flows.engine import run
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_token_of_another_sandbox() -> None:
    general._tokens.clear()


@pytest.fixture
def connection(sandbox: SandboxProcess, person: User) -> Connection:
    return bokio.connect(sandbox, by=person)


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def ask(client: Client, connection: Connection, work: str) -> Leaving:
    """Press *Disconnect* on the page that says what will happen."""
    address = reverse("connections:disconnect", args=[connection.pk])
    assert client.get(address).status_code == 200
    answer = client.post(address, {"work": work})
    assert answer["Location"] == reverse("connections:leaving", args=[connection.pk])
    return connection.leavings.get()


def errands_until(reached: Callable[[], bool], *, work: Connection | None = None) -> None:
    """Be the workers until something has come about."""
    ends = time.monotonic() + bokio.PATIENCE
    while not reached():
        assert time.monotonic() < ends
        errands.run_due()
        if work and (flow := claim(work.pk)):
            run(flow, until=clock.now() + bokio.timedelta(seconds=60))
        bokio.pause()


def is_ended(connection: Connection) -> Callable[[], bool]:
    ended = Connection.objects.filter(pk=connection.pk, state=State.ENDED)
    return ended.exists


def publish(connection: Connection, person: User) -> tuple[Invoice, Flow]:
    draft = bokio.guide_draft(connection, by=person)
    flow, _started = invoicing.start_sending(draft, by=person)
    return draft, flow


def test_the_connection_ends_at_bokio_and_its_tokens_here_and_history_stays(
    client: Client, connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    ask(client, connection, "finish")
    sandbox.clear_calls()

    errands_until(is_ended(connection))

    assert sandbox.connections() == []
    assert sandbox.count("delete-connection-by-id") == 1
    assert not TokenGrant.objects.filter(connection=connection).exists()
    assert connection.flows.exists()
    assert connection.accounts.exists()
    leaving = connection.leavings.get()
    assert (leaving.stage, leaving.remote) == (Leaving.Stage.DONE, Leaving.Remote.ENDED)
    line = Event.objects.get(action="connection.disconnected")
    assert (line.actor, line.data["at_bokio"]) == (person, "ended")
    page = client.get(reverse("connections:leaving", args=[connection.pk])).content.decode()
    assert "is disconnected" in page
    assert client.get("/companies/").context["count"] == 0


def test_queued_work_is_finished_first_where_the_person_chooses_that(
    client: Client, connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    _draft, flow = publish(connection, person)
    ask(client, connection, "finish")
    errands.run_due()
    assert sandbox.count("delete-connection-by-id") == 0

    errands_until(is_ended(connection), work=connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    [invoice] = sandbox.books(str(connection.company_id))["invoices"]
    assert invoice["status"] != "draft"


def test_queued_work_is_cancelled_where_the_person_chooses_that(
    client: Client, connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    _draft, flow = publish(connection, person)

    ask(client, connection, "stop")
    errands_until(is_ended(connection), work=connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert sandbox.books(str(connection.company_id))["invoices"] == []


def test_an_unclear_call_is_read_before_the_company_goes(
    client: Client, connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    _draft, flow = publish(connection, person)
    sandbox.lose_answer("post-invoice")
    unclear = flow.steps.filter(state="unknown")
    bokio.work_until(connection, unclear.exists)

    ask(client, connection, "stop")
    errands.run_due()
    assert sandbox.count("delete-connection-by-id") == 0
    errands_until(is_ended(connection), work=connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert flow.steps.get(op="create_invoice").remote_id
    assert len(sandbox.books(str(connection.company_id))["invoices"]) == 1


def test_while_bokio_is_down_it_is_asked_again_and_an_answer_that_is_lost_is_read_for(
    client: Client, connection: Connection, sandbox: SandboxProcess
) -> None:
    ask(client, connection, "stop")
    sandbox.lose_answer("delete-connection-by-id")
    reading = sandbox.add_fault("get-connection-by-id", kind="status", status=503)
    assert reading

    errands_until(lambda: sandbox.connections() == [])
    page = client.get(reverse("connections:leaving", args=[connection.pk])).content.decode()
    assert "is being disconnected" in page
    errands_until(is_ended(connection))

    assert sandbox.count("delete-connection-by-id") == 1
    assert connection.leavings.get().remote == Leaving.Remote.GONE


def test_a_connection_that_another_live_one_stands_on_is_kept_at_bokio(
    connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    disconnecting.ask(connection, finishes_first=False, by=person)
    make.connection(remote_id=connection.remote_id, company_id=uuid.uuid4())

    errands_until(is_ended(connection))

    assert sandbox.count("delete-connection-by-id") == 0
    assert len(sandbox.connections()) == 1
    assert connection.leavings.get().remote == Leaving.Remote.KEPT


def test_a_broken_connection_can_go_and_what_nobody_can_read_stops_for_a_person(
    client: Client, connection: Connection, person: User, sandbox: SandboxProcess
) -> None:
    _draft, flow = publish(connection, person)
    sandbox.lose_answer("post-invoice")
    bokio.work_until(connection, flow.steps.filter(state="unknown").exists)
    Connection.objects.filter(pk=connection.pk).update(state=State.BROKEN)
    Flow.objects.filter(pk=flow.pk).update(state=FlowState.PARKED)

    ask(client, connection, "finish")
    errands_until(is_ended(connection))

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "disconnected")
    assert (
        "was disconnected before"
        in client.get(reverse("flows:detail", args=[flow.public_id])).content.decode()
    )


def test_a_new_consent_calls_it_off(connection: Connection, person: User) -> None:
    disconnecting.ask(connection, finishes_first=False, by=person)
    disconnecting.call_off(connection)
    errands.run_due()

    connection.refresh_from_db()
    assert connection.state == State.ACTIVE
    assert TokenGrant.objects.filter(connection=connection).exists()
