"""Connecting a company: the way out to Bokio's consent page, and the way back."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from bokio_app.audit.services import record
from bokio_app.bokio.errors import BokioError
from bokio_app.bokio.oauth import InvalidGrant, OAuthRefused, Tokens
from bokio_app.core import clock
from bokio_app.tenants.models import Tenant, User

from .grants import oauth_app, store
from .models import ConnectAttempt, Connection, State
from .signals import consent_given, reading_wanted

ATTEMPT_LIFETIME = timedelta(minutes=10)
SCOPES = (
    "company-information:read",
    "fiscal-years:read",
    "chart-of-accounts:read",
    "customers:read",
    "customers:write",
    "invoices:read",
    "invoices:write",
    "credit-notes:read",
    "credit-notes:write",
    "journal-entries:read",
)


class ConnectFailed(Exception):
    """The consent did not lead to a connection; nothing was kept. Subclasses say why."""


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
    """A reconnect came back with a company other than the one it was for."""


class CompanyTaken(ConnectFailed):
    """The company is connected to another workspace."""


@dataclass(frozen=True)
class Connected:
    """The result of a consent. `already` is true when the company was connected here before."""

    connection: Connection
    already: bool


def redirect_uri() -> str:
    """The address registered at Bokio, to which consents return."""
    return f"{settings.APP_URL}/bokio/callback"


def start_connect(
    tenant: Tenant, *, by: User, browser: str, connection: Connection | None = None
) -> str:
    """Begin a consent and return the address of Bokio's consent page.

    `browser` is the session key: only that browser may come back. With `connection`, the
    consent must be for the same company.
    """
    state = secrets.token_urlsafe(32)
    company_id = connection.company_id if connection else None
    ConnectAttempt.objects.filter(expires_at__lt=clock.now() - timedelta(days=1)).delete()
    ConnectAttempt.objects.create(
        state_hash=_hash(state),
        browser_hash=_hash(browser),
        tenant=tenant,
        user=by,
        company_id=company_id,
        scopes=list(SCOPES),
        expires_at=clock.now() + ATTEMPT_LIFETIME,
    )
    return oauth_app().authorize_url_for(
        state=state, redirect_uri=redirect_uri(), scopes=SCOPES, company_id=company_id
    )


def finish_connect(*, by: User, browser: str, state: str, code: str, error: str) -> Connected:
    """Take the way back from Bokio: consume the state, exchange the code, keep the tokens.

    This is the one call to Bokio that a page makes. Raises a `ConnectFailed`.
    """
    attempt = _consume(by=by, browser=browser, state=state)
    if error or not code:
        raise Refused if error == "access_denied" else CodeRefused
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


def _consume(*, by: User, browser: str, state: str) -> ConnectAttempt:
    """Claim the attempt atomically, so that two callbacks cannot spend one code."""
    attempt = ConnectAttempt.objects.filter(
        state_hash=_hash(state), browser_hash=_hash(browser), user=by, tenant__members__user=by
    ).first()
    if attempt is None:
        raise UnknownState
    if not ConnectAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=clock.now()):
        raise StateUsed
    if attempt.expires_at < clock.now():
        raise StateExpired
    return attempt


def _keep(attempt: ConnectAttempt, tokens: Tokens, *, company_id: UUID) -> Connected:
    try:
        with transaction.atomic():
            connection, already = _connection_for(attempt, tokens, company_id=company_id)
            store(connection, tokens, after=connection.generation)
            Connection.objects.filter(pk=connection.pk).update(
                state=State.ACTIVE,
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
                company=str(company_id),
            )
            consent_given.send(Connection, connection=connection)
            occasion = f"consent {connection.generation}"
            reading_wanted.send(
                Connection, connection=connection, by=attempt.user, occasion=occasion
            )
    except IntegrityError:
        # Another consent for the same company was kept a moment before this one.
        raise CompanyTaken from None
    connection.refresh_from_db()
    return Connected(connection=connection, already=already)


def _connection_for(
    attempt: ConnectAttempt, tokens: Tokens, *, company_id: UUID
) -> tuple[Connection, bool]:
    live = (
        Connection.objects.select_for_update()
        .filter(company_id=company_id)
        .exclude(state=State.ENDED)
        .first()
    )
    if live is None:
        made = Connection.objects.create(
            tenant=attempt.tenant,
            company_id=company_id,
            remote_id=tokens.connection_id,
            state=State.BROKEN,  # until its tokens are stored, a few lines later
            created_by=attempt.user,
        )
        return made, False
    if live.tenant_id != attempt.tenant_id:
        raise CompanyTaken
    return live, True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
