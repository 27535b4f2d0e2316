"""Reading invoices from Bokio into our own rows, those that were made elsewhere too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceStatus
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.bokio.paging import Page
from bokio_app.core import clock
from bokio_app.core.money import ZERO, rounded
from bokio_app.flows.epochs import were_lost
from bokio_app.flows.listing.merging import NEW, Values, key_of, merge
from bokio_app.flows.listing.reading import ReadPage
from bokio_app.flows.models import Flow
from bokio_app.flows.operations import StepContext, register
from bokio_app.flows.readings import written_since
from bokio_app.invoicing.currencies import rate_kept
from bokio_app.invoicing.flows import OP_KEY
from bokio_app.invoicing.models import Customer, Invoice, LineItem

from .credit_notes import credited

Status = Invoice.Status
OPEN = (Status.PUBLISHED, Status.UNDERPAID, Status.OVERDUE)
SETTLED = (Status.PAID, Status.CREDITED)
WEIGHTY = frozenset({"status", "total", "paid"})
LINES = "line_facts"
THOUSANDTH = Decimal("0.001")


@register
class ListInvoices(ReadPage[RemoteInvoice]):
    """One page of all invoices."""

    name = "list_invoices"
    scopes = ("invoices:read",)
    label = _("Invoices")

    def ask(self, bokio: Bokio, number: int) -> Page[RemoteInvoice]:
        return bokio.invoices.find().page(number)

    def keep(self, ctx: StepContext, rows: Sequence[RemoteInvoice], asked: datetime) -> None:
        keep_invoices(ctx.flow, rows, asked)

    def held(self, connection_id: UUID) -> QuerySet[Invoice]:
        return Invoice.objects.filter(connection_id=connection_id, gone_at=None)

    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        lose_invoices(connection_id, remote_ids)


@register
class ListOpenInvoices(ListInvoices):
    """One page of the invoices that somebody still owes for. Those of ours that are no longer
    among them are left in the listing's `missing`, to be read one by one.
    """

    name = "list_open_invoices"
    label = _("Open invoices")
    confirms = False

    def ask(self, bokio: Bokio, number: int) -> Page[RemoteInvoice]:
        first, *others = (F("status") == str(each) for each in OPEN)
        where = first
        for each in others:
            where |= each
        return bokio.invoices.find(where).page(number)

    def held(self, connection_id: UUID) -> QuerySet[Invoice]:
        return super().held(connection_id).filter(status__in=OPEN)

    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        """An invoice that is no longer open is still there."""


def lose_invoices(connection_id: UUID, remote_ids: Collection[str]) -> None:
    """Bokio has these no longer. What was made and deleted there leaves our lists; work of ours
    stays in sight. Call it inside a transaction.
    """
    if not remote_ids:
        return
    mine = Invoice.objects.filter(connection_id=connection_id, gone_at=None)
    lost = list(mine.filter(remote_id__in=remote_ids).order_by("pk").select_for_update(no_key=True))
    keys = {each.resource_key: each.pk for each in lost}
    worked_on = Flow.objects.filter(connection_id=connection_id, resource_key__in=keys)
    ours = {keys[key] for key in worked_on.values_list("resource_key", flat=True)}
    ours |= {each.pk for each in lost if each.created_by_id}
    gone: dict[str, Any] = {"gone_at": clock.now(), "details_wanted_at": None}
    mine.filter(pk__in=ours).update(**gone)
    others = set(keys.values()) - ours
    mine.filter(pk__in=others).update(**gone, status=Status.GONE, open_amount=ZERO)


def keep_invoices(flow: Flow, found: Sequence[RemoteInvoice], asked: datetime) -> None:
    """Make our rows what Bokio says of these invoices. Call it inside a transaction.

    Credit notes among them are left to their own list, and drafts that a flow of ours is just
    making to that flow.
    """
    invoices = _others_and_known(flow.connection_id, found)
    ids = [key_of(each) for each in invoices]
    customers = _customers(flow, invoices, asked)
    taken_back = credited(flow.connection_id, ids)
    merged = merge(
        Invoice.objects.filter(connection_id=flow.connection_id).prefetch_related("lines"),
        {key_of(each): _values(each, customers) for each in invoices},
        asked=asked,
        make=_maker(flow, {key_of(each): each for each in invoices}),
        busy=_busy(flow.connection_id, asked),
        follow=lambda row, names: _follow(row, names, taken_back[row.remote_id], asked),
        parts={LINES},
    )
    stored = {each.pk for each in merged.new}
    if stored:
        stored = set(Invoice.objects.filter(pk__in=stored).values_list("pk", flat=True))
    lined = [row for row in merged.new if row.pk in stored]
    rewritten = [row for row, names in merged.changed if LINES in names]
    if rewritten:
        LineItem.objects.filter(invoice__in=rewritten).delete()
    lines = {key_of(each): each.line_items for each in invoices}
    LineItem.objects.bulk_create(
        (
            LineItem(invoice=row, position=position, **_line(each))
            for row in (*lined, *rewritten)
            for position, each in enumerate(lines[row.remote_id])
        ),
        batch_size=500,
    )


def _others_and_known(connection_id: UUID, found: Iterable[RemoteInvoice]) -> list[RemoteInvoice]:
    """Without what is ours and on its way: a flow gives its own row Bokio's id when it knows it.

    After a restore, what is marked as ours and in no row may be a lost flow's, and is found by
    whoever starts that anew.
    """
    invoices = [each for each in found if each.status != InvoiceStatus.CREDIT]
    marked = {key_of(each): each for each in invoices if OP_KEY in each.metadata}
    known = set(
        Invoice.objects.filter(
            connection_id=connection_id, remote_id__in=[key_of(each) for each in invoices]
        ).values_list("remote_id", flat=True)
    )
    unknown = {key: each for key, each in marked.items() if key not in known}
    if not unknown:
        return invoices
    ours = {key: _uuid(each.metadata.get("invoice", "")) for key, each in unknown.items()}
    on_the_way = set(
        Invoice.objects.filter(
            connection_id=connection_id,
            remote_id="",
            pk__in=[each for each in ours.values() if each],
        ).values_list("pk", flat=True)
    )
    left = {key for key in unknown if ours[key] in on_the_way or were_lost()}
    return [each for each in invoices if key_of(each) not in left]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _customers(
    flow: Flow, invoices: Iterable[RemoteInvoice], asked: datetime
) -> dict[UUID, Customer]:
    """Our rows of the invoices' customers, by Bokio's ids. One that Bokio does not list any more
    gets a row from what the invoice says of it, marked as gone.
    """
    wanted = {each.customer_id: each for each in invoices if each.customer_id}
    mine = Customer.objects.filter(
        connection_id=flow.connection_id, remote_id__in=[str(each) for each in wanted]
    )
    known = {UUID(each.remote_id): each for each in mine}
    strangers = [
        Customer(
            tenant_id=flow.tenant_id,
            connection_id=flow.connection_id,
            remote_id=str(key),
            name=each.customer_name[:200],
            gone_at=asked,
        )
        for key, each in wanted.items()
        if key not in known
    ]
    if not strangers:
        return known
    Customer.objects.bulk_create(strangers, batch_size=500, ignore_conflicts=True)
    return {UUID(each.remote_id): each for each in mine.all()}


def _maker(flow: Flow, remote: dict[str, RemoteInvoice]) -> Callable[[str, Values], Invoice]:
    def make(remote_id: str, _values: Values) -> Invoice:
        return Invoice(
            tenant_id=flow.tenant_id,
            connection_id=flow.connection_id,
            remote_id=remote_id,
            created_at=_made_at(remote[remote_id]),
        )

    return make


def _made_at(remote: RemoteInvoice) -> datetime:
    """Where the invoice stands among others: by its publication, else by its own day."""
    noon = datetime.combine(remote.invoice_date, time(12), tzinfo=clock.STOCKHOLM)
    return min(remote.published_at or noon, clock.now())


def _busy(connection_id: UUID, asked: datetime) -> Callable[[Sequence[Invoice]], Collection[str]]:
    def busy(rows: Sequence[Invoice]) -> Collection[str]:
        keys = {each.resource_key: each.remote_id for each in rows}
        return [keys[key] for key in written_since(connection_id, keys, asked)]

    return busy


def _follow(
    row: Invoice, names: frozenset[str], taken_back: Decimal, asked: datetime
) -> Collection[str]:
    """What is still owed, as far as a list tells; the rest is left to who reads the payments."""
    if not names & WEIGHTY:
        return ()
    row.open_amount = _open(row, taken_back)
    if row.details_wanted_at is None and _has_details(row, is_new=NEW in names):
        row.details_wanted_at = asked
    return ("open_amount", "details_wanted_at")


def _open(row: Invoice, taken_back: Decimal) -> Decimal:
    if row.status == Status.DRAFT:
        return row.total
    return ZERO if row.status in SETTLED else row.total - row.paid - taken_back


def _has_details(row: Invoice, *, is_new: bool) -> bool:
    """Whether Bokio may hold payments or settlements of it, or we hold some that it has not."""
    if row.status == Status.DRAFT:
        return False
    if row.status != Status.PUBLISHED or row.paid:
        return True
    return not is_new and (row.payments.exists() or row.settlements.exists())


def _values(remote: RemoteInvoice, customers: dict[UUID, Customer]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "invoice_date": remote.invoice_date,
        "your_reference": remote.buyer_reference[:100],
        "currency": remote.currency[:3],
        "currency_rate": rate_kept(remote.currency[:3], remote.currency_rate),
        LINES: tuple(_facts(_line(each)) for each in remote.line_items),
        **state_of(remote),
    }
    # What Bokio does not tell stays as it is here.
    if remote.customer_id in customers:
        values["customer_id"] = customers[remote.customer_id].pk
    return values


def state_of(remote: RemoteInvoice) -> dict[str, Any]:
    """How the invoice stands at Bokio, as our row keeps it."""
    values: dict[str, Any] = {
        "status": remote.status[:20],
        "number": (remote.number or "")[:40],
        "ocr": (remote.ocr or "")[:40],
        "net": rounded(remote.total - remote.total_tax),
        "tax": rounded(remote.total_tax),
        "total": rounded(remote.total),
        "paid": rounded(remote.paid),
        "journal_entry_id": str(remote.journal_entry_id or ""),
    }
    told = {"due_date": remote.due_date, "published_at": remote.published_at}
    return values | {name: value for name, value in told.items() if value is not None}


def _line(remote: RemoteLine) -> dict[str, Any]:
    return {
        "type": remote.item_type[:20],
        "product": remote.product_type[:10],
        "description": remote.description[:500],
        "quantity": remote.quantity.quantize(THOUSANDTH, rounding=ROUND_HALF_UP),
        "unit": remote.unit_type[:20],
        "unit_price": rounded(remote.unit_price),
        "tax_rate": max(int(remote.tax_rate), 0),
        "account": remote.account,
    }


def _facts(line: dict[str, Any]) -> tuple[object, ...]:
    return tuple(line[name] for name in LineItem.FACTS)
