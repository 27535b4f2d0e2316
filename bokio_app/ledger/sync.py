"""Reading a company and its books from Bokio into our own rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.fiscal_years import FiscalYear as RemoteYear
from bokio_app.bokio.journal_entries import JournalEntry as RemoteEntry
from bokio_app.connections.models import Connection
from bokio_app.connections.signals import reading_wanted
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.listing.merging import unlike
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.readings import is_newest
from bokio_app.tenants.models import User

from .models import Account, FiscalYear, JournalEntry, JournalItem

READ_BOOKS = register_kind("read_books", _("Read company and accounts"))


@register
class ReadCompany(Operation):
    """Name and organisation number of the company."""

    name = "read_company"
    scopes = ("company-information:read",)
    label = _("Company information")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        company = bokio.company.get()
        return Done({"name": company.name, "org_number": company.org_number})

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not is_newest(ctx, self.name):
            return
        Connection.objects.filter(pk=ctx.flow.connection_id).update(
            name=done.result["name"][:200],
            org_number=done.result["org_number"][:40],
            read_at=clock.now(),
        )


@register
class ReadFiscalYears(Operation):
    """All fiscal years, with method and whether they are open."""

    name = "read_fiscal_years"
    scopes = ("fiscal-years:read",)
    label = _("Fiscal years")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        years = list(bokio.fiscal_years.list())
        return Done({"count": len(years)}, read=years)

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not is_newest(ctx, self.name):
            return
        mine = FiscalYear.objects.filter(connection_id=ctx.flow.connection_id)
        found = {str(year.id): year for year in done.read}
        known = {row.remote_id: row for row in mine}
        if gone := known.keys() - found:
            mine.filter(remote_id__in=gone).delete()
        changed = unlike((known[key], _year_values(found[key])) for key in known.keys() & found)
        if changed:
            FiscalYear.objects.bulk_update([row for row, _names in changed], _YEAR)
        FiscalYear.objects.bulk_create(
            FiscalYear(
                connection_id=ctx.flow.connection_id, remote_id=key, **_year_values(found[key])
            )
            for key in found
            if key not in known
        )


_YEAR = ("start", "end", "method", "status")


def _year_values(year: RemoteYear) -> dict[str, Any]:
    return {name: getattr(year, name) for name in _YEAR}


@register
class ReadAccounts(Operation):
    """The chart of accounts."""

    name = "read_accounts"
    scopes = ("chart-of-accounts:read",)
    label = _("Chart of accounts")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        accounts = list(bokio.accounts.list())
        return Done({"count": len(accounts)}, read=accounts)

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not is_newest(ctx, self.name):
            return
        mine = Account.objects.filter(connection_id=ctx.flow.connection_id)
        found = {account.number: account.name[:200] for account in done.read}
        known = {row.number: row for row in mine}
        if gone := known.keys() - found:
            mine.filter(number__in=gone).delete()
        changed = unlike((known[key], {"name": found[key]}) for key in known.keys() & found)
        if changed:
            Account.objects.bulk_update([row for row, _names in changed], ["name"])
        Account.objects.bulk_create(
            [
                Account(connection_id=ctx.flow.connection_id, number=number, name=name)
                for number, name in found.items()
                if number not in known
            ],
            ignore_conflicts=True,
        )


# All that is read of a company's books, in its order.
BOOKS = (ReadCompany.name, ReadFiscalYears.name, ReadAccounts.name)


@receiver(reading_wanted, dispatch_uid="ledger_reads_company")
def start_reading(connection: Connection, by: User | None, occasion: str, **_kwargs: Any) -> None:
    """Read the company anew, in the background."""
    steps = [flows.NewStep(name, {}) for name in BOOKS]
    flows.start(
        READ_BOOKS,
        connection=connection,
        steps=steps,
        business_key=f"{connection.pk}:{occasion}",
        by=by,
    )


def fetch_entries(bokio: Bokio, connection: Connection, remote_ids: list[str]) -> list[RemoteEntry]:
    """Read those journal entries that we do not have yet; entries never change."""
    known = set(
        connection.journal_entries.filter(remote_id__in=remote_ids).values_list(
            "remote_id", flat=True
        )
    )
    return [
        bokio.journal_entries.get(UUID(remote_id))
        for remote_id in remote_ids
        if remote_id not in known
    ]


def keep_entries(connection: Connection, entries: list[RemoteEntry]) -> None:
    """Store journal entries with their rows. Call it inside a transaction."""
    for entry in entries:
        row, made = JournalEntry.objects.get_or_create(
            connection=connection,
            remote_id=str(entry.id),
            defaults={
                "number": entry.number,
                "title": entry.title[:500],
                "date": entry.date,
                "reversed_by": str(entry.reversed_by or ""),
            },
        )
        if made:
            JournalItem.objects.bulk_create(
                JournalItem(
                    entry=row,
                    position=position,
                    account=item.account,
                    debit=item.debit,
                    credit=item.credit,
                )
                for position, item in enumerate(entry.items)
            )
