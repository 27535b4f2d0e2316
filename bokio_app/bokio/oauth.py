"""OAuth 2.0 as Bokio speaks it: the consent address and the three grants.

Authlib writes the consent address and the form bodies. Its ready-made client is not used: it is
a connection pool of its own that renews tokens by itself, while here a token is renewed by
whoever holds the lease, over the shared client, with the deadline and the answers of `http`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import parse_qsl
from uuid import UUID

import httpx2
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request

from bokio_app.bokio import transport
from bokio_app.bokio.answers import Answer
from bokio_app.bokio.errors import BokioError, OutcomeUnknown, Verdict, classify
from bokio_app.bokio.http import checked_address, exchange
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.wire import BodyError

LIFETIME: Final = 3600  # seconds, if the answer does not tell; what Bokio documents


class InvalidGrant(BokioError):
    """The code or refresh token is spent, expired or withdrawn: the company must consent anew."""

    verdict = Verdict.RECONNECT


class OAuthRefused(BokioError):
    """Bokio refused the token request for a reason of ours, such as wrong client credentials."""


@dataclass(frozen=True)
class Tokens:
    """What a grant gave. `expires_in` is in seconds from the answer.

    `company_id` and `connection_id` are None for the General API, and so is `refresh_token`,
    which may also be None when Bokio means the old one to stay in use. `tenant_type` is
    `company` or `general`. The scopes are not told: they are the ones that were asked for.
    Whether it is the expected company is for the caller to compare. The repr keeps secrets.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    company_id: UUID | None
    connection_id: UUID | None
    tenant_type: str = ""

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a token answer; lenient where it can be, for a token thrown away is lost."""
        read = Fields(data)
        if _text(read, "token_type").lower() not in {"", "bearer"}:
            raise BodyError("the token is no bearer token")
        return cls(
            access_token=read.word("access_token"),
            refresh_token=read.text("refresh_token") or None,
            expires_in=_seconds(read),
            company_id=_uuid(read, "tenant_id"),
            connection_id=_uuid(read, "connection_id"),
            tenant_type=_text(read, "tenant_type"),
        )


class OAuthApp:
    """This integration as registered at Bokio. Safe to use from many threads.

    `timeout` is the deadline of one token request in seconds. Every grant raises `NotSent`,
    `OutcomeUnknown`, `InvalidGrant`, `OAuthRefused`, or for other statuses what any call raises.
    """

    def __init__(
        self,
        api_url: str,
        authorize_url: str,
        client_id: str,
        client_secret: str,
        *,
        client: httpx2.Client | None = None,
        timeout: float = 20.0,
    ) -> None:
        self._token_url = f"{checked_address(api_url)}/token"
        self._authorize_url = authorize_url
        self._client_id = str(client_id)
        self._client_secret = client_secret
        self._client = client
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"OAuthApp({self._client_id!r})"

    def authorize_url_for(
        self,
        *,
        state: str,
        redirect_uri: str,
        scopes: Sequence[str],
        company_id: UUID | None = None,
    ) -> str:
        """The address to send the browser to. With `company_id`, Bokio preselects that company."""
        chosen = (
            {"bokio_tenantid": str(company_id), "bokio_tenanttype": "company"} if company_id else {}
        )
        return str(
            prepare_grant_uri(
                self._authorize_url,
                self._client_id,
                "code",
                redirect_uri=redirect_uri,
                scope=" ".join(scopes),
                state=state,
                **chosen,
            )
        )

    def exchange(self, *, code: str, redirect_uri: str) -> Tokens:
        """Trade the code of a callback for tokens. Not repeatable: the code is spent."""
        return self._ask("authorization_code", code=code, redirect_uri=redirect_uri)

    def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token for a new pair. Store the pair before using it.

        After `OutcomeUnknown` one more try does no harm; after that only consent helps.
        """
        return self._ask("refresh_token", refresh_token=refresh_token)

    def client_credentials(self) -> Tokens:
        """Get a token for the General API. Repeatable."""
        return self._ask("client_credentials")

    def _ask(self, grant_type: str, **fields: str) -> Tokens:
        form = dict(parse_qsl(prepare_token_request(grant_type, **fields)))
        secret = base64.b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode()
        answer = exchange(
            self._client or transport.shared_client(),
            "POST",
            self._token_url,
            headers={
                "Authorization": f"Basic {secret}",
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=str(httpx2.QueryParams(form)).encode(),
            deadline=self._timeout,
        )
        if not 200 <= answer.status < 300:
            raise _refusal(answer)
        try:
            return Tokens.from_json(answer.json())
        except BodyError as unfit:
            raise OutcomeUnknown(
                f"The token answer was of no use: {unfit}", status=answer.status
            ) from None


def _refusal(answer: Answer) -> BokioError:
    """Tell what a refused grant means, by its code alone: descriptions may quote the request."""
    error = classify(answer)
    kind = type(error)
    if answer.status in {400, 401}:
        kind = InvalidGrant if error.code == "invalid_grant" else OAuthRefused
    return kind(
        f"{answer.status}: {error.code or 'the token request was refused'}",
        code=error.code,
        error_id=error.error_id,
        status=answer.status,
        retry_after=error.retry_after,
    )


def _seconds(read: Fields) -> int:
    try:
        seconds = read.integer_or_none("expires_in")
    except BodyError:
        return LIFETIME
    return seconds if seconds is not None and seconds > 0 else LIFETIME


def _text(read: Fields, key: str) -> str:
    try:
        return read.text(key)
    except BodyError:
        return ""


def _uuid(read: Fields, key: str) -> UUID | None:
    try:
        return read.uuid_or_none(key)
    except BodyError:
        return None
