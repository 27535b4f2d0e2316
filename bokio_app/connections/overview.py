"""A company's connection as people see it: how it stands, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bokio_app.core import clock
from bokio_app.core.personal import without_last_four
from bokio_app.tenants.models import Tenant

from . import usage
from .models import Connection, State
from .queries import live, matching
from .services import SCOPES

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from bokio_app.ledger.models import FiscalYear

PLAN_CODES = {"PlanRequired", "price_plan_feature_required"}
QUOTA_CODES = {"QuotaExceeded", "quota-exceeded"}
PAGE = 100


@dataclass(frozen=True)
class Health:
    """How a connection stands. `state` names a glyph; `until` says when a wait ends."""

    state: str
    word: str
    cause: str = ""
    until: datetime | None = None

    @property
    def needs_person(self) -> bool:
        return self.state == "needs"


@dataclass(frozen=True)
class Company:
    """A row of the list: the connection with what is known of it."""

    connection: Connection
    health: Health
    org_number: str
    scopes: int
    year: FiscalYear | None

    @property
    def id_text(self) -> str:
        """The connection's id, to be joined into addresses."""
        return str(self.connection.pk)

    @property
    def scopes_wanted(self) -> int:
        return len(SCOPES)

    @property
    def lacks_scope(self) -> bool:
        return self.scopes < self.scopes_wanted


@dataclass(frozen=True)
class Permission:
    """One line of what we ask Bokio for."""

    title: StrPromise
    reason: StrPromise
    extent: StrPromise
    scopes: tuple[str, ...]


READ, WRITE = gettext_lazy("read"), gettext_lazy("read, write")
PERMISSIONS = (
    Permission(
        gettext_lazy("Invoices"),
        gettext_lazy("Create drafts, publish, record, register payments"),
        WRITE,
        ("invoices:read", "invoices:write"),
    ),
    Permission(
        gettext_lazy("Credit notes"),
        gettext_lazy("Take an invoice back, publish and record that"),
        WRITE,
        ("credit-notes:read", "credit-notes:write"),
    ),
    Permission(
        gettext_lazy("Customers"),
        gettext_lazy("Choose and create them for invoices"),
        WRITE,
        ("customers:read", "customers:write"),
    ),
    Permission(
        gettext_lazy("Journal entries"),
        gettext_lazy("Compare what was expected with what was recorded"),
        READ,
        ("journal-entries:read",),
    ),
    Permission(
        gettext_lazy("Chart of accounts"),
        gettext_lazy("Check that accounts exist before anything is sent"),
        READ,
        ("chart-of-accounts:read",),
    ),
    Permission(
        gettext_lazy("Fiscal years"),
        gettext_lazy("Check dates and the accounting method"),
        READ,
        ("fiscal-years:read",),
    ),
    Permission(
        gettext_lazy("Company information"),
        gettext_lazy("Name and organisation number"),
        READ,
        ("company-information:read",),
    ),
)


def health(connection: Connection, *, waiting: int = 0) -> Health:
    """How the connection stands; `waiting` is how many runs wait for it."""
    if connection.state == State.BROKEN:
        return Health("needs", _("Needs reconnecting"), _refused(waiting))
    if connection.state == State.ENDED:
        return Health("cancelled", _("Disconnected"))
    if rest := resting(connection):
        return rest
    return Health("works", _("Works"))


def _resting(code: str, until: datetime) -> Health:
    """Why nothing is sent for the company; by Bokio's code for it, or ours."""
    if code in PLAN_CODES:
        cause = _("The company's plan at Bokio does not include the API.")
        return Health("needs", _("The plan does not allow it"), cause)
    if code.startswith(usage.BREAKER):
        cause = _(
            "Bokio has refused the same request several times in a row (%(refusal)s). "
            "We send nothing for a while, since refused requests are counted."
        ) % {"refusal": code.removeprefix(usage.BREAKER).strip()}
        return Health("waiting", _("Paused"), cause, until=until)
    cause = _("Bokio asked us to wait.")
    if code in QUOTA_CODES:
        cause = _("The company's quota of calls at Bokio is spent.")
    elif code.lower().startswith("version"):
        cause = _("Bokio rehearses the end of this version of its API.")
    return Health("waiting", _("Waiting for Bokio"), cause, until=until)


def resting(connection: Connection) -> Health | None:
    """How a company stands for which nothing is sent at the moment; None for any other."""
    until = connection.blocked_until
    if not connection.is_active or until is None or until <= clock.now():
        return None
    return _resting(connection.blocked_by, until)


def _refused(waiting: int) -> str:
    refused = _("Bokio no longer accepts our access.")
    if not waiting:
        return refused
    runs = ngettext("%(count)d run waits.", "%(count)d runs wait.", waiting)
    return f"{refused} {runs % {'count': waiting}}"


def standings(tenant: Tenant, *, text: str = "") -> list[tuple[Connection, Health]]:
    """All companies and how each stands, those that need a person first.

    `text` narrows by name or number.
    """
    waiting = waiting_runs(tenant)
    found = [
        (each, health(each, waiting=waiting.get(each.pk, 0)))
        for each in matching(live(tenant), text)
    ]
    order = {"needs": 0, "waiting": 1}
    return sorted(found, key=lambda pair: order.get(pair[1].state, 2))


def companies_of(pairs: Iterable[tuple[Connection, Health]]) -> list[Company]:
    """The rows of a list, in its order; one query for all of them."""
    shown = list(pairs)
    prefetch_related_objects([connection for connection, _health in shown], "fiscal_years")
    return [_company(connection, standing) for connection, standing in shown]


def company_of(connection: Connection, *, waiting: int = 0) -> Company:
    """What is known of one connection. Fiscal years that are prefetched are not read again."""
    return _company(connection, health(connection, waiting=waiting))


def _company(connection: Connection, standing: Health) -> Company:
    return Company(
        connection=connection,
        health=standing,
        org_number=without_last_four(connection.org_number),
        scopes=len(set(SCOPES) & set(connection.scopes)),
        year=_current([year for year in connection.fiscal_years.all() if year.is_open]),
    )


def waiting_runs(tenant: Tenant) -> dict[object, int]:
    """How many runs wait for a new consent, by connection."""
    parked = tenant.flows.filter(state="parked").values("connection")
    return dict(parked.annotate(count=Count("pk")).values_list("connection", "count"))


def _current(years: list[FiscalYear]) -> FiscalYear | None:
    """The open year of today, else the latest open one; `years` are open, oldest first."""
    today = clock.today()
    holding = (year for year in years if year.start <= today <= year.end)
    return next(holding, years[-1] if years else None)
