"""What is left to do of invoices, as filters over our copy.

At Bokio creating and recording are two calls. Between them work can stay behind: an invoice that
is published and in no books, a payment that has no journal entry. Each kind is a condition on
invoices, so that a count and the list that it leads to are always the same rows.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.credit_notes import CreditNoteStatus
from bokio_app.core import clock
from bokio_app.ledger.models import FiscalYear

from .models import CreditNote, Invoice

RECORD_DAYS = 3  # as long may what was made lie before it counts as left behind
DRAFT_DAYS = 14


class Left(TextChoices):
    """What is left of an invoice. The first is a day's work, the others have stayed behind."""

    TO_RECORD = "to-record", _("Published, to be recorded")
    UNRECORDED = "unrecorded", _("Published, not recorded after 3 days")
    PAYMENT = "payment", _("Payment without journal entry")
    SETTLEMENT = "settlement", _("Fee or difference without journal entry")
    CREDIT = "credit", _("Credit note never published")
    DRAFT = "draft", _("Draft older than 14 days")
    NOT_IN_CLOSED = "not-in-closed", _("Not recorded, and the year is closed")
    OPEN_IN_CLOSED = "open-in-closed", _("Recorded in a year since closed, still open")


STUCK = tuple(kind for kind in Left if kind != Left.TO_RECORD)
SENT = ~Q(status__in=(Invoice.Status.DRAFT, Invoice.Status.GONE)) & Q(gone_at=None)
OWED = SENT & Q(open_amount__gt=0)


def left(kind: Left, invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of the invoices of which this is left to do."""
    return invoices.filter(condition(kind))


def condition(kind: Left) -> Q:
    """What holds for an invoice of which this is left to do; days are counted as of today."""
    return {
        Left.TO_RECORD: _to_record,
        Left.UNRECORDED: lambda: _to_record() & published_long_ago(),
        Left.PAYMENT: lambda: _has_unrecorded("payments"),
        Left.SETTLEMENT: lambda: _has_unrecorded("settlements"),
        Left.CREDIT: _credit,
        Left.DRAFT: _draft,
        Left.NOT_IN_CLOSED: lambda: _without_entry() & _year(status="closed"),
        Left.OPEN_IN_CLOSED: _open_in_closed,
    }[kind]()


def published_long_ago() -> Q:
    """So long that it should have been recorded. A copy of an invoice may lack the moment of
    publication: its own day stands in for that.
    """
    since = clock.now() - timedelta(days=RECORD_DAYS)
    return Q(published_at__lt=since) | Q(published_at=None, invoice_date__lt=_days_ago())


def _to_record() -> Q:
    return _without_entry() & ~_year(status="closed")


def _without_entry() -> Q:
    """Published and not recorded; by the cash method the payment is what is recorded."""
    return SENT & Q(journal_entry_id="") & ~_year(method=FiscalYear.Method.CASH)


def _open_in_closed() -> Q:
    return OWED & ~Q(journal_entry_id="") & _year(status="closed")


def _draft() -> Q:
    since = clock.now() - timedelta(days=DRAFT_DAYS)
    return Q(status=Invoice.Status.DRAFT, gone_at=None, created_at__lt=since)


def _has_unrecorded(name: str) -> Q:
    """Bokio has payments or settlements of it that are in no books."""
    parts: dict[str, Any] = {
        f"{name}__journal_entry_id": "",
        f"{name}__gone_at": None,
        f"{name}__remote_id__gt": "",
        f"{name}__date__lt": _days_ago(),
    }
    found = Invoice.objects.filter(**parts).order_by().values("pk")
    return Q(gone_at=None, pk__in=found)


def _credit() -> Q:
    drafts = CreditNote.objects.filter(
        connection=OuterRef("connection"),
        remote_invoice=OuterRef("remote_id"),
        status=CreditNoteStatus.DRAFT,
        gone_at=None,
        credit_date__lt=_days_ago(),
    )
    return Q(remote_id__gt="", gone_at=None) & Q(Exists(drafts))


def _year(**facts: Any) -> Q:
    """The fiscal year of the invoice's own day is like this."""
    years = FiscalYear.objects.filter(
        connection=OuterRef("connection"),
        start__lte=OuterRef("invoice_date"),
        end__gte=OuterRef("invoice_date"),
        **facts,
    )
    return Q(Exists(years))


def _days_ago() -> date:
    return clock.today() - timedelta(days=RECORD_DAYS)
