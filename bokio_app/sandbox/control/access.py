"""Who may use the API: applications, people, private integrations, connections and tokens."""

import uuid

from django.conf import settings

from bokio_app.sandbox import clock, oauth, registration, store
from bokio_app.sandbox.api import shapes
from bokio_app.sandbox.api.quotas import meter
from bokio_app.sandbox.control.asking import UUID, Ask, Missing, Routes, Wrong, company
from bokio_app.sandbox.models import AccessToken, Application, Company, Connection, Usage


def _application(row: Application) -> dict[str, object]:
    return {
        "clientId": str(row.client_id),
        "name": row.name,
        "redirectUris": row.redirect_uris,
        "connectUrl": row.connect_url,
        "disconnectUrl": row.disconnect_url,
        "approvedForBankPayments": row.approved_for_bank_payments,
    }


def _applications(_: Ask) -> object:
    rows = Application.objects.filter(private_to=None).order_by("id")
    return {"applications": [_application(row) for row in rows]}


def _new_application(ask: Ask) -> object:
    """Register an application with `name` and `redirectUris`; its secret is shown this once.

    Optional: `connectUrl`, `disconnectUrl`, `approvedForBankPayments`, `clientId`, `clientSecret`.
    """
    given_id = ask.text("clientId")
    with store.write():
        made = registration.register(
            name=str(ask.body["name"]),
            redirect_uris=ask.texts("redirectUris"),
            connect_url=ask.text("connectUrl"),
            disconnect_url=ask.text("disconnectUrl"),
            approved_for_bank_payments=ask.flag("approvedForBankPayments"),
            client_id=uuid.UUID(given_id) if given_id else None,
            secret=ask.text("clientSecret"),
        )
    return _application(made.application) | {"clientSecret": made.secret}


def _new_person(ask: Ask) -> object:
    """Let somebody in: `name`, `email`, and the ids of the `companies` they work in."""
    with store.write():
        row = registration.new_person(
            name=str(ask.body["name"]),
            email=str(ask.body["email"]),
            companies=list(Company.objects.filter(uuid__in=ask.texts("companies"))),
        )
    return {"id": str(row.uuid), "name": row.name, "email": row.email}


def _new_private_token(ask: Ask) -> object:
    """Make a private integration with `name` and `scopes`; its token is shown this once."""
    with store.write():
        made = registration.private_token(
            company=company(ask.parts[0]),
            name=str(ask.body["name"]),
            scopes=ask.texts("scopes") or oauth.SCOPES,
        )
    return {"token": made.token, "connectionId": str(made.connection.uuid)}


def _authorize(ask: Ask) -> object:
    """A code without a browser: `companyId`, `scopes`, and optionally `redirectUri`, `clientId`.

    Plays Bokio too: elevated scopes are granted without an approval.
    """
    client_id = ask.text("clientId") or settings.SANDBOX_CLIENT_ID
    if not client_id:
        raise Wrong("No application is registered")
    application = oauth.public_application(client_id)
    redirect_uri = str(ask.body.get("redirectUri") or application.redirect_uris[0])
    with store.write():
        owner = company(str(ask.body["companyId"]))
        code = oauth.allow(
            application=application,
            company=owner,
            person=owner.people.first(),
            scopes=[str(scope) for scope in ask.body.get("scopes", oauth.SCOPES)],
            redirect_uri=redirect_uri,
        )
    return {
        "code": code,
        "clientId": str(application.client_id),
        "redirectUri": redirect_uri,
    }


def _revoke(ask: Ask) -> object:
    """End a connection, as a person does on Bokio's side."""
    with store.write():
        if not Connection.objects.filter(uuid=uuid.UUID(ask.parts[0])).delete()[0]:
            raise Missing
    return None


def _connections(_: Ask) -> object:
    rows = Connection.objects.select_related("company").order_by("id")
    return {"connections": [shapes.connection(row) | {"scopes": row.scopes} for row in rows]}


def _expire(ask: Ask) -> object:
    """Let access tokens expire now: those of `companyId`, or all."""
    rows = AccessToken.objects.all()
    if "companyId" in ask.body:
        rows = rows.filter(connection__company=company(str(ask.body["companyId"])))
    with store.write():
        return {"expired": rows.update(expires_at=clock.now())}


def _usage(_: Ask) -> object:
    """Calls and failed calls per connection and day."""
    meter.write()
    rows = Usage.objects.select_related("connection__company").order_by("day", "id")
    return {
        "usage": [
            {
                "connectionId": str(row.connection.uuid),
                "companyId": str(row.connection.company.uuid),
                "day": row.day.isoformat(),
                "calls": row.calls,
                "failed": row.failed,
            }
            for row in rows
        ]
    }


ROUTES: Routes = (
    ("GET", "applications", _applications),
    ("POST", "applications", _new_application),
    ("POST", "people", _new_person),
    ("POST", f"companies/{UUID}/private-tokens", _new_private_token),
    ("POST", "authorize", _authorize),
    ("GET", "connections", _connections),
    ("POST", f"connections/{UUID}/revoke", _revoke),
    ("POST", "tokens/expire", _expire),
    ("GET", "usage", _usage),
)
