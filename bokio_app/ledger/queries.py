"""Reads of a company's books; callers have found the connection within their tenant."""

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from bokio_app.connections.models import Connection

from .models import FiscalYear, JournalEntry


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
