"""Companies that let us in by a token of a private integration, made in Bokio and pasted here.

Such a token has no refresh and no known end. It is kept as a consent's are, but until a worker
has read the company with it the connection is not proven: it stands in no list, and takes no
company's place, so that nobody can hold a company by pasting nonsense.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.bokio.oauth import Tokens
from bokio_app.tenants.models import Tenant, User

from . import company_access, disconnecting, standing
from .grants import store
from .models import Connection, Kind, State, TokenGrant
from .signals import consent_given, private_token_pasted, reading_wanted

LASTING = timedelta(days=36500)  # Bokio publishes no end


class AlreadyConnected(Exception):
    """The workspace has the company already, by consent or by a token that works."""


class NotPrivate(Exception):
    """The connection was not made by a token."""


def paste(tenant: Tenant, *, company_id: UUID, token: str, by: User) -> Connection:
    """Keep the token and have a worker try it. Raises `AlreadyConnected`."""
    same = tenant.connections.filter(company_id=company_id).exclude(state=State.ENDED)
    with transaction.atomic():
        if same.filter(is_proven=True).exists():
            raise AlreadyConnected
        connection = same.filter(is_proven=False, created_by=by).first()
        if connection is None:
            connection = Connection.objects.create(
                tenant=tenant,
                company_id=company_id,
                kind=Kind.PRIVATE,
                is_proven=False,
                state=State.BROKEN,  # until its token is stored, a few lines later
                created_by=by,
            )
            company_access.give_to_maker(connection, by=by.pk)
        _keep(connection, token, by=by)
    return connection


def replace(connection: Connection, *, token: str, by: User) -> None:
    """Give the connection a new token, which a worker tries first; waiting runs then go on.

    Raises `NotPrivate`.
    """
    with transaction.atomic():
        locked = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if locked.kind != Kind.PRIVATE or locked.state == State.ENDED:
            raise NotPrivate
        _keep(locked, token, by=by)


def prove(connection_id: UUID, *, by: User | None) -> bool:
    """The token opens the company: take the connection into the lists. In the transaction of
    whoever has read it. False if somebody else holds the company; then the token is erased.
    """
    connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    if connection.is_proven:
        standing.recovered(connection)
        return True
    others = Connection.objects.filter(company_id=connection.company_id, is_proven=True)
    if others.exclude(state=State.ENDED).exists():
        Connection.objects.filter(pk=connection.pk).update(state=State.ENDED)
        TokenGrant.objects.filter(connection=connection).delete()
        _record("connection.token_not_used", connection, by=by)
        return False
    Connection.objects.filter(pk=connection.pk).update(is_proven=True)
    _record("connection.connected", connection, by=by)
    occasion = f"token {connection.generation}"
    reading_wanted.send(Connection, connection=connection, by=by, occasion=occasion)
    return True


def give_up(connection: Connection) -> None:
    """End what the workspace is trying by token for a company that it has now by consent, in the
    transaction that keeps the consent.
    """
    trying = Connection.objects.filter(
        tenant=connection.tenant_id, company_id=connection.company_id, is_proven=False
    )
    TokenGrant.objects.filter(connection__in=trying).delete()
    trying.update(state=State.ENDED)


def _keep(connection: Connection, token: str, *, by: User) -> None:
    tokens = Tokens(
        access_token=token,
        refresh_token=None,
        expires_in=int(LASTING.total_seconds()),
        company_id=connection.company_id,
        connection_id=None,
    )
    store(connection, tokens, after=connection.generation)
    disconnecting.call_off(connection)
    Connection.objects.filter(pk=connection.pk).update(
        state=State.ACTIVE, blocked_until=None, blocked_by=""
    )
    _record("connection.token_pasted", connection, by=by)
    private_token_pasted.send(Connection, connection=connection, by=by)
    consent_given.send(Connection, connection=connection)


def _record(action: str, connection: Connection, *, by: User | None) -> None:
    record(
        action,
        tenant=connection.tenant_id,
        subject="connection",
        subject_id=connection.pk,
        actor=by,
        company=str(connection.company_id),
    )
