"""A company's connection as people see it: how it stands, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bokio_app.core import clock
from bokio_app.core.personal import without_last_four
from bokio_app.tenants.models import Tenant

from . import features, usage
from .causes import FOR_A_PERSON, TABLE, Act, Cause, Words
from .models import Connection, State
from .queries import live, matching, troubled

if TYPE_CHECKING:
    from bokio_app.ledger.models import FiscalYear

PAGE = 100
WORKS = "works"


@dataclass(frozen=True)
class Health:
    """How a connection stands. `state` names a glyph; `since` says when the cause began, `until`
    when a wait ends; `cure` and `act` say what a person can do.
    """

    state: str
    word: str
    cause: str = ""
    cure: str = ""
    act: Act = Act.NONE
    code: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def needs_person(self) -> bool:
        return self.state == "needs"

    @property
    def told(self) -> str:
        """What happened and what to do, in one piece."""
        return f"{self.cause} {self.cure}"


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
        return len(features.USUAL)

    @property
    def lacks_scope(self) -> bool:
        known = self.connection.scopes or not self.connection.is_private
        return bool(known) and not set(features.NEEDED) <= set(self.connection.scopes)

    @property
    def lacking_query(self) -> str:
        """The query that names what the company is to be asked for."""
        return urlencode([("scope", each) for each in self.connection.lacks])

    @property
    def features(self) -> list[features.Feature]:
        """What the company has allowed."""
        return features.given(self.connection.scopes)


def health(connection: Connection, *, waiting: int = 0) -> Health:
    """How the connection stands; `waiting` is how many runs wait for it."""
    if connection.state == State.BROKEN:
        otherwise = Cause.TOKEN_REFUSED if connection.is_private else Cause.REVOKED
        cause = Cause(connection.broken_by or otherwise)
        return _standing(connection, cause, since=connection.broken_at, waiting=waiting)
    if connection.state == State.ENDING:
        return Health("waiting", _("Being disconnected"), _("Bokio is told that it ends."))
    if connection.state == State.ENDED:
        return Health("cancelled", _("Disconnected"))
    hindrance = _hindrance(connection)
    if connection.lacks and hindrance not in FOR_A_PERSON:
        return _standing(connection, Cause.SCOPE)
    if hindrance:
        return _standing(
            connection, hindrance, since=connection.hindered_at, until=_at_rest_until(connection)
        )
    return Health(WORKS, _("Works"))


def resting(connection: Connection) -> Health | None:
    """How a company stands for which nothing is sent at the moment; None for any other."""
    until = _at_rest_until(connection)
    hindrance = _hindrance(connection)
    if until is None or hindrance is None:
        return None
    return _standing(connection, hindrance, since=connection.hindered_at, until=until)


def _at_rest_until(connection: Connection) -> datetime | None:
    until = connection.blocked_until
    return until if connection.is_active and until and until > clock.now() else None


def _hindrance(connection: Connection) -> Cause | None:
    if connection.hindered_by:
        return Cause(connection.hindered_by)
    return Cause.TOLD_TO_WAIT if _at_rest_until(connection) else None


def _standing(
    connection: Connection,
    cause: Cause,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    waiting: int = 0,
) -> Health:
    words = TABLE[cause]
    happened = str(words.happened)
    if detail := _detail(connection, cause):
        happened += f" ({detail})"
    return Health(
        state="needs" if words.needs_person else "waiting",
        word=words.title,
        cause=_with_runs(happened, waiting),
        cure=str(words.cure),
        act=_act(connection, words),
        code=cause.value,
        since=since,
        until=until,
    )


def _detail(connection: Connection, cause: Cause) -> str:
    """What exactly Bokio refuses: a request by its name, or what features lack a permission."""
    if cause == Cause.PAUSED:
        return connection.blocked_by.removeprefix(usage.BREAKER).strip()
    if cause == Cause.SCOPE:
        return ", ".join(str(each.title) for each in features.lacking(connection.lacks))
    return ""


def _act(connection: Connection, words: Words) -> Act:
    """What helps with this connection: one that has asked for everything, as far as is known,
    asks once more.
    """
    asked_for_all = not connection.scopes or set(connection.lacks) <= set(connection.scopes)
    if words.act is Act.MORE and asked_for_all and not connection.is_private:
        return Act.RECONNECT
    return words.act


def _with_runs(happened: str, waiting: int) -> str:
    if not waiting:
        return happened
    runs = ngettext("%(count)d run waits.", "%(count)d runs wait.", waiting)
    return f"{happened} {runs % {'count': waiting}}"


def standings(tenant: Tenant, *, text: str = "") -> list[tuple[Connection, Health]]:
    """All companies and how each stands, those that need a person first.

    `text` narrows by name or number.
    """
    return _standings(tenant, matching(live(tenant), text))


def not_working(tenant: Tenant) -> list[tuple[Connection, Health]]:
    """The companies that do not simply work and how each stands, as `standings` has them. All
    others are left out, of which there may be hundreds.
    """
    found = _standings(tenant, troubled(live(tenant)))
    return [pair for pair in found if pair[1].state != WORKS]


def _standings(
    tenant: Tenant, connections: QuerySet[Connection]
) -> list[tuple[Connection, Health]]:
    companies = list(connections)
    broken = any(each.state == State.BROKEN for each in companies)
    waiting = waiting_runs(tenant) if broken else {}
    found = [(each, health(each, waiting=waiting.get(each.pk, 0))) for each in companies]
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
        scopes=len(set(features.USUAL) & set(connection.scopes)),
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
