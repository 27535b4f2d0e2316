"""Tokens: kept sealed, refreshed once, never thrown away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State, TokenGrant
from bokio_app.core import clock
from bokio_app.core.crypto import CannotDecrypt
from bokio_app.tenants.models import User
from tests.support import make
from tests.support.sandbox import SandboxProcess


def age(connection: Connection, *, left: timedelta) -> None:
    """Let the token have so much time left, as we see it."""
    TokenGrant.objects.filter(connection=connection).update(expires_at=clock.now() + left)


def test_a_fresh_token_is_used_as_it_is(sandbox: SandboxProcess, connection: Connection) -> None:
    access = grants.access(connection)

    assert access.generation == 1
    assert sandbox.count("request-token") == 0


def test_a_token_about_to_expire_is_refreshed_and_the_new_pair_committed(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    age(connection, left=timedelta(minutes=4))

    access = grants.access(connection)

    connection.refresh_from_db()
    assert access.generation == connection.generation == 2
    assert TokenGrant.objects.get(generation=2).access_token == access.token


@pytest.mark.fault
def test_after_a_lost_refresh_answer_the_same_token_is_tried_once_more(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    sandbox.set_switches(refresh_accepts_previous_once=True)
    sandbox.lose_answer("request-token")
    age(connection, left=timedelta(minutes=4))

    access = grants.access(connection)

    assert access.generation == 2
    assert sandbox.count("request-token") == 2


@pytest.mark.fault
def test_a_refused_refresh_token_asks_for_a_new_consent(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    sandbox.revoke_connection(str(connection.remote_id))
    age(connection, left=timedelta(0))

    with pytest.raises(grants.NeedsConsent):
        grants.access(connection)

    connection.refresh_from_db()
    assert connection.state == State.BROKEN


@pytest.mark.django_db
def test_who_looked_before_a_token_was_refused_does_not_send_it_once_more() -> None:
    connection = make.connection()
    seen = grants.newest(connection)
    grants.break_connection(connection, generation=seen.generation)

    assert grants._lease(connection, seen.generation) is None


@pytest.mark.fault
def test_bokio_being_down_never_ends_a_connection(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    sandbox.add_fault("request-token", "error_before", nth=None)
    age(connection, left=timedelta(minutes=4))

    access = grants.access(connection)

    connection.refresh_from_db()
    assert (access.generation, connection.state) == (1, State.ACTIVE)


def test_eight_workers_that_need_the_same_token_refresh_it_once(
    sandbox: SandboxProcess, connection: Connection
) -> None:
    age(connection, left=timedelta(minutes=4))

    def use(_number: int) -> int:
        try:
            return grants.access(Connection.objects.get(pk=connection.pk)).generation
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as workers:
        generations = set(workers.map(use, range(8)))

    assert generations <= {1, 2}
    assert sandbox.count("request-token") == 1


@pytest.mark.django_db
def test_a_token_copied_to_another_connection_does_not_decrypt() -> None:
    mine, theirs = make.connection(), make.connection()
    copied = TokenGrant.objects.get(connection=mine)
    copied.connection = theirs

    with pytest.raises(CannotDecrypt):
        _ = copied.access_token


@pytest.mark.django_db
def test_an_older_key_still_opens_what_it_closed(settings: Any) -> None:
    grant = make.connection().grants.get()
    before = grant.access_token

    settings.FIELD_ENCRYPTION_KEYS = [b"n" * 32, *settings.FIELD_ENCRYPTION_KEYS]

    assert grant.access_token == before


@pytest.mark.django_db
def test_a_lost_key_is_told_from_a_wrong_place(settings: Any) -> None:
    grant = make.connection().grants.get()

    settings.FIELD_ENCRYPTION_KEYS = [b"n" * 32]

    with pytest.raises(CannotDecrypt, match="FIELD_ENCRYPTION_KEYS"):
        _ = grant.access_token


def test_the_person_who_connected_is_remembered(connection: Connection, person: User) -> None:
    assert connection.created_by == person
