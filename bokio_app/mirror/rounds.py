"""Rounds of reading: the flows of each, and what follows when one of them has ended.

A round over all lists begins with the pages that are known. What its answers tell of further
pages, or of rows that have shifted, is read by further flows, then the payments and settlements
of invoices of which something has changed. Whoever starts or follows holds the timetable's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.listing.reading import begin, missing_pages, readable, refused
from bokio_app.flows.models import Flow, FlowState, Lane, Listing, Step
from bokio_app.flows.operations import register_kind
from bokio_app.flows.signals import flow_finished
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.sync.credit_notes import ListCreditNotes
from bokio_app.invoicing.sync.customers import ListCustomers
from bokio_app.invoicing.sync.invoices import OPEN, ListInvoices, ListOpenInvoices
from bokio_app.invoicing.sync.items import ListItems
from bokio_app.ledger.sync import BOOKS
from bokio_app.payments.models import Payment, Settlement
from bokio_app.payments.sync import ReadInvoice, ReadSettled
from bokio_app.tenants.models import User

from . import budget
from .models import Mirror

READ_LISTS = register_kind("read_lists", _("Read lists"))
READ_OPEN = register_kind("read_open", _("Read open invoices"))
READ_DETAILS = register_kind("read_details", _("Read payments and fees"))
READ_CHANGED = register_kind("read_changed", _("Read changed invoices"))
KINDS = (READ_LISTS, READ_OPEN, READ_DETAILS, READ_CHANGED)

# Customers and credit notes before invoices, which refer to them.
LISTS = (ListCustomers.name, ListItems.name, ListCreditNotes.name, ListInvoices.name)
MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)
SPLIT = 8  # steps; fewer are not worth several flows
CHUNK = 50  # invoices whose payments one flow reads
MOST_CHANGED = 100  # invoices read one by one; for more, the list itself costs less
AHEAD = timedelta(days=1)  # so much earlier than all others of its lane a wanted reading is due


def moving(connection: Connection, *kinds: str) -> QuerySet[Flow]:
    """Readings of these kinds that go on by themselves."""
    return Flow.objects.filter(
        connection=connection, tenant=connection.tenant_id, kind__in=kinds, state__in=MOVING
    )


def start_all(
    mirror: Mirror, *, by: User | None = None, lane: Lane = Lane.SYNC, books: bool = True
) -> bool:
    """Begin a round over all lists, and the books before them. False if one is under way.

    A round that Bokio has refused, and no person has seen to, is given up for it.
    """
    connection = mirror.connection
    if moving(connection, READ_LISTS).exists():
        return False
    _give_up_stuck(connection, READ_LISTS)
    steps = [flows.NewStep(name, {}) for name in BOOKS] if books else []
    names = [name for name in LISTS if readable(connection, name)]
    for name in names:
        if not refused(connection, name):
            steps += _steps_of(begin(connection, name))
    _start(mirror, READ_LISTS, steps, by=by, lane=lane)
    for name in names:
        if refused(connection, name):  # tried once in a round, where it stops no other list
            _start(mirror, READ_LISTS, _steps_of(begin(connection, name)), by=by, lane=lane)
    return True


def start_open(mirror: Mirror) -> bool:
    """Begin a round over the open invoices. False if they are being read."""
    connection = mirror.connection
    if moving(connection, READ_OPEN, READ_LISTS).exists():
        return False
    _give_up_stuck(connection, READ_OPEN)
    name = ListOpenInvoices.name
    if readable(connection, name) and not refused(connection, name):
        _start(mirror, READ_OPEN, _steps_of(begin(connection, ListOpenInvoices.name)))
    return True


def unread(connection: Connection) -> list[str]:
    """Lists that may be read and that no round has begun with: allowed only now, or all of them."""
    begun = set(connection.listings.values_list("name", flat=True))
    return [name for name in LISTS if name not in begun and readable(connection, name)]


def hasten(connection: Connection) -> None:
    """Let readings that wait go before batches, because somebody waits or they are late."""
    waiting = moving(connection, READ_LISTS, READ_OPEN).filter(state=FlowState.READY)
    waiting.filter(lane=Lane.SYNC).update(lane=Lane.BATCH, not_before=clock.now() - AHEAD)


def calls_of(connection: Connection, names: Sequence[str]) -> int:
    """How many calls a round over these lists takes, by what is known."""
    known = dict(connection.listings.filter(name__in=names).values_list("name", "pages"))
    return sum(max(known.get(name) or 1, 1) for name in names)


@receiver(flow_finished, dispatch_uid="mirror_go_on")
def go_on(flow: Flow, **_kwargs: Any) -> None:
    """Start what an ended reading has shown to be left."""
    if flow.kind not in KINDS:
        return
    mirror = Mirror.objects.select_for_update().filter(pk=flow.connection_id).first()
    if mirror is None:
        return
    if flow.kind in {READ_LISTS, READ_OPEN} and _goes_on(mirror, flow):
        return
    if flow.kind == READ_LISTS:
        want_unrecorded(mirror.connection)
    elif flow.kind == READ_OPEN:
        _read_left(mirror)
    start_details(mirror)


def _goes_on(mirror: Mirror, flow: Flow) -> bool:
    """Whether other flows of the round, now or still, have pages to read."""
    if moving(mirror.connection, flow.kind).exclude(pk=flow.pk).exists():
        return True
    names = LISTS if flow.kind == READ_LISTS else (ListOpenInvoices.name,)
    steps: list[flows.NewStep] = []
    for listing in mirror.connection.listings.filter(name__in=names).order_by("pk"):
        if listing.is_open:
            steps += _steps(listing, missing_pages(listing))
        elif listing.looks_again:
            steps += _steps_of(begin(mirror.connection, listing.name, again=True))
    if flow.kind == READ_LISTS:  # what a consent has allowed since the round began
        for name in unread(mirror.connection):
            steps += _steps_of(begin(mirror.connection, name))
    _start(mirror, flow.kind, steps, by=flow.created_by, lane=Lane(flow.lane))
    return bool(steps)


def want_unrecorded(connection: Connection) -> None:
    """Have those invoices read whose payments or settlements wait to be recorded: no list tells
    when that has happened. What Bokio never records is left out.
    """
    waiting = {"invoice": OuterRef("pk"), "journal_entry_id": ""}
    payments = Payment.objects.filter(**waiting).exclude(remote_id="")
    settlements = Settlement.objects.filter(**waiting).exclude(remote_id="")
    settlements = settlements.exclude(type="balanceAdjustment")
    standing = Invoice.objects.filter(
        connection=connection, gone_at=None, details_wanted_at=None
    ).exclude(remote_id="")
    for unrecorded in (Exists(payments), Exists(settlements)):
        if found := list(standing.filter(unrecorded).values_list("pk", flat=True)):
            standing.filter(pk__in=found).update(details_wanted_at=clock.now())


def start_details(mirror: Mirror) -> None:
    """Read payments and settlements where something has changed, open invoices first."""
    connection = mirror.connection
    running = moving(connection, READ_DETAILS)
    free = settings.MIRROR_FLOWS - running.count()
    if free <= 0 or not readable(connection, ReadSettled.name):
        return
    most = budget.most_details(connection, free * CHUNK)
    being_read = Step.objects.filter(flow__in=running).values_list("payload__invoice", flat=True)
    wanted = (
        Invoice.objects.filter(connection=connection, gone_at=None, details_wanted_at__isnull=False)
        .exclude(remote_id="")
        .exclude(pk__in=[*being_read])
        .order_by(_open_first(), "-invoice_date", "pk")
        .values_list("pk", "remote_id")[:most]
    )
    _give_up_stuck(connection, READ_DETAILS)
    steps = [_about(ReadSettled.name, *each) for each in wanted]
    for start in range(0, len(steps), CHUNK):
        _start_one(mirror, READ_DETAILS, steps[start : start + CHUNK])


def _read_left(mirror: Mirror) -> None:
    """Read those that are no longer among the open ones: paid, credited, or otherwise settled."""
    connection = mirror.connection
    listing = connection.listings.get(name=ListOpenInvoices.name)
    left = Invoice.objects.filter(
        connection=connection, remote_id__in=listing.missing, status__in=OPEN, gone_at=None
    ).values_list("pk", "remote_id")[: MOST_CHANGED + 1]
    steps = [_about(ReadInvoice.name, *each) for each in left]
    if len(steps) > MOST_CHANGED:
        Mirror.objects.filter(pk=mirror.pk).update(all_at=clock.now(), next_at=clock.now())
    elif steps and not moving(connection, READ_CHANGED).exists():
        _give_up_stuck(connection, READ_CHANGED)
        _start(mirror, READ_CHANGED, steps)


def _about(name: str, pk: object, remote_id: str) -> flows.NewStep:
    return flows.NewStep(name, {"invoice": str(pk), "remote_invoice": remote_id})


def _open_first() -> Case:
    return Case(When(status__in=OPEN, then=Value(0)), default=Value(1))


def _steps_of(listing: Listing) -> list[flows.NewStep]:
    """A step for each page that is known, at least the first."""
    return _steps(listing, range(1, max(listing.pages or 1, 1) + 1))


def _steps(listing: Listing, pages: Sequence[int]) -> list[flows.NewStep]:
    return [
        flows.NewStep(listing.name, {"pass": listing.pass_number, "page": page}) for page in pages
    ]


def _start(
    mirror: Mirror,
    kind: str,
    steps: Sequence[flows.NewStep],
    *,
    by: User | None = None,
    lane: Lane = Lane.SYNC,
) -> None:
    """Start flows for the steps: many are shared out, so that one answer waits beside another."""
    parts = settings.MIRROR_FLOWS if len(steps) > SPLIT else 1
    for part in range(parts):
        if mine := steps[part::parts]:
            _start_one(mirror, kind, mine, by=by, lane=lane)


def _start_one(
    mirror: Mirror,
    kind: str,
    steps: Sequence[flows.NewStep],
    *,
    by: User | None = None,
    lane: Lane = Lane.SYNC,
) -> None:
    mirror.started += 1
    mirror.save(update_fields=["started"])
    ahead = AHEAD if lane != Lane.SYNC else timedelta(0)
    flows.start(
        kind,
        connection=mirror.connection,
        steps=steps,
        business_key=f"mirror:{mirror.pk}:{mirror.started}",
        lane=lane,
        by=by,
        not_before=clock.now() - ahead,
    )


def _give_up_stuck(connection: Connection, kind: str) -> None:
    """A reading that Bokio refused is shown until the next one begins, and not longer."""
    stuck = Flow.objects.filter(connection=connection, kind=kind, state=FlowState.STUCK)
    for flow in stuck:
        flows.abandon(flow, by=None, reason="read anew")
