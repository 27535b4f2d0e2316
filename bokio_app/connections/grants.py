"""Tokens: keep, hand out, refresh. One refresh at a time, the new pair committed before use."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db import connection as database
from django.db.models import Q

from bokio_app.bokio.errors import BokioError, NotSent, OutcomeUnknown
from bokio_app.bokio.oauth import InvalidGrant, OAuthApp, Tokens
from bokio_app.core import clock

from . import standing
from .causes import Cause
from .models import Connection, State, TokenGrant

log = logging.getLogger(__name__)

FRESH_ENOUGH = timedelta(minutes=5)
LAST_USE = timedelta(seconds=30)
DEADLINE = timedelta(seconds=20)  # of one call for tokens
SHORTEST_DEADLINE = timedelta(seconds=2)  # however fast the tests' time runs: a pair is at stake
LEASE_MARGIN = timedelta(seconds=18)  # beyond two calls to their deadlines: 60 s in all
SECOND_TRY = timedelta(seconds=2)  # after a refresh without an answer
REST = timedelta(seconds=5)  # after a refresh in vain, before anybody tries again
SAVING_AGAIN = (0.2, 1.0, 5.0, 15.0)  # seconds before a pair that could not be saved is, again
KEPT_GRANTS = 3


class NeedsConsent(Exception):
    """Bokio no longer accepts our tokens for this company; a person must connect it again."""


class RefreshUnderWay(Exception):
    """Another worker is refreshing the token, and the old one is too old to use meanwhile."""


class WrongCompany(NeedsConsent):
    """Bokio answered a refresh with tokens of another company: they are not kept."""


@dataclass(frozen=True)
class Access:
    """A usable access token and the generation it belongs to."""

    token: str = field(repr=False)
    generation: int
    expires_at: datetime

    def is_good(self, *, worn: int) -> bool:
        """Whether it can be used again without asking `access`, unless a newer pair has come.

        `worn` is a generation that Bokio has refused.
        """
        return self.generation > worn and self.expires_at - clock.now() > FRESH_ENOUGH


def oauth_app() -> OAuthApp:
    """Our application as Bokio knows it."""
    return OAuthApp(
        api_url=settings.BOKIO_API_URL,
        authorize_url=settings.BOKIO_AUTHORIZE_URL,
        client_id=settings.BOKIO_CLIENT_ID,
        client_secret=settings.BOKIO_CLIENT_SECRET,
        timeout=_deadline().total_seconds(),
    )


def store(connection: Connection, tokens: Tokens, *, after: int) -> TokenGrant:
    """Commit a pair as the generation after `after` and point the connection at it.

    Never depends on who holds the refresh lease: a rotated token is never thrown away.
    Raises `IntegrityError` if that generation exists already.
    """
    row = TokenGrant.sealed(
        connection,
        generation=after + 1,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or "",
        expires_at=clock.now() + timedelta(seconds=tokens.expires_in),
    )
    row.save(force_insert=True)
    Connection.objects.filter(pk=connection.pk, generation=after).update(
        generation=after + 1, refresh_owner=None, refresh_until=None
    )
    connection.generation = after + 1
    TokenGrant.objects.filter(
        connection=connection, generation__lte=after + 1 - KEPT_GRANTS
    ).delete()
    return row


def access(connection: Connection, *, worn: int = 0, means: Cause = Cause.REVOKED) -> Access:
    """A token to call Bokio with, refreshed first when it is about to expire.

    `worn` is a generation that Bokio has refused: its token is not handed out again. `means` is
    why the connection breaks if Bokio refuses the refresh.
    Raises `NeedsConsent`, `RefreshUnderWay`, or what the call to Bokio raised.
    """
    grant = newest(connection)
    left = grant.expires_at - clock.now()
    refused = grant.generation <= worn
    if refused and grant.connection.is_private:
        # It cannot be renewed: it was replaced or revoked in Bokio.
        break_connection(connection, generation=grant.generation, cause=Cause.TOKEN_REFUSED)
        raise NeedsConsent
    if left > FRESH_ENOUGH and not refused:
        return Access(grant.access_token, grant.generation, grant.expires_at)
    if owner := _lease(connection, grant.generation):
        grant = _refresh(connection, grant, owner=owner, refused=refused, means=means)
    elif left <= LAST_USE or refused:
        raise RefreshUnderWay
    return Access(grant.access_token, grant.generation, grant.expires_at)


def access_of(grant: TokenGrant) -> Access | None:
    """The token of the newest pair, or None when it must be refreshed first."""
    if grant.expires_at - clock.now() <= FRESH_ENOUGH:
        return None
    return Access(grant.access_token, grant.generation, grant.expires_at)


def newest(connection: Connection) -> TokenGrant:
    """The pair in use. Raises `NeedsConsent` for a connection that is not active."""
    grant = (
        TokenGrant.objects.select_related("connection")
        .filter(connection=connection, connection__state=State.ACTIVE)
        .order_by("-generation")
        .first()
    )
    if grant is None:
        raise NeedsConsent
    return grant


def _lease(connection: Connection, generation: int) -> uuid.UUID | None:
    """Win the right to refresh this generation, or None while another worker has it."""
    now, owner = clock.now(), uuid.uuid4()
    won = Connection.objects.filter(
        Q(refresh_until__isnull=True) | Q(refresh_until__lt=now),
        pk=connection.pk,
        generation=generation,
        state=State.ACTIVE,  # a token that was refused since we looked is not sent once more
    ).update(
        refresh_owner=owner,
        refresh_until=now + 2 * _deadline() + _scaled(SECOND_TRY + LEASE_MARGIN),
    )
    return owner if won else None


def _deadline() -> timedelta:
    return max(_scaled(DEADLINE), SHORTEST_DEADLINE)


def _scaled(duration: timedelta) -> timedelta:
    """A duration of ours, not of the tokens', in this installation's time."""
    return duration * settings.TIME_FACTOR


def _rest(connection: Connection, owner: uuid.UUID) -> None:
    """Let nobody refresh for a while: Bokio does not answer, and each try may spend the token."""
    Connection.objects.filter(pk=connection.pk, refresh_owner=owner).update(
        refresh_owner=None, refresh_until=clock.now() + _scaled(REST)
    )


def _refresh(
    connection: Connection, grant: TokenGrant, *, owner: uuid.UUID, refused: bool, means: Cause
) -> TokenGrant:
    """The new pair; or, where Bokio gives none just now, the old one for the time that is left of
    it, unless its token was refused: used again, that would look like a lost consent.
    """
    try:
        tokens = _call_twice_at_most(grant)
    except InvalidGrant:
        later = newest(connection)
        if later.generation > grant.generation:
            return later
        break_connection(connection, generation=grant.generation, cause=means)
        raise NeedsConsent from None
    except BokioError:
        _rest(connection, owner)
        if not refused and grant.expires_at > clock.now() + LAST_USE:
            return grant
        raise
    _require_same_company(connection, tokens, generation=grant.generation)
    return _kept(connection, _keeping_refresh(tokens, grant), after=grant.generation)


def _call_twice_at_most(grant: TokenGrant) -> Tokens:
    """Refresh; after a lost answer send the same token once more, which cannot make it worse."""
    app, refresh_token = oauth_app(), grant.refresh_token
    try:
        return app.refresh(refresh_token)
    except (OutcomeUnknown, NotSent):
        time.sleep(_scaled(SECOND_TRY).total_seconds())
        return app.refresh(refresh_token)


def _kept(connection: Connection, tokens: Tokens, *, after: int) -> TokenGrant:
    """Commit the pair, even if the database goes away meanwhile: it exists nowhere else.

    If another worker has called the connection broken because its refresh came second, this
    pair proves that it is not.
    """
    for pause in SAVING_AGAIN:
        try:
            return _kept_now(connection, tokens, after=after)
        except (DatabaseError, InterfaceError):
            log.warning("pair_not_saved_yet connection=%s", connection.pk)
            database.close()
            time.sleep(_scaled(timedelta(seconds=pause)).total_seconds())
    return _kept_now(connection, tokens, after=after)


def _kept_now(connection: Connection, tokens: Tokens, *, after: int) -> TokenGrant:
    with transaction.atomic():
        locked = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if locked.state == State.ENDED:
            raise NeedsConsent  # a person has disconnected the company: no token of it is kept
        latest = TokenGrant.objects.filter(connection=connection).latest("generation")
        if latest.generation > after:
            # Of another worker, of a new consent, or ours, and only its commit was unconfirmed.
            return latest
        row = store(connection, tokens, after=after)
        Connection.objects.filter(pk=connection.pk, state=State.BROKEN).update(state=State.ACTIVE)
        standing.recovered(connection)
        return row


def _keeping_refresh(tokens: Tokens, grant: TokenGrant) -> Tokens:
    if tokens.refresh_token:
        return tokens
    return Tokens(
        access_token=tokens.access_token,
        refresh_token=grant.refresh_token,
        expires_in=tokens.expires_in,
        company_id=tokens.company_id,
        connection_id=tokens.connection_id,
    )


def _require_same_company(connection: Connection, tokens: Tokens, *, generation: int) -> None:
    if tokens.company_id not in {None, connection.company_id}:
        log.error("refresh_wrong_company connection=%s", connection.pk)
        break_connection(connection, generation=generation, cause=Cause.OTHER_COMPANY)
        raise WrongCompany


def break_connection(
    connection: Connection, *, generation: int, cause: Cause = Cause.REVOKED
) -> None:
    """Mark that a new consent is needed, unless a newer pair has come meanwhile."""
    standing.broke(connection, generation=generation, cause=cause)


def block(
    connection: Connection, *, until: datetime, code: str, cause: Cause = Cause.TOLD_TO_WAIT
) -> None:
    """Remember that Bokio asked us to wait: no worker calls for this company before then.

    A longer wait that is known already stays, with its cause.
    """
    shorter = Q(blocked_until__isnull=True) | Q(blocked_until__lt=until)
    if Connection.objects.filter(shorter, pk=connection.pk).update(
        blocked_until=until, blocked_by=code
    ):
        standing.hindered(connection, cause)
