"""What the start page says of the queue: its tiles, what is left behind, and its charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.formats import money, number
from bokio_app.invoicing.leftovers import STUCK, Left

from . import receivables
from .charts import Chart, Value, chart_of
from .queue import Queue, Todo, Work
from .received import Week

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Tile:
    """One count of the queue, and the list that it leads to. `state` names a glyph."""

    key: str
    state: str
    title: str
    count: int
    note: str
    url: str


@dataclass(frozen=True)
class LeftRow:
    """One kind of what has stayed behind, and what to do about it."""

    label: StrPromise
    cure: StrPromise
    count: int
    url: str


@dataclass(frozen=True)
class Plot:
    """A chart with what stands around it: a sentence for those who do not see it, and the same
    numbers as a table whose rows lead to their lists.
    """

    chart: Chart
    sentence: str
    rows: list[PlotRow]


@dataclass(frozen=True)
class PlotRow:
    """One bar as a row; `earlier` is None where there is nothing to compare with."""

    label: str
    count: int
    amount: Decimal
    url: str
    earlier: Decimal | None = None

    @property
    def told(self) -> str:
        return f"{self.label}: {money(self.amount, 'SEK')}"


CURES: dict[Left, StrPromise] = {
    Left.UNRECORDED: gettext_lazy("Record them"),
    Left.PAYMENT: gettext_lazy("Record the payments"),
    Left.SETTLEMENT: gettext_lazy("Record the fees"),
    Left.CREDIT: gettext_lazy("Publish or delete the credit note"),
    Left.DRAFT: gettext_lazy("Publish or delete them"),
    Left.NOT_IN_CLOSED: gettext_lazy("Open the year in Bokio, or credit"),
    Left.OPEN_IN_CLOSED: gettext_lazy("Register a payment, or credit in an open year"),
}


def invoices_url(company: Connection | None = None, **query: str) -> str:
    """The invoice list narrowed like this."""
    if company:
        query["company"] = str(company.pk)
    return f"{reverse('invoicing:list')}?{urlencode(query)}"


def tiles_of(queue: Queue) -> Iterator[Tile]:
    """The six counts, in the order of their keys."""
    having, work = queue.having, queue.total
    received, runs = reverse("received"), reverse("flows:list")
    found = [
        ("draft", _("Drafts to publish"), work.drafts, invoices_url(view="draft")),
        (
            "published",
            _("Invoices to record"),
            work.unrecorded,
            invoices_url(left=Left.TO_RECORD.value),
        ),
        ("part-paid", _("Payments to record"), work.payments, received),
        ("overdue", _("Overdue invoices"), work.overdue, invoices_url(view="overdue")),
        ("needs", _("Runs that need you"), queue.stuck, f"{runs}?view=needs"),
        (
            "needs",
            _("Connections that need you"),
            queue.needing,
            reverse("connections:list"),
        ),
    ]
    notes = [
        [_companies(having["drafts"]), money(work.drafts_total, "SEK")],
        [_companies(having["unrecorded"]), _oldest(work.unrecorded_days)],
        [_companies(having["payments"]), money(work.payments_total, "SEK")],
        [_companies(having["overdue"]), money(work.overdue_total, "SEK")],
        [_companies(having["stuck"]), _oldest(_days_since(queue))],
        [_waiting(queue.waiting) if queue.waiting else _of_companies(queue.companies)],
    ]
    for place, ((state, title, count, url), note) in enumerate(zip(found, notes, strict=True), 1):
        yield Tile(
            key=str(place),
            state=state if count else "done",
            title=title,
            count=count,
            note=" · ".join(note) if count else _("none"),
            url=url,
        )


def left_rows(work: Work, company: Connection | None = None) -> list[LeftRow]:
    """What has stayed behind; kinds of which there is nothing are left out."""
    return [
        LeftRow(
            kind.label, CURES[kind], work.left[kind.value], invoices_url(company, left=kind.value)
        )
        for kind in STUCK
        if work.left[kind.value]
    ]


def left_note(queue: Queue) -> str:
    """How much has stayed behind, and in how many companies; empty for nothing."""
    count = queue.total.left.total()
    if not count:
        return ""
    items = ngettext("%(count)s item", "%(count)s items", count) % {"count": number(count)}
    companies = _companies(queue.having["left"])
    return _("%(items)s in %(companies)s") % {"items": items, "companies": companies}


def next_step(todo: Todo) -> tuple[str, str]:
    """What to do first for a company, and where; empty when there is nothing."""
    company, work = todo.company.connection, todo.work
    if todo.company.health.needs_person:
        return _("Mend the connection"), reverse("connections:detail", args=[company.pk])
    if todo.stuck:
        url = f"{reverse('flows:list')}?view=needs&company={company.pk}"
        return ngettext("Open the run", "Open the runs", todo.stuck), url
    steps = [
        (
            work.unrecorded,
            ngettext("Record %(count)s invoice", "Record %(count)s invoices", work.unrecorded),
            invoices_url(company, left=Left.TO_RECORD.value),
        ),
        (
            work.drafts,
            ngettext("Publish %(count)s draft", "Publish %(count)s drafts", work.drafts),
            invoices_url(company, view="draft"),
        ),
        (
            work.payments,
            ngettext("Record %(count)s payment", "Record %(count)s payments", work.payments),
            f"{reverse('received')}?company={company.pk}",
        ),
        (
            work.overdue,
            ngettext("See %(count)s overdue", "See %(count)s overdue", work.overdue),
            invoices_url(company, view="overdue"),
        ),
    ]
    for count, words, url in steps:
        if count:
            return words % {"count": number(count)}, url
    return "", ""


def ages_plot(work: Work, company: Connection | None = None) -> Plot:
    """Receivables by age."""
    ages = receivables.shown(work.ages)
    chart = chart_of(
        [Value(age.short, age.owed.amount, f"age-{place}") for place, age in enumerate(ages)]
    )
    rows = [
        PlotRow(age.label, age.owed.count, age.owed.amount, invoices_url(company, **age.query))
        for age in ages
    ]
    told = _("Receivables by age, %(total)s in all.") % {"total": money(work.owed.amount, "SEK")}
    return Plot(chart, " ".join([told, *(f"{row.told}." for row in rows)]), rows)


def weeks_plot(weeks: Sequence[Week]) -> Plot:
    """Cash in per week, with the same weeks a year earlier."""
    chart = chart_of(
        [
            Value(str(week.number), week.amount, "bar", mark=week.earlier, is_open=week.is_running)
            for week in weeks
        ]
    )
    rows = [
        PlotRow(
            label=_("Week %(number)s") % {"number": week.number},
            count=week.count,
            amount=week.amount,
            url=f"{reverse('received')}?week={week.monday.isoformat()}",
            earlier=week.earlier,
        )
        for week in weeks
    ]
    most = max(rows, key=lambda row: row.amount)
    told = _("Cash in per week. Most came in %(most)s; so far this week %(now)s.")
    amounts = {"most": most.told, "now": money(rows[-1].amount, "SEK")}
    return Plot(chart, told % amounts, rows)


def _companies(count: int) -> str:
    words = ngettext("%(count)s company", "%(count)s companies", count)
    return words % {"count": number(count)}


def _of_companies(count: int) -> str:
    words = ngettext("of %(count)s company", "of %(count)s companies", count)
    return words % {"count": number(count)}


def _waiting(count: int) -> str:
    words = ngettext("%(count)s run waits", "%(count)s runs wait", count)
    return words % {"count": number(count)}


def _oldest(days: int) -> str:
    if not days:
        return _("oldest from today")
    words = ngettext("oldest %(days)s day", "oldest %(days)s days", days)
    return words % {"days": number(days)}


def _days_since(queue: Queue) -> int:
    since = queue.stuck_since
    return (clock.now() - since) // timedelta(days=1) if since else 0
