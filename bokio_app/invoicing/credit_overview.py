"""What the pages of credit notes show: the list, and one note, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bokio_app.connections.models import Connection
from bokio_app.core.formats import money
from bokio_app.core.money import totals
from bokio_app.flows.explain import explain_stop
from bokio_app.flows.models import Flow, FlowState
from bokio_app.ledger.models import FiscalYear, JournalEntry
from bokio_app.ledger.prediction import Entry, credit_note_entry, is_whole_kronor
from bokio_app.ledger.queries import account_names, entries, fiscal_year_of
from bokio_app.tenants.models import Tenant

from . import crediting
from .comparing import Books, Comparison
from .expected import rate_of, sale_of
from .inputs import LineInput
from .models import CreditNote, Invoice

PAGE = 100
DRAFT = Q(status=CreditNote.DRAFT)
VIEWS = {"all": Q(), "draft": DRAFT, "unrecorded": ~DRAFT & Q(journal_entry_id="")}


@dataclass(frozen=True)
class Row:
    """One note of the list; `invoice` is None where we have no copy of it."""

    note: CreditNote
    invoice: Invoice | None
    entry: str


@dataclass(frozen=True)
class Page:
    """A page of the list, with the sums of the whole filter; `next` is where the next begins."""

    rows: Sequence[Row]
    count: int
    sums: Sequence[str]
    next: str


def find_notes(
    tenant: Tenant, *, company: Connection | None, view: str, before: tuple[date, int] | None
) -> Page:
    """One page of the tenant's credit notes, newest first."""
    found = tenant.credit_notes.filter(VIEWS[view], gone_at=None)
    if company:
        found = found.filter(connection=company)
    sums = found.order_by().values("currency").annotate(count=Count("*"), total=Sum("total"))
    told = sorted(sums.values_list("currency", "count", "total"))
    if before:
        day, pk = before
        found = found.filter(
            Q(credit_date__lt=day) | Q(credit_date=day, pk__lt=pk), credit_date__lte=day
        )
    ordered = found.order_by("-credit_date", "-pk").select_related("connection")
    page = list(ordered[: PAGE + 1])
    more, page = len(page) > PAGE, page[:PAGE]
    return Page(
        rows=_rows(tenant, page),
        count=sum(count for _currency, count, _total in told),
        sums=[money(total, currency) for currency, _count, total in told],
        next=f"{page[-1].credit_date}_{page[-1].pk}" if more else "",
    )


def read_mark(text: str) -> tuple[date, int] | None:
    """The place in the list that an address names; None for one that makes no sense."""
    day, _sign, pk = text.partition("_")
    try:
        return (date.fromisoformat(day), int(pk))
    except ValueError:
        return None


def _rows(tenant: Tenant, notes: Sequence[CreditNote]) -> list[Row]:
    invoices = {
        (each.connection_id, each.remote_id): each
        for each in tenant.invoices.filter(
            connection__in={note.connection_id for note in notes},
            remote_id__in=[note.remote_invoice for note in notes if note.remote_invoice],
        ).select_related("customer")
    }
    numbers = dict(
        JournalEntry.objects.filter(
            connection__in={note.connection_id for note in notes},
            remote_id__in=[note.journal_entry_id for note in notes if note.journal_entry_id],
        ).values_list("remote_id", "number")
    )
    return [
        Row(
            note,
            invoices.get((note.connection_id, note.remote_invoice)),
            numbers.get(note.journal_entry_id, ""),
        )
        for note in notes
    ]


def invoice_of(note: CreditNote) -> Invoice | None:
    """Our copy of the invoice that the note takes back."""
    mine: QuerySet[Invoice] = note.connection.invoices.select_related("customer", "connection")
    return mine.filter(remote_id=note.remote_invoice).exclude(remote_id="").first()


def flows_of(note: CreditNote, invoice: Invoice) -> list[Flow]:
    """Those that credit the invoice or work on its notes, newest first, steps at hand."""
    found = Flow.objects.filter(
        connection_id=note.connection_id,
        resource_key=invoice.resource_key,
        kind__in=crediting.KINDS,
    )
    return list(
        found.select_related("created_by").prefetch_related("steps").order_by("-created_at", "-pk")
    )


class NoteOverview:
    """One credit note with its invoice, lines, journal entry and flows."""

    def __init__(self, note: CreditNote, invoice: Invoice | None, flows: list[Flow]) -> None:
        """`flows` are `flows_of(note, invoice)`, read before the note was."""
        self.note, self.invoice, self.connection = note, invoice, note.connection
        self.flows = flows

    @property
    def sum(self) -> str:
        return money(self.note.total, self.note.currency)

    @cached_property
    def lines(self) -> list[LineInput]:
        return crediting.lines_of(self.note)

    @property
    def tax_by_rate(self) -> list[tuple[int, tuple[Decimal, Decimal]]]:
        """Percent with (net, VAT), highest first."""
        return list(totals(line.row for line in self.lines if line.is_sales).tax_by_rate.items())

    @cached_property
    def moving(self) -> Flow | None:
        return next((each for each in self.flows if each.is_moving), None)

    @cached_property
    def stuck(self) -> Flow | None:
        return next((each for each in self.flows if each.state == FlowState.STUCK), None)

    @property
    def stop(self) -> str:
        """Why the stuck flow stands, in a few words."""
        if self.stuck is None:
            return ""
        at = self.stuck.cursor
        step = next((each for each in self.stuck.steps.all() if each.pos == at), None)
        return explain_stop(self.stuck, step).title if step else ""

    @property
    def may_work(self) -> bool:
        """Whether something can be started for it: we know its invoice, and nothing is going on."""
        idle = self.moving is None and self.stuck is None
        return bool(self.invoice) and idle and self.note.gone_at is None

    @property
    def may_record(self) -> bool:
        return bool(self.invoice and crediting.may_record(self.note, self.invoice))

    @cached_property
    def year(self) -> FiscalYear | None:
        """The fiscal year of the note's day."""
        return fiscal_year_of(self.connection, self.note.credit_date)

    @property
    def is_cash(self) -> bool:
        return bool(self.year and self.year.is_cash) and not self.note.is_recorded

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The note's journal entry beside what we expected of it."""
        note = self.note
        if self.is_cash or note.lines is None or self.invoice is None:
            return []
        names = account_names(self.connection)
        found = {each.remote_id: each for each in entries(self.connection, [note.journal_entry_id])}
        books = Books(self.invoice, [], is_cash=False, names=names, entries=found)
        title = _("Credit note %(number)s") % {"number": note.number or _("draft")}
        return [books.compare(title, note.credit_date, self._entry(names), note.journal_entry_id)]

    def _entry(self, names: Mapping[int, str]) -> Entry | None:
        """None where the last note takes what is left, which its own lines do not come to."""
        rate = rate_of(self.invoice) if self.invoice else None
        if self.invoice is None or rate is None:
            return None
        customer = self.invoice.customer
        sale = sale_of(self.lines, customer=customer, total=self.note.total, rate=rate)
        lines = sale.sums.total
        if sale.rounding and not is_whole_kronor(self.note.total, lines=lines):
            return None
        return credit_note_entry(sale, names=names)

    @property
    def doubts(self) -> list[str]:
        """Why some of the accounts that we expect are not known for sure, each once."""
        return list(dict.fromkeys(why for each in self.comparisons for why in each.doubts))

    @property
    def same(self) -> int:
        return sum(each.verdict == "same" for each in self.comparisons)

    @property
    def differing(self) -> int:
        return sum(each.verdict == "differs" for each in self.comparisons)
