"""Disconnecting a company: work first, then the connection at Bokio, then its tokens here.

A person asks, and workers carry it out, however long Bokio is away. Until work has come to rest
the connection stays as it is, so that a call under way ends well and an unclear one is read.
Then nothing is sent for the company any more but the request that ends the connection at Bokio,
which is repeated until Bokio says that it is gone. Only then the tokens are erased: history stays.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from bokio_app.audit.services import record
from bokio_app.bokio.connections import Connections
from bokio_app.bokio.errors import BokioError, Forbidden, NotFound
from bokio_app.core import clock
from bokio_app.tenants.models import User

from . import general
from .models import Connection, Leaving, State, TokenGrant
from .signals import work_over, work_unwanted

log = logging.getLogger(__name__)

OPEN = (Leaving.Stage.EMPTYING, Leaving.Stage.CLOSING)
LEASE = timedelta(minutes=3)  # longer than a token and two calls take, each to its deadline
FIRST_PAUSE = timedelta(seconds=5)  # after a request in vain; it doubles with each
LONGEST_PAUSE = timedelta(hours=1)
READINGS = 9  # the lane of work that nobody waits for: it is cancelled, never finished first


class NotConnected(Exception):
    """The company has been disconnected already."""


def ask(connection: Connection, *, finishes_first: bool, by: User) -> Leaving:
    """Begin to disconnect; asked again, a person may still change to cancelling what waits.

    Raises `NotConnected`.
    """
    with transaction.atomic():
        locked = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if locked.state == State.ENDED:
            raise NotConnected
        leaving, is_new = Leaving.objects.get_or_create(
            connection=locked,
            stage__in=OPEN,
            defaults={
                "stage": Leaving.Stage.EMPTYING,
                "finishes_first": finishes_first,
                "asked_by": by,
                "not_before": clock.now(),
            },
        )
        closing = leaving.stage == Leaving.Stage.CLOSING
        if not is_new and (closing or leaving.finishes_first == finishes_first):
            return leaving
        leaving.finishes_first = finishes_first
        leaving.not_before = clock.now()
        leaving.save(update_fields=["finishes_first", "not_before"])
        _record("connection.disconnect_asked", locked, by=by, finishes_first=finishes_first)
        if not finishes_first:
            work_unwanted.send(Connection, connection=locked, by=by)
    return leaving


def call_off(connection: Connection) -> None:
    """Keep a company that somebody connects again, in the transaction that keeps its tokens."""
    Leaving.objects.filter(connection=connection, stage__in=OPEN).update(
        stage=Leaving.Stage.CALLED_OFF, ended_at=clock.now()
    )


def due() -> QuerySet[Leaving]:
    """Companies on their way out at which a worker should look now."""
    return Leaving.objects.filter(stage__in=OPEN, not_before__lte=clock.now())


def work_left(connection: Connection) -> int:
    """How many runs must come to rest before the connection can end.

    Where Bokio no longer accepts our access none can go on, but those that are being worked on.
    """
    moving = Q(state="running")
    if connection.state == State.ACTIVE:
        moving |= Q(state="ready", lane__lt=READINGS)
    return connection.flows.filter(moving).count()


def go_on(leaving_id: int) -> None:
    """Take the next step with a company that is leaving, unless somebody else is at it."""
    leaving = Leaving.objects.select_related("connection").get(pk=leaving_id)
    if not leaving.is_open or not _lease(leaving):
        return
    if leaving.stage == Leaving.Stage.EMPTYING and not _is_emptied(leaving):
        return
    if leaving.stage != Leaving.Stage.CLOSING:
        return
    try:
        remote = _end_at_bokio(leaving)
    except BokioError as error:
        _try_later(leaving, error)
    else:
        _end_here(leaving, remote)


def _lease(leaving: Leaving) -> bool:
    """Keep others off this row for a while; False if somebody was quicker."""
    until = clock.now() + LEASE
    mine = Leaving.objects.filter(
        pk=leaving.pk, stage=leaving.stage, not_before=leaving.not_before
    ).update(not_before=until)
    leaving.not_before = until
    return bool(mine)


def _is_emptied(leaving: Leaving) -> bool:
    """Whether work has come to rest; then nothing more is sent for the company."""
    with transaction.atomic():
        # A claim locks this row too, so no work begins while we look.
        connection = Connection.objects.select_for_update(no_key=True).get(pk=leaving.connection_id)
        fresh = Leaving.objects.get(pk=leaving.pk)
        if fresh.stage != Leaving.Stage.EMPTYING:
            return False
        if connection.state == State.ENDED:
            _close(leaving, Leaving.Stage.DONE)
            return False
        if work_left(connection):
            _look_again(leaving, after=timedelta(seconds=settings.FLOW_SWEEP_EVERY))
            return False
        Connection.objects.filter(pk=connection.pk).update(
            state=State.ENDING, refresh_owner=None, refresh_until=None
        )
        Leaving.objects.filter(pk=leaving.pk).update(stage=Leaving.Stage.CLOSING)
        work_over.send(Connection, connection=connection)
    leaving.stage = Leaving.Stage.CLOSING
    return True


def _end_at_bokio(leaving: Leaving) -> str:
    """End the connection at Bokio and say what became of it. Raises what the calls raise."""
    connection = Connection.objects.get(pk=leaving.connection_id)
    if connection.is_private:
        return Leaving.Remote.NONE
    remote_id = connection.remote_id or general.ask(lambda api: _find(api, connection.company_id))
    if remote_id is None or (leaving.tries and general.ask(lambda api: _is_gone(api, remote_id))):
        return Leaving.Remote.GONE
    if is_used_elsewhere(connection, remote_id):
        return Leaving.Remote.KEPT
    leaving.tries += 1
    Leaving.objects.filter(pk=leaving.pk).update(tries=leaving.tries)
    return general.ask(lambda api: _delete(api, remote_id))


def _delete(api: Connections, remote_id: UUID) -> str:
    try:
        api.delete(remote_id)
    except NotFound:
        return Leaving.Remote.GONE
    except Forbidden:
        return Leaving.Remote.REFUSED
    return Leaving.Remote.ENDED


def is_used_elsewhere(connection: Connection, remote_id: UUID) -> bool:
    """Whether another live connection here stands on the same one of Bokio's, which keeps one
    for each company: ending it would end that one too. So would it be once somebody has connected
    this very company again.
    """
    if not Connection.objects.filter(pk=connection.pk, state=State.ENDING).exists():
        return True
    others = Connection.objects.exclude(pk=connection.pk).exclude(state=State.ENDED)
    return others.filter(
        Q(remote_id=remote_id) | Q(company_id=connection.company_id, is_proven=True)
    ).exists()


def _find(api: Connections, company_id: UUID) -> UUID | None:
    return next((each.id for each in api.list(tenant_id=company_id)), None)


def _is_gone(api: Connections, remote_id: UUID) -> bool:
    try:
        api.get(remote_id)
    except NotFound:
        return True
    return False


def _end_here(leaving: Leaving, remote: str) -> None:
    """Erase the tokens and end the connection; flows, books and audit trail stay."""
    with transaction.atomic():
        connection = Connection.objects.select_for_update(no_key=True).get(pk=leaving.connection_id)
        if connection.state != State.ENDING:  # connected again, or ended in another way
            Leaving.objects.filter(pk=leaving.pk, stage__in=OPEN).update(
                stage=Leaving.Stage.CALLED_OFF, ended_at=clock.now()
            )
            return
        erase(connection)
        _close(leaving, Leaving.Stage.DONE, remote=remote)
        work_over.send(Connection, connection=connection)
        _record("connection.disconnected", connection, by=leaving.asked_by, at_bokio=remote)
    log.info("connection_ended connection=%s at_bokio=%s", connection.pk, remote)


def erase(connection: Connection) -> None:
    """End the connection and erase its tokens, in the caller's transaction."""
    Connection.objects.filter(pk=connection.pk).update(
        state=State.ENDED, blocked_until=None, blocked_by=""
    )
    TokenGrant.objects.filter(connection=connection).delete()


