"""Reads of a company's books; callers have found the connection within their tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from bokio_app.connections.models import Connection

from .models import FiscalYear, JournalEntry


@dataclass(frozen=True)
class Books:
    """Our copy of a company's fiscal years, and the numbers of its accounts, read once."""

    years: tuple[FiscalYear, ...]
    accounts: frozenset[int]

    def problem_of(self, day: date) -> str:
        """Why nothing can be recorded on the day, `no_fiscal_year` or `closed_year`; or empty."""
        year = next((each for each in self.years if each.start <= day <= each.end), None)
        if year is None:
            return "no_fiscal_year"
        return "" if year.is_open else "closed_year"

    def may_have(self, account: int) -> bool:
        """False for an account that is not in the chart, if we have one."""
        return not self.accounts or account in self.accounts


def books_of(connection: Connection) -> Books:
    """Read a company's years and accounts, with two queries."""
    accounts = connection.accounts.values_list("number", flat=True)
    return Books(tuple(connection.fiscal_years.all()), frozenset(accounts))


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
