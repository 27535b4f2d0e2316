"""Setting the scene: applications, private integrations, people and companies.

The command `sandbox_setup`, the control API and the pages all come here. Every function runs
inside the caller's `store.write()` and raises `ValueError` with a sentence for what cannot be.
"""

import random
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bokio_app.sandbox import clock, oauth
from bokio_app.sandbox.models import (
    AccessToken,
    Application,
    Company,
    Connection,
    Person,
    Plan,
)
from bokio_app.sandbox.seed.seed import open_books
from bokio_app.sandbox.seed.seed import org_number as made_up_org_number

METHODS = ("accrual", "cash")
LONGEST_NAME = 80
ADDRESS = {
    "line1": "Storgatan 1",
    "line2": None,
    "city": "Göteborg",
    "postalCode": "411 01",
    "country": "SE",
}


@dataclass(frozen=True)
class Registered:
    """An application and its secret, which is kept nowhere and can be shown this once."""

    application: Application
    secret: str


@dataclass(frozen=True)
class PrivateToken:
    """A private integration and its lasting bearer token, which can be shown this once."""

    connection: Connection
    token: str


def _named(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(f"The name must have between 1 and {LONGEST_NAME} characters")
    return name


def _address(given: str, what: str) -> str:
    """An absolute address a browser can be sent to; empty stays empty."""
    given = given.strip()
    if not given:
        return ""
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or "#" in given:
        raise ValueError(f"{what} must begin with http:// or https:// and have no fragment")
    return given


def register(
    *,
    name: str,
    redirect_uris: Sequence[str],
    connect_url: str = "",
    disconnect_url: str = "",
    approved_for_bank_payments: bool = False,
    client_id: uuid.UUID | None = None,
    secret: str = "",
) -> Registered:
    """Register an application as in Bokio's developer portal.

    `client_id` and `secret` are made up where not given. A known client id is changed instead.
    """
    secret = secret or secrets.token_urlsafe(32)
    application, _ = Application.objects.update_or_create(
        client_id=client_id or uuid.uuid4(),
        defaults={
            "secret_hash": oauth.digest(secret),
            **described(
                name=name,
                redirect_uris=redirect_uris,
                connect_url=connect_url,
                disconnect_url=disconnect_url,
                approved_for_bank_payments=approved_for_bank_payments,
            ),
        },
    )
    return Registered(application, secret)


def described(
    *,
    name: str,
    redirect_uris: Sequence[str],
    connect_url: str = "",
    disconnect_url: str = "",
    approved_for_bank_payments: bool = False,
) -> dict[str, object]:
    """The checked columns of a public application, without its credentials."""
    uris = [_address(uri, "A redirect address") for uri in redirect_uris if uri.strip()]
    if not uris:
        raise ValueError("An application needs a redirect address")
    return {
        "name": _named(name),
        "redirect_uris": list(dict.fromkeys(uris)),
        "connect_url": _address(connect_url, "The connect address"),
        "disconnect_url": _address(disconnect_url, "The disconnect address"),
        "approved_for_bank_payments": approved_for_bank_payments,
    }


def renew_secret(application: Application) -> str:
    """Give the application another secret; the old one stops working."""
    secret = secrets.token_urlsafe(32)
    application.secret_hash = oauth.digest(secret)
    application.save(update_fields=["secret_hash"])
    return secret


def private_token(
    *, company: Company, name: str, scopes: Sequence[str] = oauth.SCOPES
) -> PrivateToken:
    """Make a private integration of the company, with a token that lasts until it is deleted.

    Deleting its connection ends the token. The elevated scopes are not among those it gets.
    """
    granted = [scope for scope in scopes if scope not in oauth.ELEVATED_SCOPES]
    if unknown := sorted(set(scopes) - set(oauth.SCOPES)):
        raise ValueError(f"There is no scope {', '.join(unknown)}")
    application = Application.objects.create(
        client_id=uuid.uuid4(), name=_named(name), private_to=company
    )
    connection = Connection.objects.create(
        application=application, company=company, scopes=granted, created_at=clock.now()
    )
    token = secrets.token_urlsafe(40)
    AccessToken.objects.create(
        token_hash=oauth.digest(token),
        application=application,
        connection=connection,
        scopes=granted,
    )
    return PrivateToken(connection, token)


def new_person(*, name: str, email: str, companies: Sequence[Company] = ()) -> Person:
    """Somebody who can sign in, and works in these companies."""
    if "@" not in email:
        raise ValueError("A person needs an e-mail address")
    person = Person.objects.create(name=_named(name), email=email.strip())
    person.companies.set(companies)
    return person


def new_company(
    *,
    name: str,
    org_number: str = "",
    company_type: str = "limitedCompany",
    plan: str = Plan.PLUS.value,
    integrations_addon: bool = False,
    method: str = "accrual",
    first_year: int | None = None,
    automatic_recording: bool = False,
    whole_krona_rounding: bool = False,
    has_bank_account: bool = False,
    people: Sequence[Person] = (),
) -> Company:
    """A company with a chart of accounts, and calendar years open from `first_year` to the next.

    Without an `org_number` it gets one that nobody has; without a `first_year`, the last year.
    """
    if method not in METHODS:
        raise ValueError(f"The accounting method must be one of {', '.join(METHODS)}")
    this_year = clock.today().year
    first = this_year - 1 if first_year is None else first_year
    if not this_year - 10 <= first <= this_year:
        raise ValueError("The first fiscal year must be this one, or at most ten years ago")
    company = Company.objects.create(
        name=_named(name),
        org_number=org_number.strip() or made_up_org_number(random.SystemRandom()),
        company_type=company_type,
        plan=Plan(plan),
        has_integrations_addon=integrations_addon,
        automatic_recording=automatic_recording,
        whole_krona_rounding=whole_krona_rounding,
        has_bank_account=has_bank_account,
        address=ADDRESS,
    )
    company.people.set(people)
    open_books(company, first_year=first, method=method)
    return company
