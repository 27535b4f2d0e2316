"""Who is due when: changes behind our back, many companies, a month's calls."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from bokio_app.connections.features import NEEDED
from bokio_app.connections.models import Connection, Kind, State, Usage
from bokio_app.connections.signals import reading_wanted
from bokio_app.core import clock
from bokio_app.flows.listing.rows import FLEETING
from bokio_app.flows.models import Flow, FlowState, Lane, Listing, Step
from bokio_app.flows.tasks import sweep
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.sync import BOOKS
from bokio_app.mirror import budget, planner, rounds, times, trimming
from bokio_app.mirror.models import Mirror
from bokio_app.payments.models import Payment, Settlement
from bokio_app.payments.services import still_open
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

from . import support

MANY = 301  # `make bench-sweep` has a thousand
WithPast = Callable[[int], Connection]
PassTime = Callable[[timedelta], None]


def timetable(connection: Connection, **fields: Any) -> Mirror:
    """All is due now, unless told otherwise."""
    now = clock.now()
    values = {"next_at": now, "all_at": now, "open_at": now} | fields
    return Mirror.objects.create(connection=connection, **values)


@pytest.fixture
def filled(with_past: WithPast, sandbox: SandboxProcess) -> Connection:
    """A company of 40 invoices and a draft, all lists read, with no calls counted."""
    company = with_past(40)
    support.some_drafts(company, 1)
    support.read_lists(company)
    sandbox.clear_calls()
    return company


def test_what_is_paid_behind_our_back_is_found_within_a_quarter_of_an_hour(
    filled: Connection, sandbox: SandboxProcess, pass_time: PassTime
) -> None:
    owed = Invoice.objects.filter(status="overdue").order_by("invoice_date")
    whole, part = owed[0], owed[1]
    today = clock.today().isoformat()
    company = str(filled.company_id)
    sandbox.pay_invoice(company, whole.remote_id, str(whole.open_amount), date=today)
    sandbox.pay_invoice(company, part.remote_id, "1.00", date=today)

    assert planner.look() == 0
    pass_time(timedelta(minutes=15) * times.LATEST)
    assert planner.look() == 1
    bokio.work(filled)

    rest = part.open_amount - 1
    whole.refresh_from_db()
    part.refresh_from_db()
    assert (whole.status, whole.open_amount) == ("paid", 0)
    assert part.open_amount == still_open(part) == rest
    assert Payment.objects.filter(invoice=whole).exists()
    counts = sandbox.calls()["counts"]
    assert counts["get-invoice"] == 1
    assert counts["get-invoices-invoiceId"] == 1
    assert counts["get-invoice-payments"] == 2


def test_all_lists_are_read_within_a_day(
    filled: Connection, sandbox: SandboxProcess, pass_time: PassTime
) -> None:
    draft = Invoice.objects.filter(status="draft")[0]
    sandbox.act_on_invoice(str(filled.company_id), draft.remote_id, "delete")

    pass_time(timedelta(days=1) * times.LATEST)
    planner.look()
    bokio.work(filled)

    draft.refresh_from_db()
    assert draft.gone_at is not None
    assert sandbox.calls()["counts"]["get-company-information-with-id"] == 1


def test_a_payment_that_is_deleted_in_bokio_no_longer_counts_and_keeps_its_row(
    filled: Connection, sandbox: SandboxProcess
) -> None:
    paid = Invoice.objects.filter(status="paid").order_by("pk")[0]
    Invoice.objects.filter(pk=paid.pk).update(details_wanted_at=clock.now())
    rounds.start_details(Mirror.objects.get(pk=filled.pk))
    bokio.work(filled)
    strange = Payment.objects.filter(invoice=paid)[0]
    ours = Payment.objects.create(
        invoice=paid, date=clock.today(), amount=1, account=1930, remote_id=str(uuid4())
    )

    Invoice.objects.filter(pk=paid.pk).update(details_wanted_at=clock.now())
    rounds.start_details(Mirror.objects.get(pk=filled.pk))
    bokio.work(filled)

    paid.refresh_from_db()
    assert set(paid.payments.all()) == {strange}
    assert Payment.ever.get(pk=ours.pk).gone_at is not None
    assert (paid.open_amount, paid.details_wanted_at) == (0, None)


@pytest.mark.django_db
def test_no_reading_is_begun_for_a_company_that_may_not_be_called_for() -> None:
    works = make.connection()
    for connection in (
        works,
        make.connection(state=State.BROKEN),
        make.connection(state=State.ENDED),
        make.connection(blocked_until=clock.now() + timedelta(hours=1), blocked_by="quota"),
    ):
        timetable(connection)

    planner.look()

    assert [each.connection for each in Flow.objects.all()] == [works]
    assert planner.look() == 0


@pytest.mark.django_db(transaction=True)  # a look is a transaction of its own, as in the product
def test_hundreds_of_companies_are_begun_with_bit_by_bit_and_asked_for_by_one_query(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = make.connection()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    others = Connection.objects.bulk_create(
        Connection(
            tenant=first.tenant, company_id=uuid4(), generation=1, scopes=first.scopes, name=str(n)
        )
        for n in range(MANY)
    )
    Mirror.objects.bulk_create(
        Mirror(connection=each, next_at=now, all_at=now + timedelta(days=1), open_at=now)
        for each in others
    )

    with CaptureQueriesContext(database) as asked:
        found = planner.due(now, most=planner.most_at_once())
    looks = 0
    while planner.look():
        looks += 1

    per_look = planner.most_at_once()
    assert len(asked.captured_queries) == 2  # how many there are, and who is due
    assert len(found) == per_look == 5
    assert looks == math.ceil(MANY / per_look)
    assert Flow.objects.count() == MANY
    nexts = Mirror.objects.values_list("next_at", flat=True)
    assert max(nexts) - min(nexts) > timedelta(minutes=1)
    assert max(nexts) < now + timedelta(minutes=15)


@pytest.mark.django_db
def test_a_reading_that_is_late_goes_before_batches_and_a_second_one_is_not_begun() -> None:
    company = make.connection()
    mirror = timetable(company, all_at=clock.now() + timedelta(days=1))
    planner.look()
    batch = make.flow(company, lane=Lane.BATCH)

    Mirror.objects.filter(pk=mirror.pk).update(next_at=clock.now(), open_at=clock.now())
    planner.look()

    reading = Flow.objects.exclude(pk=batch.pk).get()
    assert (reading.kind, reading.lane) == (rounds.READ_OPEN, Lane.BATCH)
    assert reading.not_before < batch.not_before


@pytest.mark.django_db
def test_what_bokio_refused_is_given_up_for_the_next_round() -> None:
    company = make.connection()
    timetable(company)
    planner.look()
    refused = Flow.objects.get()
    Flow.objects.update(state=FlowState.STUCK, stuck_code="validation-error")

    Mirror.objects.update(next_at=clock.now(), all_at=clock.now())
    planner.look()

    refused.refresh_from_db()
    assert refused.state == FlowState.CANCELLED
    assert Flow.objects.filter(state=FlowState.READY).count() == 1


@pytest.mark.django_db
def test_lists_without_permission_are_left_out() -> None:
    company = make.connection(scopes=["customers:read"])
    timetable(company)

    planner.look()

    ops = Flow.objects.get().steps.values_list("op", flat=True)
    assert [op for op in ops if op.startswith("list_")] == ["list_customers"]


def _allow(company: Connection, *scopes: str) -> None:
    """A consent a moment after the first: it allows these too, and asks for a reading."""
    company.scopes = [*company.scopes, *scopes]
    company.save(update_fields=["scopes"])
    with transaction.atomic():
        reading_wanted.send(Connection, connection=company, by=None, occasion="consent")


@pytest.mark.django_db
def test_a_list_that_is_allowed_later_is_read_at_once_however_lately_one_asked() -> None:
    company = make.connection(scopes=["customers:read"])
    support.ask(company)
    Flow.objects.update(state=FlowState.DONE)

    _allow(company, "credit-notes:read")

    begun = Flow.objects.get(kind=rounds.READ_LISTS, state=FlowState.READY)
    ops = begun.steps.values_list("op", flat=True)
    assert set(ops) == {"list_customers", "list_credit_notes"}


def test_a_list_that_is_allowed_while_others_are_read_is_read_after_them(
    sandbox: SandboxProcess, person: User
) -> None:
    company = bokio.connect(sandbox, by=person, scopes=NEEDED)
    company.scopes = [each for each in NEEDED if each != "invoices:read"]
    company.save(update_fields=["scopes"])
    support.ask(company)

    _allow(company, "invoices:read")
    bokio.work(company)

    complete = Listing.objects.exclude(complete_at=None).values_list("name", flat=True)
    assert set(complete) == {"list_customers", "list_invoices"}


@pytest.mark.django_db
def test_a_list_that_bokio_refuses_is_tried_by_itself_and_holds_back_no_other() -> None:
    company = make.connection(
        kind=Kind.PRIVATE, scopes=[], lacks=["credit-notes:read", "invoices:read"]
    )
    timetable(company)

    planner.look()

    rounds_begun = [
        [op for op in flow.steps.values_list("op", flat=True) if op.startswith("list_")]
        for flow in Flow.objects.order_by("pk")
    ]
    assert rounds_begun == [
        ["list_customers", "list_items"],
        ["list_credit_notes"],
        ["list_invoices"],
    ]
    Flow.objects.update(state=FlowState.DONE)
    assert rounds.start_open(Mirror.objects.get())
    assert not Flow.objects.filter(kind=rounds.READ_OPEN).exists()


@pytest.mark.django_db
def test_a_months_calls_are_spread_over_what_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    company = make.connection(kind=Kind.PRIVATE)
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 21))
    first = date(2026, 11, 1)
    Usage.objects.create(connection=company, month=first, calls=2500, day=date(2026, 11, 21))
    Listing.objects.create(connection=company, name="list_invoices", pages=94)
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)

    left = budget.allowance_of(company)
    assert left is not None
    calls = len(BOOKS) + rounds.calls_of(company, rounds.LISTS)

    assert left.left == 2000
    assert calls == 100
    # Half of 2,000 calls are ten rounds of a hundred: one a day, later than is promised.
    assert times.until_all(calls, left) == timedelta(days=1)
    assert times.until_open(1, left) == timedelta(days=10) / 1000
    assert times.until_open(1, None) == timedelta(minutes=15) * times.EARLIEST
    assert budget.most_details(company, 150) == 25
    assert budget.most_details(make.connection(), 150) == 150


@pytest.mark.django_db
def test_ended_readings_are_forgotten_and_work_is_kept() -> None:
    company = make.connection()
    long_ago = clock.now() - timedelta(days=8)
    for kind in (*rounds.KINDS, "send_invoice", "read_invoice"):
        make.flow(company, kind=kind, state=FlowState.DONE, finished_at=long_ago)
    make.flow(company, kind=rounds.READ_OPEN, state=FlowState.DONE, finished_at=clock.now())
    make.flow(company, kind=rounds.READ_OPEN)

    assert trimming.forget_readings() == len(rounds.KINDS)
    assert set(rounds.KINDS) == set(FLEETING)

    kinds = sorted(Flow.objects.values_list("kind", flat=True))
    assert kinds == ["read_invoice", rounds.READ_OPEN, rounds.READ_OPEN, "send_invoice"]


def test_a_sweep_begins_what_is_due(
    filled: Connection, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror.objects.update(next_at=clock.now(), open_at=clock.now())
    monkeypatch.setattr(planner, "_next_look", 0.0)

    sweep()
    bokio.work(filled)

    assert sandbox.calls()["counts"]["get-invoice"] == 1


def test_a_parked_reading_goes_on_after_a_reconnect(
    filled: Connection, person: User, sandbox: SandboxProcess
) -> None:
    Mirror.objects.update(next_at=clock.now(), open_at=clock.now())
    planner.look()
    Connection.objects.update(state=State.BROKEN)
    sweep()
    parked = Flow.objects.get(kind=rounds.READ_OPEN)
    assert parked.state == FlowState.PARKED

    Connection.objects.update(state=State.ACTIVE)
    sweep()
    bokio.work(filled)

    parked.refresh_from_db()
    assert parked.state == FlowState.DONE


@pytest.mark.django_db
def test_ten_thousand_invoices_are_a_hundred_calls_shared_out_among_flows(settings: Any) -> None:
    company = make.connection()
    timetable(company)
    Listing.objects.create(connection=company, name="list_invoices", pages=100, total=10_000)

    planner.look()

    steps = Step.objects.filter(flow__connection=company)
    assert steps.filter(op="list_invoices").count() == 100
    assert steps.count() == 100 + len(BOOKS) + 2  # customers and credit notes; items are not asked
    pages = steps.filter(op="list_invoices").values_list("payload__page", flat=True)
    assert sorted(pages) == list(range(1, 101))
    assert Flow.objects.count() == settings.MIRROR_FLOWS


@pytest.mark.django_db
def test_details_are_read_of_open_invoices_first_and_of_none_twice(settings: Any) -> None:
    settings.MIRROR_FLOWS = 1
    company = make.connection()
    mirror = timetable(company)
    for status in ("paid", "overdue", "paid", "underPaid"):
        make.invoice(company, status=status, details_wanted_at=clock.now())
    make.invoice(company, status="paid")

    rounds.start_details(mirror)
    rounds.start_details(mirror)

    flow = Flow.objects.get()
    ids = flow.steps.order_by("pos").values_list("payload__invoice", flat=True)
    statuses = [Invoice.objects.get(pk=pk).status for pk in ids]
    assert sorted(statuses[:2]) == ["overdue", "underPaid"]
    assert statuses[2:] == ["paid", "paid"]
    settings.MIRROR_FLOWS = 2
    rounds.start_details(mirror)
    assert Flow.objects.count() == 1


@pytest.mark.django_db
def test_what_waits_to_be_recorded_is_read_anew_and_what_never_is_recorded_is_not() -> None:
    company = make.connection()
    waiting, recorded, adjusted = (make.invoice(company, status="paid") for _ in range(3))
    paid = {"date": clock.today(), "amount": 1, "account": 1930}
    Payment.objects.create(invoice=waiting, remote_id="1", **paid)
    Payment.objects.create(invoice=recorded, remote_id="2", journal_entry_id="3", **paid)
    Settlement.objects.create(
        invoice=adjusted, remote_id="4", type="balanceAdjustment", date=clock.today(), amount=1
    )

    rounds.want_unrecorded(company)

    assert [*Invoice.objects.exclude(details_wanted_at=None)] == [waiting]
