"""Demo companies from a number: the same number and day give the same books."""

import datetime as dt
import random
import uuid
from collections.abc import Callable

from django.apps import apps
from django.conf import settings
from django.db import connections
from stdnum import luhn

from bokio_app.sandbox import clock, oauth, store
from bokio_app.sandbox.models import (
    AccessToken,
    Account,
    Application,
    Company,
    Customer,
    FiscalYear,
    Person,
    State,
)
from bokio_app.sandbox.seed import history as past
from bokio_app.sandbox.seed import names

DEFAULT_NUMBER = 2024
FIRST_YEAR = 2024
APPLICATION_NAME = "bokio_app"
KEPT_IN_PART = (AccessToken, Application, State)


def reset(*, companies: int, history: int, number: int) -> None:
    """Delete all books and people, and seed anew. Registered applications stay."""
    _forget()
    plant(companies=companies, history=history, number=number)


def _forget() -> None:
    """Empty the tables, of which tests do thousands: the models' own deletion looks at each row.

    Public applications stay, and so do the tokens that belong to them and to no connection.
    """
    with connections[store.alias()].cursor() as cursor:
        for model in apps.get_app_config("sandbox").get_models(include_auto_created=True):
            if model not in KEPT_IN_PART:
                table = model._meta.db_table  # noqa: SLF001  # Django's documented interface
                cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608  # a name of our own
    AccessToken.objects.exclude(connection=None).delete()
    private = Application.objects.exclude(private_to=None)
    if private.exists():
        private.delete()


def plant(*, companies: int, history: int, number: int) -> None:
    """Create so many companies; the second (or the only one) gets `history` past invoices."""
    draw = random.Random(number)  # noqa: S311  # demo data, meant to be repeatable
    people = [
        Person.objects.create(uuid=_uuid(draw), name=name, email=email)
        for name, email in names.PEOPLE
    ]
    busy = min(names.BUSY_COMPANY, companies - 1)
    for place in range(companies):
        company = _company(draw, place)
        people[0].companies.add(company)
        if place != busy:
            people[1].companies.add(company)
        if place == busy and history:
            customers = _customers(draw, company, 24)
            past.write(draw, company, customers, history)
        elif place > 0:
            _customers(draw, company, 4)


def register_application() -> None:
    """Keep the one application that the environment names, if it names any."""
    if not settings.SANDBOX_CLIENT_ID:
        return
    Application.objects.update_or_create(
        client_id=uuid.UUID(settings.SANDBOX_CLIENT_ID),
        defaults={
            "name": APPLICATION_NAME,
            "secret_hash": oauth.digest(settings.SANDBOX_CLIENT_SECRET),
            "redirect_uris": settings.SANDBOX_REDIRECT_URIS,
        },
    )


def _uuid(draw: random.Random) -> uuid.UUID:
    return uuid.UUID(int=draw.getrandbits(128), version=4)


def org_number(draw: random.Random, first: str = "55") -> str:
    """An organisation number with its Luhn check digit; the third digit is at least 2."""
    digits = first + str(draw.randint(6, 9)) + "".join(str(draw.randint(0, 9)) for _ in range(6))
    return f"{digits[:6]}-{digits[6:]}{luhn.calc_check_digit(digits)}"


def vat_number(org: str) -> str:
    return f"SE{org.replace('-', '')}01"


def _company(draw: random.Random, place: int) -> Company:
    name, kind, email, phone, street, postal_code, town = names.COMPANIES[
        place % len(names.COMPANIES)
    ]
    if place >= len(names.COMPANIES):
        name = f"{name} {place + 1}"
    company = Company.objects.create(
        uuid=_uuid(draw),
        name=name,
        company_type=kind,
        org_number=org_number(draw, "96" if kind == "partnership" else "55"),
        email=email,
        phone=phone,
        address={
            "line1": street,
            "line2": None,
            "city": town,
            "postalCode": postal_code,
            "country": "SE",
        },
    )
    open_books(company, first_year=FIRST_YEAR, new_id=lambda: _uuid(draw))
    return company


def open_books(
    company: Company,
    *,
    first_year: int,
    method: str = "accrual",
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
) -> None:
    """Give the company its chart of accounts, and calendar years from the first to the next."""
    Account.objects.bulk_create(
        Account(
            company=company,
            number=number,
            name=title,
            receives_payments=number in names.PAYMENT_ACCOUNTS,
        )
        for number, title in names.ACCOUNTS.items()
    )
    FiscalYear.objects.bulk_create(
        FiscalYear(
            uuid=new_id(),
            company=company,
            start=dt.date(year, 1, 1),
            end=dt.date(year, 12, 31),
            method=method,
        )
        for year in range(first_year, clock.today().year + 2)
    )


def _customers(draw: random.Random, company: Company, count: int) -> list[Customer]:
    made: list[Customer] = []
    for _ in range(count):
        org = org_number(draw)
        postal_code, town = draw.choice(names.TOWNS)
        name = f"{draw.choice(names.CUSTOMER_FIRST)} {draw.choice(names.CUSTOMER_LAST)}"
        made.append(
            Customer(
                uuid=_uuid(draw),
                company=company,
                name=name,
                type="company",
                org_number=org,
                vat_number=vat_number(org),
                payment_terms=draw.choice(("10", "20", "30")),
                address={
                    "line1": f"{draw.choice(names.STREETS)} {draw.randint(1, 80)}",
                    "line2": None,
                    "city": town,
                    "postalCode": postal_code,
                    "country": "SE",
                },
            )
        )
    Customer.objects.bulk_create(made)
    return made
