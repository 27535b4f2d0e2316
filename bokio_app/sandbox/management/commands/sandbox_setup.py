"""`manage.py sandbox_setup`: put applications, people, companies and private tokens into the books.

Works beside a running sandbox as well as before its first start. Prints one JSON object.
"""

import json
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bokio_app.sandbox import oauth, registration, store
from bokio_app.sandbox.models import Company, Person, Plan

Options = dict[str, Any]


class Command(BaseCommand):
    help = "Set the sandbox's scene: an application, a person, a company or a private token."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        _ask_for_application(kinds.add_parser("application", help="a public integration"))
        _ask_for_company(kinds.add_parser("company", help="a company with empty books"))
        person = kinds.add_parser("person", help="somebody who can sign in")
        person.add_argument("--name", required=True)
        person.add_argument("--email", required=True)
        person.add_argument("--company", action="append", default=[], help="id; may be repeated")
        token = kinds.add_parser("private-token", help="a private integration of a company")
        token.add_argument("--name", required=True)
        token.add_argument("--company", required=True, help="id")
        token.add_argument("--scope", action="append", default=[], help="default: every scope")

    def handle(self, *_: Any, **options: Any) -> None:
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        try:
            with store.write():
                store.load_state()
                made = _MAKERS[options["kind"]](options)
        except ValueError as wrong:
            raise CommandError(str(wrong)) from wrong
        print(json.dumps(made, ensure_ascii=False, indent=2))


def _ask_for_application(parser: ArgumentParser) -> None:
    parser.add_argument("--name", required=True)
    parser.add_argument("--redirect-uri", action="append", required=True, help="may be repeated")
    parser.add_argument("--connect-url", default="")
    parser.add_argument("--disconnect-url", default="")
    parser.add_argument("--bank-payments", action="store_true", help="approved for them")
    parser.add_argument("--client-id", type=uuid.UUID, help="default: a new one")
    parser.add_argument("--client-secret", default="", help="default: a new one")


def _ask_for_company(parser: ArgumentParser) -> None:
    parser.add_argument("--name", required=True)
    parser.add_argument("--org-number", default="", help="default: one made up")
    parser.add_argument("--type", default="limitedCompany")
    parser.add_argument("--plan", choices=Plan.values, default=Plan.PLUS.value)
    parser.add_argument("--integrations-addon", action="store_true")
    parser.add_argument("--method", choices=registration.METHODS, default="accrual")
    parser.add_argument("--first-year", type=int, help="default: the last year")
    parser.add_argument("--automatic-recording", action="store_true")
    parser.add_argument("--rounding", action="store_true", help="totals to whole kronor")
    parser.add_argument("--bank-account", action="store_true", help="has a business account")
    parser.add_argument("--person", action="append", default=[], help="e-mail; may be repeated")


def _application(options: Options) -> Options:
    made = registration.register(
        name=options["name"],
        redirect_uris=options["redirect_uri"],
        connect_url=options["connect_url"],
        disconnect_url=options["disconnect_url"],
        approved_for_bank_payments=options["bank_payments"],
        client_id=options["client_id"],
        secret=options["client_secret"],
    )
    return {"clientId": str(made.application.client_id), "clientSecret": made.secret}


def _company(options: Options) -> Options:
    row = registration.new_company(
        name=options["name"],
        org_number=options["org_number"],
        company_type=options["type"],
        plan=options["plan"],
        integrations_addon=options["integrations_addon"],
        method=options["method"],
        first_year=options["first_year"],
        automatic_recording=options["automatic_recording"],
        whole_krona_rounding=options["rounding"],
        has_bank_account=options["bank_account"],
        people=_people(options["person"]),
    )
    return {"id": str(row.uuid), "name": row.name, "orgNumber": row.org_number}


def _person(options: Options) -> Options:
    row = registration.new_person(
        name=options["name"],
        email=options["email"],
        companies=[_company_of(given) for given in options["company"]],
    )
    return {"id": str(row.uuid), "name": row.name, "email": row.email}


def _private_token(options: Options) -> Options:
    made = registration.private_token(
        company=_company_of(options["company"]),
        name=options["name"],
        scopes=options["scope"] or oauth.SCOPES,
    )
    return {"token": made.token, "connectionId": str(made.connection.uuid)}


def _company_of(given: str) -> Company:
    row = Company.objects.filter(uuid=uuid.UUID(given)).first()
    if row is None:
        raise ValueError(f"There is no company {given}")
    return row


def _people(emails: list[str]) -> list[Person]:
    found = list(Person.objects.filter(email__in=emails))
    if missing := set(emails) - {person.email for person in found}:
        raise ValueError(f"Nobody has the e-mail address {', '.join(sorted(missing))}")
    return found


_MAKERS: dict[str, Callable[[Options], Options]] = {
    "application": _application,
    "company": _company,
    "person": _person,
    "private-token": _private_token,
}
