"""How old what a page shows is, and the wish to have it read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from bokio_app.connections import services
from bokio_app.connections.models import Connection, State
from bokio_app.connections.queries import live
from bokio_app.core import clock
from bokio_app.flows.models import Listing
from bokio_app.invoicing.sync.invoices import ListOpenInvoices
from bokio_app.tenants.models import Tenant, User

from . import rounds
from .models import Mirror
from .planner import ASK_AGAIN
from .progress import invoices_as_of

GIVEN_UP = timedelta(hours=1)  # after so long nobody waits for a reading any more


@dataclass(frozen=True)
class Freshness:
    """Of one company, or of all of the member's. `at` is None while one has not been read;
    `reading` is how many of them are being read because somebody waits for it.
    """

    company: Connection | None
    at: datetime | None
    reading: int
    may_ask: bool


def freshness_of(tenant: Tenant, company: Connection | None) -> Freshness:
    """What the member's pages are as of, in a fixed number of queries."""
    companies = active(tenant).filter(pk=company.pk) if company else active(tenant)
    return Freshness(
        company=company,
        at=invoices_as_of(tenant, company),
        reading=_waited_for(companies),
        may_ask=not tenant.closed_at and (company is None or company.is_active),
    )


def active(tenant: Tenant) -> QuerySet[Connection]:
    """The companies that can be read."""
    return live(tenant).filter(state=State.ACTIVE)


def _waited_for(companies: QuerySet[Connection]) -> int:
    asked = Mirror.objects.filter(
        connection__in=companies.order_by().values("pk"), asked_at__gt=clock.now() - GIVEN_UP
    )
    done = Listing.objects.filter(
        connection=OuterRef("pk"),
        name__in=(ListOpenInvoices.name, rounds.LISTS[-1]),
        complete_at__gte=OuterRef("asked_at"),
    )
    return asked.filter(~Exists(done)).count()


def read_again(tenant: Tenant, company: Connection | None, *, by: User) -> None:
    """Have the company's lists read, or what is open of all companies; once a minute at most.

    All are not read at once: they become due, and have their turns as they always have.
    """
    if company:
        services.read_again(company, by=by)
        return
    now = clock.now()
    mirrors = Mirror.objects.filter(connection__in=active(tenant).order_by().values("pk"))
    lately = mirrors.filter(asked_at__gt=now - ASK_AGAIN)
    mirrors.exclude(pk__in=lately.values("pk")).update(asked_at=now, open_at=now, next_at=now)
