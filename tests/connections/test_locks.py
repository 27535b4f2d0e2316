"""Whoever holds a company's row lets workers write rows that point at it: a worker that had to
wait there, with its flow's row in hand, would be waited for in turn.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction
from django.db import connection as database
from django.dispatch import Signal

from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import disconnecting, private_tokens, services, signals
from bokio_app.connections.models import ConnectAttempt, Connection, Kind, Leaving, State
from bokio_app.core import clock
from bokio_app.flows import leaving
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Customer
from bokio_app.tenants.models import User
from tests.support import make

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        database.vendor != "postgresql", reason="on SQLite one transaction writes at a time"
    ),
]


def write_as_a_worker(connection: Connection) -> None:
    """Commit a row that points at the company, from another session of the database."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        Customer.objects.create(
            tenant_id=connection.tenant_id,
            connection_id=connection.pk,
            remote_id=str(uuid.uuid4()),
            name="Kund",
        )
    finally:
        connections["default"].close()


@contextmanager
def a_worker_writes_at(signal: Signal, connection: Connection) -> Iterator[list[bool]]:
    """Have a worker write when the signal is sent, inside the transaction of its sender."""
    written: list[bool] = []

    def write(**_kwargs: object) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_as_a_worker, connection).result()
        written.append(True)

    signal.connect(write)
    try:
        yield written
    finally:
        signal.disconnect(write)


def ask(connection: Connection) -> None:
    disconnecting.ask(connection, finishes_first=False, by=make.member(connection.tenant))


def empty(connection: Connection) -> None:
    person = make.member(connection.tenant)
    disconnecting.ask(connection, finishes_first=True, by=person)
    disconnecting._is_emptied(Leaving.objects.get())


def end(connection: Connection) -> None:
    empty(connection)
    disconnecting._end_here(Leaving.objects.get(), Leaving.Remote.ENDED)


def reconnect(connection: Connection) -> None:
    attempt = ConnectAttempt(
        tenant=connection.tenant, user=make.member(connection.tenant), scopes=connection.scopes
    )
    tokens = Tokens("access", "refresh", 3600, connection.company_id, connection.remote_id)
    services._keep(attempt, tokens, company_id=connection.company_id)


def replace(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(kind=Kind.PRIVATE)
    private_tokens.replace(connection, token="other", by=make.member(connection.tenant))


@pytest.mark.parametrize(
    "act, signal",
    [
        (ask, signals.work_unwanted),
        (empty, signals.work_over),
        (end, signals.work_over),
        (reconnect, signals.consent_given),
        (replace, signals.consent_given),
    ],
)
def test_a_worker_need_not_wait_for_who_holds_the_company(
    act: Callable[[Connection], None], signal: Signal
) -> None:
    connection = make.connection()

    with a_worker_writes_at(signal, connection) as written:
        act(connection)

    assert written


def finish_as_a_worker(flow: Flow) -> bool:
    """Commit the flow's end by its fence; False if the row is held or no longer the worker's."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        mine = Flow.objects.filter(pk=flow.pk, fence=flow.fence, state=FlowState.RUNNING)
        return bool(mine.update(state=FlowState.DONE, lease_until=None))
    except OperationalError:
        return False
    finally:
        connections["default"].close()


def test_what_a_late_worker_has_just_ended_well_is_not_called_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make.connection(state=State.ENDING)
    ago = clock.now() - timedelta(seconds=1)
    first, second = (
        make.flow(connection, state=FlowState.RUNNING, lease_until=ago) for _ in range(2)
    )
    end_now, ended = flows.end_now, []

    def while_a_worker_ends_the_other(flow: Flow, *, by: User | None) -> None:
        if flow.pk == first.pk:
            with ThreadPoolExecutor(1) as pool:
                ended.append(pool.submit(finish_as_a_worker, second).result())
        end_now(flow, by=by)

    monkeypatch.setattr(flows, "end_now", while_a_worker_ends_the_other)
    with transaction.atomic():
        leaving.end(connection)

    second.refresh_from_db()
    assert second.state == (FlowState.DONE if ended == [True] else FlowState.CANCELLED)
