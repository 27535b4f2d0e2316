"""How a connection breaks, is hindered and recovers: the row, the audit trail, and word to
whoever listens.

Broken is what only a new consent or token mends. A hindrance is what keeps a sound connection
from working: it ends with the first call that succeeds. A permission that is lacking hinders only
those runs that need it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from bokio_app.audit.services import record
from bokio_app.core import clock

from .causes import FOR_A_PERSON, Cause
from .models import Connection, State
from .signals import connection_broke, connection_recovered

log = logging.getLogger(__name__)

_UNHINDERED = {"hindered_by": "", "hindered_at": None, "hindrance_told": False}


def broke(connection: Connection, *, generation: int, cause: Cause) -> bool:
    """Note that a new consent is needed; False if a newer pair of tokens has come meanwhile."""
    with transaction.atomic():
        changed = Connection.objects.filter(
            pk=connection.pk, generation=generation, state=State.ACTIVE
        ).update(
            state=State.BROKEN,
            broken_by=cause,
            broken_at=clock.now(),
            refresh_owner=None,
            refresh_until=None,
            **_UNHINDERED,
        )
        if changed and connection.is_proven:
            _needs_person("connection.broken", connection, cause)
    if changed:
        log.warning("connection_broken connection=%s cause=%s", connection.pk, cause)
    return bool(changed)


def hindered(connection: Connection, cause: Cause) -> None:
    """Note what keeps a sound connection from working. What passes by itself does not hide what
    needs a person, for it says nothing of that.
    """
    if connection.hindered_by == cause:
        return
    others = Q(pk=connection.pk, state=State.ACTIVE) & ~Q(hindered_by=cause)
    needs_person = cause in FOR_A_PERSON
    if not needs_person:
        others &= ~Q(hindered_by__in=FOR_A_PERSON)
    now = clock.now()
    since = (
        Value(now)
        if needs_person
        else Case(When(hindered_by="", then=Value(now)), default=F("hindered_at"))
    )
    with transaction.atomic():
        changed = Connection.objects.filter(others).update(
            hindered_by=cause,
            hindered_at=since,
            hindrance_told=Value(True) if needs_person else F("hindrance_told"),
        )
        if changed and needs_person and connection.is_proven:
            _needs_person("connection.hindered", connection, cause)
    if changed:
        connection.hindered_by = cause
        log.warning("connection_hindered connection=%s cause=%s", connection.pk, cause)


def eased(connection: Connection) -> None:
    """A call has succeeded: what hindered this connection, when it was loaded, is over."""
    mine = Connection.objects.filter(pk=connection.pk, hindered_by=connection.hindered_by)
    was, connection.hindered_by = connection.hindered_by, ""
    with transaction.atomic():
        if mine.filter(hindrance_told=True).update(**_UNHINDERED):
            _recovered(connection)
        elif not mine.update(**_UNHINDERED):
            return
    log.info("connection_eased connection=%s cause=%s", connection.pk, was)


def lacks(connection: Connection, scopes: Collection[str]) -> None:
    """Note that a run has stopped for want of these permissions; in that run's transaction."""
    row = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    wanted = sorted({*row.lacks, *scopes})
    if wanted == row.lacks:
        return
    Connection.objects.filter(pk=row.pk).update(lacks=wanted)
    if not row.lacks and row.is_proven:
        _needs_person("connection.hindered", row, Cause.SCOPE, scopes=" ".join(wanted))


def is_given(connection: Connection, scopes: Collection[str]) -> None:
    """Note that these permissions are not lacking any more."""
    with transaction.atomic():
        row = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        left = [each for each in row.lacks if each not in scopes]
        if left == row.lacks:
            return
        Connection.objects.filter(pk=row.pk).update(lacks=left)
        if not left and not row.broken_by:
            _recovered(row)


def wants_no_more(connection: Connection) -> None:
    """Note that no run asks any more for what is lacking: nothing has recovered by that."""
    Connection.objects.filter(pk=connection.pk).update(lacks=[])


def recovered(connection: Connection) -> None:
    """Note, in the transaction that finds it out, that Bokio lets us in again, if it did not."""
    changed = (
        Connection.objects.filter(pk=connection.pk)
        .exclude(broken_by="")
        .update(broken_by="", broken_at=None)
    )
    if changed:
        _recovered(connection)


def _needs_person(action: str, connection: Connection, cause: Cause, **data: str) -> None:
    _record(action, connection, cause=cause.value, **data)
    connection_broke.send(Connection, connection=connection, cause=cause)


def _recovered(connection: Connection) -> None:
    _record("connection.recovered", connection)
    connection_recovered.send(Connection, connection=connection)


def _record(action: str, connection: Connection, **data: str) -> None:
    record(
        action,
        tenant=connection.tenant_id,
        subject="connection",
        subject_id=connection.pk,
        actor=None,
        company=str(connection.company_id),
        **data,
    )
