"""Which of our connections Bokio still has: found out by its list, a hundred in a call.

What the list lacks is asked for by itself, and then its own tokens are renewed. Only Bokio's
refusal of those proves that it was ended there: the list may be another integration's, and no
answer, another refusal and a fault of Bokio's prove nothing. Connections that
nobody uses are renewed now and then, so that their refresh tokens live and a dead one is found
before anybody needs it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from bokio_app.bokio.connections import Connections
from bokio_app.bokio.errors import BokioError, NotFound
from bokio_app.core import clock

from . import general, grants
from .causes import Cause
from .models import Connection, Kind, RollCall, State, TokenGrant

log = logging.getLogger(__name__)

KEPT = timedelta(days=90)
LONGEST = timedelta(hours=1)  # of one comparison
OLDEST_PAIR = timedelta(days=7)  # of tokens: an idle connection is renewed at this age or before
MOST_IN_VAIN = 3  # renewals in a row; one waits for up to two deadlines
SPREAD = 1000  # places in the second half of that week, one of which each connection has


def is_due() -> bool:
    """Whether this period's comparison has not begun, or was cut off."""
    now = clock.now()
    return not RollCall.objects.filter(period=_period(now)).exclude(_cut_off(now)).exists()


def take() -> RollCall | None:
    """Compare, once in a period; None if it is done, or another worker is at it.

    Where Bokio does not answer it is tried again by whoever asks next. Raises `BokioError`.
    """
    now = clock.now()
    roll, is_mine = RollCall.objects.get_or_create(period=_period(now), defaults={"begun_at": now})
    if not is_mine and not RollCall.objects.filter(_cut_off(now), pk=roll.pk).update(begun_at=now):
        return None
    try:
        _compare(roll)
    except BaseException:
        roll.delete()
        raise
    RollCall.objects.filter(begun_at__lt=now - KEPT).delete()
    return roll


def renew_idle() -> int:
    """Renew the tokens of connections that nobody has used for long; how many were due.

    Each has a day of its own in the second half of the week, so that they spread over it. While
    Bokio is away the rest waits for the next time: each would hold up mails and what is leaving.
    """
    now = clock.now()
    idle = TokenGrant.objects.select_related("connection").filter(
        generation=F("connection__generation"),
        connection__state=State.ACTIVE,
        connection__kind=Kind.CONSENT,
        received_at__lt=now - OLDEST_PAIR / 2,
    )
    due = [each for each in idle if each.received_at < now - _age(each.connection_id)]
    in_vain = 0
    for grant in due:
        try:
            grants.access(grant.connection, worn=grant.generation)
        except (BokioError, grants.NeedsConsent, grants.RefreshUnderWay) as error:
            log.info("idle_not_renewed connection=%s error=%s", grant.connection_id, type(error))
            in_vain = in_vain + 1 if isinstance(error, BokioError) else 0
        else:
            in_vain = 0
        if in_vain == MOST_IN_VAIN:
            break
    return len(due)


def _cut_off(now: datetime) -> Q:
    """A comparison whose worker has died: none takes so long."""
    return Q(ended_at=None, begun_at__lt=now - LONGEST * settings.TIME_FACTOR)


def _age(connection_id: UUID) -> timedelta:
    """How old the tokens of an idle connection become."""
    place = connection_id.int % SPREAD / SPREAD
    return OLDEST_PAIR / 2 * (1 + place)


def _period(moment: datetime) -> int:
    return int(moment.timestamp() // settings.CONNECTIONS_CHECK_EVERY)


def _compare(roll: RollCall) -> None:
    # Ours first: one that comes while Bokio lists is in the list, or was not asked about.
    ours = Connection.objects.filter(
        state=State.ACTIVE, kind=Kind.CONSENT, remote_id__isnull=False
    ).only("pk", "tenant_id", "company_id", "remote_id", "generation", "is_proven")
    asked = {each.remote_id: each for each in ours if each.remote_id}
    listed = general.ask(lambda api: {each.id for each in api.list()})
    missing = 0
    for remote_id in asked.keys() - listed:
        if general.ask(partial(_is_there, remote_id)):
            continue
        missing += _is_over(asked[remote_id])
    roll.listed, roll.missing, roll.ended_at = len(listed), missing, clock.now()
    roll.save()


def _is_over(connection: Connection) -> bool:
    """Whether Bokio refuses the connection's own tokens as well, so that it is broken now. Where
    it takes them, we have asked with credentials that do not see the connection.
    """
    try:
        grants.access(connection, worn=connection.generation, means=Cause.DISCONNECTED)
    except grants.NeedsConsent:
        return True
    except (BokioError, grants.RefreshUnderWay) as error:
        log.info("missing_not_proved connection=%s error=%s", connection.pk, type(error))
    else:
        log.warning("missing_but_alive connection=%s", connection.pk)
    return False


def is_gone(connection: Connection) -> bool:
    """Whether Bokio itself says that it has the connection no longer: no answer is none."""
    try:
        if connection.remote_id:
            return not general.ask(partial(_is_there, connection.remote_id))
        return not general.ask(lambda api: any(api.list(tenant_id=connection.company_id)))
    except BokioError as error:
        log.info("not_known_whether_gone connection=%s error=%s", connection.pk, type(error))
        return False


def _is_there(remote_id: UUID, api: Connections) -> bool:
    try:
        api.get(remote_id)
    except NotFound:
        return False
    return True
