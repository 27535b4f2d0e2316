"""Reads of a company's books; callers have found the connection within their tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from bokio_app.connections.models import Connection

from .models import Account, FiscalYear, JournalEntry


@dataclass(frozen=True)
class Books:
    """Our copy of a company's fiscal years, and the numbers of its accounts, read once."""

    years: tuple[FiscalYear, ...]
    accounts: frozenset[int]

    def problem_of(self, day: date) -> str:
        """Why nothing can be recorded on the day, `no_fiscal_year` or `closed_year`; or empty."""
        year = self._year_of(day)
        if year is None:
            return "no_fiscal_year"
        return "" if year.is_open else "closed_year"

    def is_cash(self, day: date) -> bool:
        """Whether the day's year follows the cash method."""
        year = self._year_of(day)
        return bool(year and year.is_cash)

    def may_have(self, account: int) -> bool:
        """False for an account that is not in the chart, if we have one."""
        return not self.accounts or account in self.accounts

    def _year_of(self, day: date) -> FiscalYear | None:
        return next((each for each in self.years if each.start <= day <= each.end), None)


def books_of(connection: Connection) -> Books:
    """Read a company's years and accounts, with two queries."""
    return books_of_all([connection])[connection.pk]


def books_of_all(connections: Iterable[Connection]) -> dict[UUID, Books]:
    """Read the years and accounts of several companies, by connection, with two queries."""
    ids = [each.pk for each in connections]
    years: dict[UUID, list[FiscalYear]] = {pk: [] for pk in ids}
    for year in FiscalYear.objects.filter(connection__in=ids):
        years[year.connection_id].append(year)
    accounts: dict[UUID, set[int]] = {pk: set() for pk in ids}
    numbers = Account.objects.filter(connection__in=ids).order_by()
    for pk, number in numbers.values_list("connection", "number"):
        accounts[pk].add(number)
    return {pk: Books(tuple(years[pk]), frozenset(accounts[pk])) for pk in ids}


def fiscal_year_of(connection: Connection, day: date) -> FiscalYear | None:
    """The fiscal year that the day falls in, if the company has one for it."""
    return connection.fiscal_years.filter(start__lte=day, end__gte=day).first()


def account_names(connection: Connection) -> dict[int, str]:
    """Names of all accounts by number."""
    return dict(connection.accounts.values_list("number", "name"))


def entries(connection: Connection, remote_ids: Iterable[str]) -> QuerySet[JournalEntry]:
    """Journal entries by Bokio's ids, with their rows, oldest first."""
    wanted = [remote_id for remote_id in remote_ids if remote_id]
    return (
        connection.journal_entries.filter(remote_id__in=wanted)
        .prefetch_related("items")
        .order_by("date", "pk")
    )
