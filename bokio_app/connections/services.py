"""Connecting a company: the way out to Bokio's consent page, and the way back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from bokio_app.audit.services import record
from bokio_app.bokio.errors import BokioError
from bokio_app.bokio.oauth import InvalidGrant, OAuthRefused, Tokens
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User

from . import (
    company_access,
    disconnecting,
    features,
    invitations,
    private_tokens,
    standing,
    takeover,
)
from .causes import Cause
from .grants import oauth_app, store
from .models import ConnectAttempt, Connection, Invitation, Kind, State
from .signals import consent_given, look_wanted, reading_wanted

ATTEMPT_LIFETIME = timedelta(minutes=10)
SCOPES = features.USUAL


class ConnectFailed(Exception):
    """The consent did not lead to a company that the person sees. Subclasses say why.

    `invitation_id` names the invitation by which the consent was begun, if it was.
    """

    invitation_id: UUID | None = None


class Refused(ConnectFailed):
    """The person said no on Bokio's consent page."""


class UnknownState(ConnectFailed):
    """No such consent was begun here, or it was begun in another browser or by another person."""


class StateUsed(ConnectFailed):
    """This way back was taken before: a reloaded or copied address."""


class StateExpired(ConnectFailed):
    """The consent took longer than ten minutes."""


class CodeRefused(ConnectFailed):
    """Bokio did not take the code: spent, too old, or not ours."""


class BokioUnreachable(ConnectFailed):
    """Bokio did not answer the exchange. The code may be spent, so the consent starts over."""


class AnotherCompany(ConnectFailed):
    """A consent that was asked for one company came back with another."""


class CompanyTaken(ConnectFailed):
    """Another workspace connected the company at the very same moment."""


class InvitationOver(ConnectFailed):
    """The invitation was used, withdrawn or too old by the time of the consent."""


class NotGiven(ConnectFailed):
    """The company is here, its consent is renewed, and this member may not see it."""


@dataclass(frozen=True)
class Connected:
    """The result of a consent. `already` is true when the company was connected here before;
    `back_to` is empty, or where Bokio's marketplace wants the person led back to.
    """

    connection: Connection
    already: bool
    back_to: str = ""
    invitation_id: UUID | None = None


def redirect_uri() -> str:
    """The address registered at Bokio, to which consents return."""
    return f"{settings.APP_URL}/bokio/callback"


def start_connect(
    tenant: Tenant,
    *,
    by: User,
    browser: str,
    connection: Connection | None = None,
    company_id: UUID | None = None,
    scopes: Sequence[str] = SCOPES,
    back_to: str = "",
    more: Sequence[str] = (),
) -> str:
    """Begin a consent and return the address of Bokio's consent page.

    `browser` is the session key: only that browser may come back. With `company_id`, the
    consent must be for that company; with `connection`, for that one's, and it is asked for what is
    always needed, and `more`. What a company here has given is asked for again, or the new consent
    would lose it. `back_to` is an allowed address of Bokio's, or empty.
    """
    if connection:
        company_id, scopes = connection.company_id, features.NEEDED
    elif company_id:
        mine = Connection.objects.filter(tenant=tenant, company_id=company_id, is_proven=True)
        connection = mine.exclude(state=State.ENDED).first()
    given = connection.scopes if connection else []
    scopes = list(dict.fromkeys((*scopes, *given, *more)))
    attempt = ConnectAttempt(
        tenant=tenant, user=by, company_id=company_id, scopes=scopes, back_to=back_to
    )
    return _begin(attempt, browser=browser)


def start_invited(invitation: Invitation, *, browser: str) -> str:
    """Begin the consent of somebody who was invited. Returns the address of the consent page."""
    attempt = ConnectAttempt(
        tenant=invitation.tenant, invitation=invitation, scopes=invitation.scopes
    )
    return _begin(attempt, browser=browser)


def _begin(attempt: ConnectAttempt, *, browser: str) -> str:
    state = secrets.token_urlsafe(32)
    ConnectAttempt.objects.filter(expires_at__lt=clock.now() - timedelta(days=1)).delete()
    attempt.state_hash, attempt.browser_hash = _hash(state), _hash(browser)
    attempt.expires_at = clock.now() + ATTEMPT_LIFETIME
    attempt.save(force_insert=True)
    return oauth_app().authorize_url_for(
        state=state,
        redirect_uri=redirect_uri(),
        scopes=attempt.scopes,
        company_id=attempt.company_id,
    )


def finish_connect(
    *, by: User | None, browser: str, state: str, code: str, error: str
) -> Connected:
    """Take the way back from Bokio: consume the state, exchange the code, keep the tokens.

    `by` is who is signed in: without them, only an invited may come back. This is the one call
    to Bokio that a page makes. Raises a `ConnectFailed`.
    """
    attempt = _find(by=by, browser=browser, state=state)
    try:
        _consume(attempt)
        if error or not code:
            raise Refused if error == "access_denied" else CodeRefused
        if attempt.invitation is None:
            return _exchanged(attempt, code)
        if not invitations.claim(attempt.invitation):
            raise InvitationOver
        try:
            return _exchanged(attempt, code)
        except ConnectFailed:
            invitations.release(attempt.invitation)
            raise
    except ConnectFailed as failure:
        failure.invitation_id = attempt.invitation_id
        raise


