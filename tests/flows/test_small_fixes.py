"""Rules of the engine that are easily lost: each had a way to go wrong."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database

from bokio_app.bokio.errors import NotSent
from bokio_app.bokio.oauth import OAuthApp
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, StepState
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess


@pytest.mark.fault
def test_a_second_401_in_one_turn_is_refreshed_too_when_the_first_refresh_worked(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    flow, _started = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    for call in ("post-customer", "post-invoices-invoiceId-publish"):
        sandbox.add_fault(call, "status", status=401)

    claimed = claim(connection.pk)
    assert claimed
    engine.run(claimed, until=clock.now() + timedelta(seconds=60))

    flow.refresh_from_db()
    connection.refresh_from_db()
    assert (flow.state, connection.state) == (FlowState.DONE, State.ACTIVE)
    assert connection.generation == 3


@pytest.mark.django_db
def test_a_refusal_of_an_older_token_does_not_end_a_connection_that_has_a_newer_one() -> None:
    connection = make.connection(generation=2)

    grants.break_connection(connection, generation=1)
    connection.refresh_from_db()
    assert connection.state == State.ACTIVE

    grants.break_connection(connection, generation=2)
    connection.refresh_from_db()
    assert connection.state == State.BROKEN


@pytest.mark.fault
def test_nobody_waits_for_the_customer_of_a_cancelled_run(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    first = bokio.guide_draft(connection, by=person)
    abandoned, _started = invoicing.start_sending(first, by=person)
    abandoned.steps.filter(op="ensure_customer").update(state=StepState.UNKNOWN)
    Flow.objects.filter(pk=abandoned.pk).update(state=FlowState.CANCELLED)
    second = make.invoice(connection, customer=first.customer, by=person)
    flow, _started = invoicing.start_sending(second, by=person)

    bokio.work(connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_run_started_outside_a_transaction_is_committed_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make.connection()
    seen = []

    def fails(*_args: object, **_kwargs: object) -> None:
        seen.append(database.in_atomic_block)
        raise RuntimeError

    monkeypatch.setattr(flows, "record_all", fails)
    steps = [flows.NewStep("publish_invoice", {"invoice": str(uuid4())})]
    with pytest.raises(RuntimeError):
        flows.start("send_invoice", connection=connection, steps=steps, business_key="x", by=None)

    assert seen == [True]
    assert not Flow.objects.filter(connection=connection).exists()


def test_the_lease_of_a_refresh_outlasts_both_of_its_calls(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases: list[timedelta] = []

    def lost(*_args: object) -> None:
        until = Connection.objects.values_list("refresh_until", flat=True).get(pk=connection.pk)
        leases.append((until or clock.now()) - clock.now())
        raise NotSent("nobody there")

    monkeypatch.setattr(OAuthApp, "refresh", lost)

    with pytest.raises(NotSent):
        grants.access(connection, worn=connection.generation)

    assert len(leases) == 2
    assert leases[0] > 2 * grants.SHORTEST_DEADLINE
