"""One refresh for each pair of tokens, however many workers want it and whatever goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections

from bokio_app.bokio.oauth import OAuthApp, Tokens
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State, TokenGrant
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState
from bokio_app.flows.tasks import sweep
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio
from tests.support.net import wait_until
from tests.support.sandbox import SandboxProcess

WORKERS, GENERATIONS = 8, 25


def newest(connection: Connection) -> int:
    return TokenGrant.objects.filter(connection=connection).latest("generation").generation


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Another worker."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def refreshing(connection: Connection) -> int:
    """What a worker does whose token was refused, in a thread of its own."""
    try:
        return grants.access(connection, worn=newest(connection)).generation
    finally:
        connections.close_all()


def test_each_generation_is_refreshed_once_by_many_workers(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    def use(_number: int) -> None:
        worn = 0
        try:
            while worn < GENERATIONS:
                try:
                    worn = grants.access(connection, worn=worn).generation
                except grants.RefreshUnderWay:
                    time.sleep(0.005)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(use, range(WORKERS)))

    connection.refresh_from_db()
    assert (connection.state, connection.generation) == (State.ACTIVE, GENERATIONS)
    assert sandbox.count("request-token") == GENERATIONS - 1


def test_while_one_worker_renews_a_token_the_others_use_the_old_one(
    sandbox: SandboxProcess, connection: Connection, elsewhere: ThreadPoolExecutor
) -> None:
    hold = sandbox.add_fault("request-token", "hold_before")
    TokenGrant.objects.update(expires_at=clock.now() + timedelta(minutes=4))
    first = elsewhere.submit(refreshing, connection)
    sandbox.wait_held(hold)

    assert grants.access(connection).generation == 1
    TokenGrant.objects.update(expires_at=clock.now() + timedelta(seconds=20))
    with pytest.raises(grants.RefreshUnderWay):
        grants.access(connection)

    sandbox.release(hold)
    assert first.result() == 2


@pytest.mark.fault
def test_a_worker_that_dies_while_refreshing_costs_one_more_call_and_no_pair(
    sandbox: SandboxProcess, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    sandbox.set_switches(refresh_accepts_previous_once=True)
    asked = OAuthApp.refresh

    def asks_and_dies(self: OAuthApp, token: str) -> Tokens:
        asked(self, token)
        raise Killed

    monkeypatch.setattr(OAuthApp, "refresh", asks_and_dies)
    with pytest.raises(Killed):
        grants.access(connection, worn=1)
    monkeypatch.undo()

    with pytest.raises(grants.RefreshUnderWay):
        grants.access(connection, worn=1)
    Connection.objects.update(refresh_until=clock.now() - timedelta(seconds=1))

    assert grants.access(connection, worn=1).generation == 2
    assert sandbox.count("request-token") == 2


@pytest.mark.fault
def test_a_pair_that_comes_after_another_workers_refusal_revives_the_connection(
    sandbox: SandboxProcess, connection: Connection, elsewhere: ThreadPoolExecutor
) -> None:
    hold = sandbox.add_fault("request-token", "hold_after")
    frozen = elsewhere.submit(refreshing, connection)
    sandbox.wait_held(hold)
    Connection.objects.update(refresh_until=clock.now() - timedelta(seconds=1))
    with pytest.raises(grants.NeedsConsent):
        grants.access(connection, worn=1)
    assert Connection.objects.get().state == State.BROKEN

    sandbox.release(hold)

    assert frozen.result() == 2
    connection.refresh_from_db()
    assert (connection.state, connection.generation) == (State.ACTIVE, 2)


@pytest.mark.fault
def test_a_pair_is_kept_although_the_database_goes_away_while_it_is_saved(
    sandbox: SandboxProcess, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, failures = grants.store, [OperationalError("gone"), OperationalError("still gone")]

    def failing(*args: Any, **kwargs: Any) -> TokenGrant:
        if failures:
            raise failures.pop()
        return kept(*args, **kwargs)

    monkeypatch.setattr(grants, "store", failing)

    assert grants.access(connection, worn=1).generation == 2
    assert sandbox.count("request-token") == 1


@pytest.mark.fault
def test_a_pair_whose_commit_was_not_confirmed_is_kept_once(
    sandbox: SandboxProcess, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, unconfirmed = grants._kept_now, [True]

    def saving(*args: Any, **kwargs: Any) -> TokenGrant:
        row = kept(*args, **kwargs)
        if unconfirmed:
            unconfirmed.clear()
            raise OperationalError("the connection went away after the commit")
        return row

    monkeypatch.setattr(grants, "_kept_now", saving)

    assert grants.access(connection, worn=1).generation == 2
    assert newest(connection) == 2


@pytest.mark.fault
@pytest.mark.parametrize("state, generation", [(State.ACTIVE, 2), (State.ENDED, 1)])
def test_a_late_pair_takes_the_place_of_no_newer_consent_and_of_no_disconnection(
    state: State,
    generation: int,
    sandbox: SandboxProcess,
    connection: Connection,
    elsewhere: ThreadPoolExecutor,
) -> None:
    hold = sandbox.add_fault("request-token", "hold_after")
    frozen = elsewhere.submit(refreshing, connection)
    sandbox.wait_held(hold)
    if state == State.ACTIVE:
        reconnect(sandbox, connection)
    else:
        Connection.objects.update(state=state)

    sandbox.release(hold)

    if state == State.ACTIVE:
        assert frozen.result() == 2
    else:
        with pytest.raises(grants.NeedsConsent):
            frozen.result()
    assert (newest(connection), Connection.objects.get().state) == (generation, state)


@pytest.mark.fault
def test_while_bokio_renews_no_tokens_not_every_call_asks_for_one(
    sandbox: SandboxProcess, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "REST", timedelta(hours=1))
    sandbox.add_fault("request-token", "error_before", nth=None)
    TokenGrant.objects.update(expires_at=clock.now() + timedelta(minutes=4))

    for _ in range(5):
        assert grants.access(connection).generation == 1

    assert sandbox.count("request-token") == 2  # one try, and its repetition


@pytest.mark.fault
def test_after_a_refused_token_flows_park_and_go_on_once_someone_has_reconnected(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    flows = [
        invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)[0]
        for _ in range(3)
    ]
    company = str(connection.company_id)
    sandbox.add_fault("request-token", "lose_refresh")
    sandbox.expire_tokens(company)
    broken = Connection.objects.filter(pk=connection.pk, state=State.BROKEN)
    bokio.work_until(connection, broken.exists)
    open_flows = Flow.objects.filter(pk__in=[flow.pk for flow in flows])
    wait_until(lambda: sweep() or not open_flows.exclude(state="parked").exists(), what="parked")
    assert sandbox.count("post-invoice") == 0
    asked = sandbox.count("request-token")

    reconnect(sandbox, connection)
    sweep()
    bokio.work(connection)

    assert set(open_flows.values_list("state", flat=True)) == {FlowState.DONE}
    assert len(sandbox.books(company)["invoices"]) == len(flows)
    assert asked == 2
    assert sandbox.count("request-token") == asked + 1


def reconnect(sandbox: SandboxProcess, connection: Connection) -> None:
    """Give the consent anew, as a person would."""
    pair = sandbox.tokens_for(str(connection.company_id))
    tokens = Tokens(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=3600,
        company_id=connection.company_id,
        connection_id=connection.remote_id,
    )
    grants.store(connection, tokens, after=newest(connection))
    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
