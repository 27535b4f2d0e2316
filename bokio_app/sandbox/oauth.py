"""OAuth of the sandbox: codes, tokens and what becomes of them."""

import base64
import binascii
import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from bokio_app.sandbox import clock, switches
from bokio_app.sandbox.api.registry import Audience, Context, operation
from bokio_app.sandbox.models import (
    AccessToken,
    Application,
    AuthorizationCode,
    Company,
    Connection,
    Person,
    RefreshToken,
)
from bokio_app.sandbox.wire import Answer, json_answer

SCOPES = (
    "company-information:read",
    "fiscal-years:read",
    "chart-of-accounts:read",
    "customers:read",
    "customers:write",
    "items:read",
    "items:write",
    "invoices:read",
    "invoices:write",
    "credit-notes:read",
    "credit-notes:write",
    "journal-entries:read",
    "journal-entries:write",
    "uploads:read",
    "uploads:write",
    "suppliers:read",
    "suppliers:write",
    "supplier-invoices:read",
    "supplier-invoices:write",
    "tags:read",
    "tags:write",
    "sie:read",
    "bank-payments:read-limited",
    "bank-payments:write",
)
ELEVATED_SCOPES = frozenset({"bank-payments:read-limited", "bank-payments:write"})
"""Only for applications that Bokio has reviewed and approved."""


@dataclass(eq=False)
class OAuthError(Exception):
    """A refusal in the words of RFC 6749."""

    error: str
    description: str
    status: int = 400

    def answer(self) -> Answer:
        body = {"error": self.error, "error_description": self.description}
        headers = {"Cache-Control": "no-store"}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        return json_answer(body, self.status, headers)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def grantable(application: Application, wanted: str) -> tuple[str, ...]:
    """The scopes of a request for authorization, each once. Raises `OAuthError`."""
    scopes = tuple(dict.fromkeys(wanted.split()))
    if not scopes and switches.current().no_scope_means_all:
        approved = application.approved_for_bank_payments
        return tuple(scope for scope in SCOPES if approved or scope not in ELEVATED_SCOPES)
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise OAuthError("invalid_scope", f"Unknown scope: {' '.join(unknown)}")
    elevated = [scope for scope in scopes if scope in ELEVATED_SCOPES]
    if elevated and not application.approved_for_bank_payments:
        raise OAuthError("invalid_scope", f"Not approved for: {' '.join(elevated)}")
    return scopes


def public_application(client_id: str) -> Application:
    """The application that may ask for consent under this id. Raises `OAuthError`."""
    try:
        found = Application.objects.filter(client_id=uuid.UUID(client_id), private_to=None).first()
    except ValueError:
        found = None
    if found is None:
        raise OAuthError("invalid_client", "client_id is unknown")
    return found


