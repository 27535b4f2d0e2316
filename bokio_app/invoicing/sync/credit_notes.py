"""Reading credit notes from Bokio into our own rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNote as RemoteNote
from bokio_app.bokio.credit_notes import CreditNoteStatus
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.bokio.paging import Page
from bokio_app.core import clock
from bokio_app.core.money import ZERO, rounded
from bokio_app.flows.listing.merging import key_of, merge
from bokio_app.flows.listing.reading import ReadPage
from bokio_app.flows.operations import StepContext, register
from bokio_app.invoicing.models import CreditNote, Invoice

THOUSANDTH = Decimal("0.001")
WEIGHTY = frozenset({"status", "total", "remote_invoice", "gone_at"})


@register
class ListCreditNotes(ReadPage[RemoteNote]):
    """One page of the credit notes. What an invoice is still owed is worked out anew."""

    name = "list_credit_notes"
    scopes = ("credit-notes:read",)
    label = _("Credit notes")

    def ask(self, bokio: Bokio, number: int) -> Page[RemoteNote]:
        return bokio.credit_notes.find().page(number)

    def keep(self, ctx: StepContext, rows: Sequence[RemoteNote], asked: datetime) -> None:
        keep_notes(ctx.flow.tenant_id, ctx.flow.connection_id, rows, asked)

    def held(self, connection_id: UUID) -> QuerySet[CreditNote]:
        return CreditNote.objects.filter(connection_id=connection_id, gone_at=None)

    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        if not remote_ids:
            return
        mine = CreditNote.objects.filter(connection_id=connection_id, gone_at=None)
        lost = mine.filter(remote_id__in=remote_ids)
        invoices = [*lost.exclude(status=CreditNoteStatus.DRAFT).values_list("remote_invoice")]
        lost.update(gone_at=clock.now())
        _have_details_read(connection_id, [each for (each,) in invoices], clock.now())


def keep_notes(
    tenant_id: int, connection_id: UUID, notes: Sequence[RemoteNote], asked: datetime
) -> None:
    """Make our rows what Bokio says of these notes. Call it inside a transaction."""

    def make(remote_id: str, _values: object) -> CreditNote:
        return CreditNote(tenant_id=tenant_id, connection_id=connection_id, remote_id=remote_id)

    merged = merge(
        CreditNote.objects.filter(connection_id=connection_id),
        {key_of(each): _values(each) for each in notes},
        asked=asked,
        make=make,
    )
    weighty = [row for row in merged.new if row.status != CreditNoteStatus.DRAFT]
    weighty += [row for row, names in merged.changed if names & WEIGHTY]
    _have_details_read(connection_id, [row.remote_invoice for row in weighty], asked)


def _have_details_read(connection_id: UUID, remote_ids: Iterable[str], since: datetime) -> None:
    """What these invoices (Bokio's ids) are still owed has to be worked out anew."""
    known = [each for each in set(remote_ids) if each]
    if known:
        Invoice.objects.filter(
            connection_id=connection_id, remote_id__in=known, details_wanted_at=None
        ).update(details_wanted_at=since)


def credited(connection_id: UUID, remote_invoices: Collection[str]) -> dict[str, Decimal]:
    """What published credit notes take back of each invoice, in its own currency."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    notes = CreditNote.objects.filter(
        connection_id=connection_id, remote_invoice__in=remote_invoices, gone_at=None
    ).exclude(status=CreditNoteStatus.DRAFT)
    found = notes.order_by().values("remote_invoice").annotate(sum=Sum("total"))
    sums.update(found.values_list("remote_invoice", "sum"))
    return sums


def _values(remote: RemoteNote) -> dict[str, Any]:
    return {
        "remote_invoice": str(remote.invoice_id or ""),
        "status": remote.status[:20],
        "number": (remote.number or "")[:40],
        "credit_date": remote.credit_date,
        "due_date": remote.due_date,
        "currency": remote.currency[:3],
        "total": rounded(remote.total),
        "tax": rounded(remote.total_tax),
        "published_at": remote.published_at,
        "journal_entry_id": str(remote.journal_entry_id or ""),
        "lines": [_line(each) for each in remote.line_items],
    }


def _line(remote: RemoteLine) -> dict[str, Any]:
    """A line as `CreditNote.lines` keeps it."""
    return {
        "type": remote.item_type[:20],
        "product": remote.product_type[:10],
        "description": remote.description[:500],
        "quantity": str(remote.quantity.quantize(THOUSANDTH, rounding=ROUND_HALF_UP)),
        "unit": remote.unit_type[:20],
        "unit_price": str(rounded(remote.unit_price)),
        "tax_rate": max(int(remote.tax_rate), 0),
        "account": remote.account,
    }
