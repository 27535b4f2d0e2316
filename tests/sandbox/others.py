"""A second integration in the same company, for what only the first one may do."""

import base64
from collections.abc import Sequence
from urllib.parse import urlencode

from tests.sandbox.conftest import Api
from tests.support.sandbox import ALL_SCOPES

BANK_SCOPES = ("bank-payments:read-limited", "bank-payments:write")


def another_integration(api: Api, name: str = "Kassaflödet") -> Api:
    """The same company in the hands of a private integration of this name."""
    body = {"name": name, "scopes": list(ALL_SCOPES)}
    made = api.sandbox.control("POST", f"companies/{api.company_id}/private-tokens", body)
    return Api(api.sandbox, api.company_id, made["token"])


def another_application(api: Api, scopes: Sequence[str]) -> Api:
    """The same company in the hands of another public application, connected with the scopes."""
    redirect_uri = "http://127.0.0.1:8000/other/callback"
    made = api.sandbox.control(
        "POST", "applications", {"name": "Betalraden", "redirectUris": [redirect_uri]}
    )
    consent = {"companyId": api.company_id, "clientId": made["clientId"], "scopes": list(scopes)}
    code = api.sandbox.control("POST", "authorize", consent)["code"]
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    pair = f"{made['clientId']}:{made['clientSecret']}".encode()
    reply = api.sandbox.request(
        "POST",
        "/v1/token",
        body=urlencode(fields).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(pair).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    return Api(api.sandbox, api.company_id, reply.json["access_token"])
