"""Our copy as people see it: what it holds of each list, how far a reading is, as of when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.core.formats import number
from bokio_app.flows.listing.reading import readable
from bokio_app.flows.models import Listing
from bokio_app.flows.operations import OPERATIONS
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.sync.credit_notes import ListCreditNotes
from bokio_app.invoicing.sync.customers import ListCustomers
from bokio_app.invoicing.sync.invoices import ListInvoices, ListOpenInvoices
from bokio_app.invoicing.sync.items import ListItems
from bokio_app.tenants.models import Tenant

from . import rounds

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

TITLES: dict[str, StrPromise] = {
    ListCustomers.name: gettext_lazy("Customers"),
    ListItems.name: gettext_lazy("Items"),
    ListCreditNotes.name: gettext_lazy("Credit notes"),
    ListInvoices.name: gettext_lazy("Invoices"),
}


@dataclass(frozen=True)
class Line:
    """One list. `state` names a glyph; `rows` are held here; `at` is when Bokio was asked;
    `lacks` are the permissions without which it is not read.
    """

    title: str
    state: str
    rows: int
    note: str = ""
    at: datetime | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copy:
    """All lists of one company. `details` is how many invoices' payments are still to be read."""

    connection: Connection
    lines: list[Line]
    details: int
    is_moving: bool
    filled_at: datetime | None

    @property
    def sentence(self) -> str:
        """The whole in one sentence, for those who hear the page."""
        if not self.is_moving:
            return _("All lists are read.")
        read = [line for line in self.lines if line.state == "done"]
        return _("%(done)d of %(total)d lists are read.") % {
            "done": len(read),
            "total": len(self.lines),
        }

    @property
    def version(self) -> str:
        """Changes exactly when what is shown changes."""
        shown = repr((self.lines, self.details, self.is_moving))
        return hashlib.sha256(shown.encode()).hexdigest()[:16]


def copy_of(connection: Connection) -> Copy:
    """What our copy of a company holds, in a fixed number of queries."""
    listings = {each.name: each for each in connection.listings.all()}
    standing = connection.invoices.filter(gone_at=None)
    held: dict[str, Callable[[], int]] = {
        ListCustomers.name: connection.customers.filter(gone_at=None).count,
        ListItems.name: connection.items.filter(gone_at=None).count,
        ListCreditNotes.name: connection.credit_notes.filter(gone_at=None).count,
        ListInvoices.name: standing.count,
    }
    moving = rounds.moving(connection, rounds.READ_LISTS).exists()
    lines = [
        _line(connection, name, listings.get(name), held[name](), moving=moving)
        for name in rounds.LISTS
    ]
    filled = [each.filled_at for name, each in listings.items() if name in rounds.LISTS]
    return Copy(
        connection=connection,
        lines=lines,
        details=_details(connection),
        is_moving=moving,
        filled_at=max((at for at in filled if at), default=None) if all(filled) else None,
    )


def _line(
    connection: Connection, name: str, listing: Listing | None, rows: int, *, moving: bool
) -> Line:
    title = str(TITLES[name])
    if not readable(connection, name):
        lacks = tuple(sorted(set(OPERATIONS[name].scopes) - set(connection.scopes)))
        return Line(title, "skipped", rows, _("The permission is missing."), lacks=lacks)
    at = listing.complete_at if listing else None
    if listing and moving and (listing.is_open or listing.looks_again):
        return Line(title, "running", rows, _read_so_far(listing), at)
    return Line(title, "done" if at else "waiting", rows, at=at)


def _read_so_far(listing: Listing) -> str:
    """How much of the list has been read in this round; the total is what Bokio counts."""
    if listing.total is None or not listing.rows:
        return ""
    if listing.looks > 1:
        return _("Rows have shifted. The list is read once more.")
    return _("%(rows)s of %(total)s read") % {
        "rows": number(listing.rows),
        "total": number(max(listing.total, listing.rows)),
    }


def _details(connection: Connection) -> int:
    wanted = Invoice.objects.filter(connection=connection, gone_at=None)
    return wanted.filter(details_wanted_at__isnull=False).exclude(remote_id="").count()


def invoices_as_of(tenant: Tenant, company: Connection | None) -> datetime | None:
    """As of when the invoices that somebody owes for are known, of the company or of the oldest
    of all; None while one of them has not been read.
    """
    companies = live(tenant).filter(pk=company.pk) if company else live(tenant)
    either = Q(name__in=(ListInvoices.name, ListOpenInvoices.name), complete_at__isnull=False)
    read = Listing.objects.filter(either, connection__in=companies.order_by().values("pk"))
    newest = read.order_by().values("connection").annotate(at=Max("complete_at"))
    moments = [at for at in newest.values_list("at", flat=True) if at]
    return min(moments) if moments and len(moments) == companies.count() else None