def _close(leaving: Leaving, stage: str, *, remote: str = "") -> None:
    Leaving.objects.filter(pk=leaving.pk).update(
        stage=stage, remote=remote, failure="", ended_at=clock.now()
    )


def _try_later(leaving: Leaving, error: BokioError) -> None:
    """Bokio could not be asked, or did not answer: the next try reads first."""
    pause = min(FIRST_PAUSE * 2 ** min(leaving.tries, 12), LONGEST_PAUSE)
    told = timedelta(seconds=error.retry_after or 0)
    failure = error.code or type(error).__name__
    Leaving.objects.filter(pk=leaving.pk).update(failure=failure[:60])
    _look_again(leaving, after=max(pause * settings.TIME_FACTOR, told))
    log.warning("disconnect_in_vain connection=%s error=%s", leaving.connection_id, failure)


def _look_again(leaving: Leaving, *, after: timedelta) -> None:
    Leaving.objects.filter(pk=leaving.pk, not_before=leaving.not_before).update(
        not_before=clock.now() + after
    )


def _record(action: str, connection: Connection, *, by: User | None, **data: object) -> None:
    record(
        action,
        tenant=connection.tenant_id,
        subject="connection",
        subject_id=connection.pk,
        actor=by,
        company=str(connection.company_id),
        **data,
    )