def _exchanged(attempt: ConnectAttempt, code: str) -> Connected:
    try:
        tokens = oauth_app().exchange(code=code, redirect_uri=redirect_uri())
    except (InvalidGrant, OAuthRefused):
        raise CodeRefused from None
    except BokioError:
        raise BokioUnreachable from None
    if tokens.company_id is None:
        raise CodeRefused
    if attempt.company_id not in {None, tokens.company_id}:
        raise AnotherCompany
    return _keep(attempt, tokens, company_id=tokens.company_id)


def read_again(connection: Connection, *, by: User) -> None:
    """Have the company, its accounts and its customers read anew; once a minute at most."""
    occasion = f"asked {clock.now():%Y-%m-%d %H:%M}"
    with transaction.atomic():
        reading_wanted.send(Connection, connection=connection, by=by, occasion=occasion)


def look_again(connection: Connection, *, by: User) -> None:
    """Try at once what is at rest by our own choice: a person says that the cause is over. What
    Bokio has told us to wait for is waited for.
    """
    with transaction.atomic():
        lifted = Connection.objects.filter(
            pk=connection.pk, state=State.ACTIVE, hindered_by__in=(Cause.PLAN, Cause.PAUSED)
        ).update(blocked_until=None, blocked_by="")
        if lifted:
            look_wanted.send(Connection, connection=connection)
    read_again(connection, by=by)


def _find(*, by: User | None, browser: str, state: str) -> ConnectAttempt:
    theirs = Q(user=by, tenant__members__user=by) if by else Q(pk=None)
    attempt = (
        ConnectAttempt.objects.select_related("tenant", "user", "invitation__created_by")
        .filter(theirs | Q(invitation__isnull=False))
        .filter(state_hash=_hash(state), browser_hash=_hash(browser), tenant__closed_at=None)
        .first()
    )
    if attempt is None:
        raise UnknownState
    return attempt


def _consume(attempt: ConnectAttempt) -> None:
    """Claim the attempt atomically, so that two callbacks cannot spend one code."""
    if not ConnectAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=clock.now()):
        raise StateUsed
    if attempt.expires_at < clock.now():
        raise StateExpired


def _keep(attempt: ConnectAttempt, tokens: Tokens, *, company_id: UUID) -> Connected:
    try:
        with transaction.atomic():
            connection, already = _connection_for(attempt, tokens, company_id=company_id)
            store(connection, tokens, after=connection.generation)
            _take_in(connection, attempt, tokens, already=already)
            consent_given.send(Connection, connection=connection)
            occasion = f"consent {connection.generation}"
            reading_wanted.send(
                Connection, connection=connection, by=attempt.user, occasion=occasion
            )
    except IntegrityError:
        # Another consent for the same company was kept a moment before this one.
        raise CompanyTaken from None
    if attempt.user_id and not company_access.may_see(connection, user=attempt.user_id):
        raise NotGiven
    connection.refresh_from_db()
    return Connected(
        connection=connection,
        already=already,
        back_to=attempt.back_to,
        invitation_id=attempt.invitation_id,
    )


def _take_in(
    connection: Connection, attempt: ConnectAttempt, tokens: Tokens, *, already: bool
) -> None:
    """Let the connection work by this consent, and say so in the audit trail."""
    Connection.objects.filter(pk=connection.pk).update(
        state=State.ACTIVE,
        kind=Kind.CONSENT,
        remote_id=tokens.connection_id,
        scopes=attempt.scopes,
        blocked_until=None,
        blocked_by="",
    )
    record(
        "connection.renewed" if already else "connection.connected",
        tenant=connection.tenant_id,
        subject="connection",
        subject_id=connection.pk,
        actor=attempt.user_id,
        company=str(connection.company_id),
        **({"invitation": str(attempt.invitation_id)} if attempt.invitation_id else {}),
    )
    private_tokens.give_up(connection)
    disconnecting.call_off(connection)
    standing.is_given(connection, attempt.scopes)
    standing.recovered(connection)
    if not already:
        company_access.give_to_maker(connection, by=connection.created_by_id)
    if attempt.invitation:
        Invitation.objects.filter(pk=attempt.invitation.pk).update(connection=connection)


def _connection_for(
    attempt: ConnectAttempt, tokens: Tokens, *, company_id: UUID
) -> tuple[Connection, bool]:
    live = (
        Connection.objects.select_for_update(no_key=True)
        .filter(company_id=company_id, is_proven=True)
        .exclude(state=State.ENDED)
        .first()
    )
    if live and live.tenant_id == attempt.tenant_id:
        return live, True
    if live:
        takeover.give_up(live)
    made = Connection.objects.create(
        tenant=attempt.tenant,
        company_id=company_id,
        remote_id=tokens.connection_id,
        state=State.BROKEN,  # until its tokens are stored, a few lines later
        created_by=attempt.invitation.created_by if attempt.invitation else attempt.user,
    )
    if live:
        takeover.tell(live, made)
    return made, False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