def bearer_digest(headers: Mapping[str, str]) -> str:
    """The digest of the bearer token in the headers; empty if there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    value = value.strip()
    return digest(value) if value and scheme.lower() == "bearer" else ""


def allow(
    *,
    application: Application,
    company: Company,
    person: Person | None,
    scopes: Sequence[str],
    redirect_uri: str,
) -> str:
    """Connect the company (or renew its leave) and return a code for one token request."""
    connection, _ = Connection.objects.update_or_create(
        application=application,
        company=company,
        defaults={"person": person, "scopes": list(scopes)},
        create_defaults={
            "person": person,
            "scopes": list(scopes),
            "created_at": clock.now(),
            "uuid": uuid.uuid4(),
        },
    )
    code = secrets.token_urlsafe(32)
    AuthorizationCode.objects.create(
        code_hash=digest(code),
        connection=connection,
        redirect_uri=redirect_uri,
        scopes=list(scopes),
        expires_at=clock.now() + dt.timedelta(minutes=switches.CODE_MINUTES),
    )
    return code


@operation("POST", "/token", "request-token", audience=Audience.OPEN)
def token(context: Context) -> Answer:
    """Answer the three grants. Every refusal keeps the form of RFC 6749."""
    try:
        application = _client(context.call.headers)
        form = dict(parse_qsl(context.call.body.decode("utf-8", "replace")))
        grant = form.get("grant_type", "")
        if not grant:
            raise OAuthError("invalid_request", "grant_type is required")
        if grant not in _GRANTS:
            raise OAuthError("unsupported_grant_type", "The grant type is not supported")
        body = _GRANTS[grant](application, form)
    except OAuthError as refusal:
        return refusal.answer()
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _client(headers: Mapping[str, str]) -> Application:
    """The application of the Basic credentials, or a 401."""
    refused = OAuthError("invalid_client", "The client credentials are wrong", 401)
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise refused
    try:
        user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        application = Application.objects.filter(client_id=uuid.UUID(user)).first()
    except (binascii.Error, ValueError):
        raise refused from None
    if application is None:
        raise refused
    # RFC 6749 has the secret encoded like a form before it goes into the header; few do that.
    for given in (secret, unquote_plus(secret)):
        if secrets.compare_digest(application.secret_hash, digest(given)):
            return application
    raise refused


def _by_code(application: Application, form: Mapping[str, str]) -> dict[str, Any]:
    """Spend the code. A second use is refused, and revokes nothing."""
    if not form.get("code") or not form.get("redirect_uri"):
        raise OAuthError("invalid_request", "code and redirect_uri are required")
    code = (
        AuthorizationCode.objects.select_related("connection__company")
        .filter(code_hash=digest(form["code"]), connection__application=application)
        .first()
    )
    if code is None or code.spent or code.expires_at <= clock.now():
        raise OAuthError("invalid_grant", "The code is unknown, spent or expired")
    if code.redirect_uri != form["redirect_uri"]:
        raise OAuthError("invalid_grant", "redirect_uri differs from the one of the code")
    code.spent = True
    code.save(update_fields=["spent"])
    return _company_token(code.connection, code.scopes, refresh_token=None)


def _by_refresh(application: Application, form: Mapping[str, str]) -> dict[str, Any]:
    given = form.get("refresh_token", "")
    if not given:
        raise OAuthError("invalid_request", "refresh_token is required")
    values = switches.current()
    row = (
        RefreshToken.objects.select_related("connection__company")
        .filter(token_hash=digest(given), connection__application=application)
        .first()
    )
    allowed_uses = 2 if values.refresh_accepts_previous_once else 1
    if row is None or (values.refresh_rotates and row.uses >= allowed_uses):
        raise OAuthError("invalid_grant", "The refresh token is unknown or spent")
    row.uses += 1
    row.save(update_fields=["uses"])
    kept = None if values.refresh_rotates else given
    return _company_token(row.connection, row.scopes, refresh_token=kept)


def _by_client(application: Application, _form: Mapping[str, str]) -> dict[str, Any]:
    """A general token. A `scope` is accepted and ignored: only Agency scopes exist for it."""
    nobody = {"tenant_id": "", "connection_id": ""}
    return {
        **(nobody if switches.current().general_token_names_nobody else {}),
        "tenant_type": "general",
        "access_token": _access_token(application, None, []),
        "token_type": "bearer",
        "expires_in": switches.ACCESS_TOKEN_SECONDS,
    }


_GRANTS = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh,
    "client_credentials": _by_client,
}


def _company_token(
    connection: Connection, scopes: list[str], *, refresh_token: str | None
) -> dict[str, Any]:
    if refresh_token is None:
        refresh_token = secrets.token_urlsafe(40)
        RefreshToken.objects.create(
            token_hash=digest(refresh_token), connection=connection, scopes=scopes
        )
    return {
        "tenant_id": str(connection.company.uuid),
        "tenant_type": "company",
        "access_token": _access_token(connection.application, connection, scopes),
        "token_type": "bearer",
        "expires_in": switches.ACCESS_TOKEN_SECONDS,
        "refresh_token": refresh_token,
        "connection_id": str(connection.uuid),
    }


def _access_token(
    application: Application, connection: Connection | None, scopes: list[str]
) -> str:
    value = secrets.token_urlsafe(40)
    AccessToken.objects.create(
        token_hash=digest(value),
        application=application,
        connection=connection,
        scopes=scopes,
        expires_at=clock.now() + dt.timedelta(seconds=switches.ACCESS_TOKEN_SECONDS),
    )
    return value
