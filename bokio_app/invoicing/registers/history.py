"""All that has happened with one customer: invoices, payments, credit notes and runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.flows.progress import STATE_OF_FLOW
from bokio_app.flows.queries import QUIET
from bokio_app.invoicing.models import CreditNote, Customer, Invoice
from bokio_app.invoicing.queries import state_of

from .services import customer_key

PAGE = 50
NEWEST = 500  # invoices whose runs are told of

# Of one day's, in this order; the place is a part of the mark between two pages.
NUMBERED = ("run", "credit")  # whose keys are no UUIDs
KINDS = ("run", "credit", "settlement", "payment", "invoice")


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `state` names a glyph; `target` is an invoice's id or a run's."""

    kind: str
    day: date
    key: Any
    title: str
    state: str
    target: Any = None
    amount: Decimal | None = None
    currency: str = ""

    @property
    def order(self) -> tuple[int, int, Any]:
        """By which entries of one page are sorted, the newest first."""
        return -self.day.toordinal(), KINDS.index(self.kind), _Descending(self.key)

    @property
    def mark(self) -> str:
        return f"{self.day}_{self.kind}_{self.key}"


@dataclass(frozen=True)
class _Descending:
    key: Any

    def __lt__(self, other: _Descending) -> bool:
        return bool(self.key > other.key)


@dataclass(frozen=True)
class Mark:
    """The place behind an entry."""

    day: date
    kind: str
    key: int | UUID

    @classmethod
    def of(cls, text: str) -> Mark | None:
        """Read it from an address; None for what makes no sense."""
        day, kind, key = ([*text.split("_", 2), "", ""])[:3]
        try:
            found = parse_date(day)
            number = int(key) if kind in NUMBERED else UUID(key)
        except ValueError:
            return None
        return cls(found, kind, number) if found and kind in KINDS else None


def of_customer(customer: Customer, before: Mark | None) -> tuple[list[Entry], str]:
    """One page of it, newest first, and the mark of the next page, empty at the end."""
    sources = (_runs, _credit_notes, _settlements, _payments, _invoices)
    entries = [each for source in sources for each in source(customer, before)]
    entries.sort(key=lambda each: each.order)
    more, entries = len(entries) > PAGE, entries[:PAGE]
    return entries, entries[-1].mark if more else ""


def _behind(rows: QuerySet[Any], kind: str, before: Mark | None, *, day: str, key: str) -> Any:
    """The first rows of a kind that stand behind the mark."""
    if before:
        earlier = Q(**{f"{day}__lt": before.day})
        same = Q(**{day: before.day})
        if KINDS.index(kind) > KINDS.index(before.kind):
            earlier |= same
        elif kind == before.kind:
            earlier |= same & Q(**{f"{key}__lt": before.key})
        rows = rows.filter(earlier)
    return rows.order_by(f"-{day}", f"-{key}")[: PAGE + 1]


def _invoices(customer: Customer, before: Mark | None) -> Iterator[Entry]:
    mine = Invoice.objects.filter(customer=customer).exclude(status=Invoice.Status.GONE)
    for each in _behind(mine, "invoice", before, day="invoice_date", key="pk"):
        title = _("Invoice %(number)s") % {"number": each.number} if each.number else _("Draft")
        yield Entry(
            kind="invoice",
            day=each.invoice_date,
            key=each.pk,
            title=title,
            state=state_of(each),
            target=each.pk,
            amount=each.total,
            currency=each.currency,
        )


def _payments(customer: Customer, before: Mark | None) -> Iterator[Entry]:
    return _settling(customer, before, kind="payment", rows="payments")


def _settlements(customer: Customer, before: Mark | None) -> Iterator[Entry]:
    return _settling(customer, before, kind="settlement", rows="settlements")


def _settling(customer: Customer, before: Mark | None, *, kind: str, rows: str) -> Iterator[Entry]:
    """Rows of the folder above, reached from the invoices."""
    mine = Invoice.objects.filter(
        **{"customer": customer, f"{rows}__isnull": False, f"{rows}__gone_at": None}
    ).annotate(
        row=F(f"{rows}__pk"),
        day=F(f"{rows}__date"),
        sum=F(f"{rows}__amount"),
        entry=F(f"{rows}__journal_entry_id"),
        theirs=F(f"{rows}__remote_id"),
    )
    words = {
        "payment": _("Payment of invoice %(number)s"),
        "settlement": _("Settlement on invoice %(number)s"),
    }
    found = _behind(mine, kind, before, day="day", key="row")
    for each in found.values("row", "day", "sum", "entry", "theirs", "pk", "number"):
        state = "recorded" if each["entry"] else "published" if each["theirs"] else "waiting"
        yield Entry(
            kind=kind,
            day=each["day"],
            key=each["row"],
            title=words[kind] % {"number": each["number"]},
            state="paid" if kind == "payment" and each["entry"] else state,
            target=each["pk"],
            amount=-each["sum"],
            currency="SEK",
        )


def _credit_notes(customer: Customer, before: Mark | None) -> Iterator[Entry]:
    mine = Invoice.objects.filter(customer=customer).exclude(remote_id="")
    notes = CreditNote.objects.filter(
        connection=customer.connection_id,
        gone_at=None,
        remote_invoice__in=mine.values("remote_id"),
    )
    found = list(_behind(notes, "credit", before, day="credit_date", key="pk"))
    ids = [each.remote_invoice for each in found]
    invoices = dict(mine.filter(remote_id__in=ids).values_list("remote_id", "pk"))
    for each in found:
        state = "recorded" if each.journal_entry_id else each.status
        yield Entry(
            kind="credit",
            day=each.credit_date,
            key=each.pk,
            title=_("Credit note %(number)s") % {"number": each.number}
            if each.number
            else _("Credit note, draft"),
            state=state if state in {"recorded", "published"} else "draft",
            target=invoices.get(each.remote_invoice),
            amount=-each.total,
            currency=each.currency,
        )


def _runs(customer: Customer, before: Mark | None) -> Iterator[Entry]:
    newest = Invoice.objects.filter(customer=customer).order_by("-created_at", "-pk")
    keys = [f"invoice:{pk}" for pk in newest.values_list("pk", flat=True)[:NEWEST]]
    mine = (
        Flow.objects.filter(
            connection=customer.connection_id, resource_key__in=[customer_key(customer.pk), *keys]
        )
        .exclude(QUIET)
        .annotate(day=TruncDate("created_at", tzinfo=clock.STOCKHOLM))
    )
    for each in _behind(mine, "run", before, day="day", key="pk"):
        yield Entry(
            kind="run",
            day=each.day,
            key=each.pk,
            title=str(each.label),
            state=STATE_OF_FLOW[each.state],
            target=each.public_id,
        )
