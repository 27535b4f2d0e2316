"""Journal entries in their own right: not those that record an invoice or a payment.

Every function runs inside the caller's write transaction and raises `Refusal` when the rules
of Bokio forbid the step.
"""

import datetime as dt
from collections.abc import Sequence

from bokio_app.sandbox import clock, ledger, refusals, switches, tagging
from bokio_app.sandbox.models import Application, Company, JournalEntry

SATURDAY = 5


def latest_day() -> dt.date:
    """The last day that an entry may be dated today, a few business days ahead in Stockholm."""
    day, left = clock.today(), switches.BUSINESS_DAYS_AHEAD
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day


def require_open_year(company: Company, day: dt.date) -> None:
    year = ledger.fiscal_year(company, day)
    if year is None:
        raise refusals.against_rules(f"No fiscal year includes {day}")
    if year.status != "open":
        raise refusals.against_rules(f"The fiscal year that includes {day} is closed")


def write(
    company: Company,
    *,
    title: str,
    day: dt.date,
    rows: Sequence[ledger.Row],
    by: Application | None,
) -> JournalEntry:
    """Write the balanced rows as they are. `by` is None for an entry that a person makes."""
    require_open_year(company, day)
    entry = ledger.write_entry(company, title=title, day=day, rows=rows)
    return _signed(entry, by)


def reverse(entry: JournalEntry, *, by: Application | None) -> JournalEntry:
    """Write the opposite on the same day and link the two.

    Only for entries that came in through the API, and once. What records an invoice or the like
    belongs to that, has no maker of its own, and is refused with the entries that people made.
    """
    if entry.made_by_id is None:
        raise refusals.not_allowed("Only journal entries made through the API can be reversed")
    if entry.reversed_by is not None:
        raise refusals.not_allowed("The journal entry has been reversed already")
    require_open_year(entry.company, entry.date)
    opposite = ledger.reverse(entry, day=entry.date)
    if switches.current().reversal_keeps_tags:
        tagging.copy(entry, opposite)
    return _signed(opposite, by)


def _signed(entry: JournalEntry, by: Application | None) -> JournalEntry:
    if by is not None:
        entry.made_by = by
        entry.save(update_fields=["made_by"])
    return entry
