"""The first fill of a company's copy, and the rounds after it, held to Bokio's books."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState, Listing, StepState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import CreditNote, Customer, Invoice, LineItem
from bokio_app.invoicing.sync.invoices import ListInvoices, keep_invoices
from bokio_app.mirror import planner, rounds
from bokio_app.mirror.models import Mirror
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

from . import support

PAGES = 2
MANY = 110  # invoices on so many pages, with the credit notes among them
WRITES = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "(invoicing|payments|ledger)_')

WithPast = Callable[[int], Connection]


class Killed(BaseException):
    """The worker's process is gone: nothing of it happens any more."""


def test_a_fill_brings_all_that_bokio_holds(
    with_past: WithPast, person: User, sandbox: SandboxProcess
) -> None:
    company = with_past(40)
    support.ask(company, person)
    bokio.work(company)

    held = support.books(sandbox, company)
    counts = {
        "invoices": Invoice.objects.count(),
        "customers": Customer.objects.count(),
        "creditNotes": CreditNote.objects.count(),
        "payments": Payment.objects.count(),
        "settlements": Settlement.objects.count(),
    }
    assert counts == {name: len(held[name]) for name in counts}
    assert Invoice.objects.exclude(customer=None).count() == counts["invoices"]
    assert {each.net for each in Invoice.objects.all()} == {
        each.totals().net for each in Invoice.objects.all()
    }
    owed = {each["id"]: Decimal(each["outstanding"]) for each in held["invoices"]}
    sent = Invoice.objects.exclude(status="draft")
    assert {each.remote_id: each.open_amount for each in sent}.items() <= owed.items()
    assert not Flow.objects.exclude(state=FlowState.DONE).exists()


def test_lists_cost_one_call_a_page_and_a_second_round_writes_nothing(
    with_past: WithPast, sandbox: SandboxProcess
) -> None:
    company = with_past(MANY)
    support.read_lists(company)
    first = Counter(sandbox.calls()["counts"])

    sandbox.clear_calls()
    now = clock.now()
    Mirror.objects.update(all_at=now, next_at=now)
    with CaptureQueriesContext(database) as seen:
        planner.look()
        bokio.work(company)

    second = sandbox.calls()["counts"]
    assert first["get-invoice"] == second["get-invoice"] == PAGES
    assert first["get-customer"] == first["list-credit-notes-v1"] == 1
    assert second["get-chart-of-accounts"] == second["get-fiscal-years"] == 1
    assert written(seen.captured_queries) == []
    assert LineItem.objects.exists()


def written(queries: Sequence[dict[str, str]]) -> list[str]:
    """The statements that wrote to a copied table."""
    return [each["sql"] for each in queries if each["sql"] and WRITES.search(each["sql"])]


def test_a_fill_that_is_killed_goes_on_behind_the_last_page(
    with_past: WithPast, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = with_past(MANY)
    keep, kept = ListInvoices.keep, []

    def die_on_the_second(self: ListInvoices, ctx: Any, *rest: Any) -> None:
        kept.append(ctx.payload["page"])
        if len(kept) == 2:
            raise Killed
        keep(self, ctx, *rest)

    monkeypatch.setattr(ListInvoices, "keep", die_on_the_second)
    support.ask(company)
    with pytest.raises(Killed):
        bokio.work(company)
    after_the_kill = Invoice.objects.count()
    Flow.objects.filter(state=FlowState.RUNNING).update(lease_until=clock.now())
    done = rounds.moving(company, rounds.READ_LISTS)
    bokio.work_until(company, lambda: not done.exists())

    assert after_the_kill >= 90
    assert kept == [1, 2, 2]
    assert sandbox.calls()["counts"]["get-invoice"] == PAGES + 1
    assert len(support.remote_ids(company)) == MANY


def test_two_fills_at_once_are_one(
    with_past: WithPast, person: User, sandbox: SandboxProcess
) -> None:
    company = with_past(5)
    support.ask(company, person)
    support.ask(company, person)
    bokio.work(company)

    assert Flow.objects.filter(kind=rounds.READ_LISTS).count() == 1
    assert sandbox.calls()["counts"]["get-invoice"] == 1


def test_a_draft_that_is_deleted_in_bokio_is_gone_here_and_keeps_its_row(
    with_past: WithPast, sandbox: SandboxProcess
) -> None:
    company = with_past(MANY)
    [remote_id] = support.some_drafts(company, 1)
    support.read_lists(company)
    held, draft = support.remote_ids(company), Invoice.objects.get(remote_id=remote_id)
    sandbox.clear_calls()

    sandbox.act_on_invoice(str(company.company_id), remote_id, "delete")
    support.read_lists(company)

    draft.refresh_from_db()
    assert draft.gone_at is not None
    assert support.remote_ids(company) == held - {remote_id}
    # What is missing on one of several pages is looked for once more before it counts as gone.
    assert sandbox.calls()["counts"]["get-invoice"] == 2 * PAGES


def test_rows_that_shift_between_pages_are_neither_lost_nor_taken_for_gone(
    with_past: WithPast, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = with_past(0)
    drafts = support.some_drafts(company, 105)
    ask, deleted = ListInvoices.ask, []

    def shift_after_the_first(self: ListInvoices, *args: Any) -> Any:
        page = ask(self, *args)
        if not deleted:  # now the second page begins with what was on the first
            deleted.append(str(page.rows[3].id))
            sandbox.act_on_invoice(str(company.company_id), deleted[0], "delete")
        return page

    monkeypatch.setattr(ListInvoices, "ask", shift_after_the_first)
    support.read_lists(company)

    assert support.remote_ids(company) == drafts - set(deleted)
    assert Listing.objects.get(name="list_invoices").looks == 3  # missed, met, missed again


def test_what_a_flow_is_just_making_stays_that_flows(
    with_past: WithPast, person: User, sandbox: SandboxProcess
) -> None:
    company = with_past(3)
    invoice = bokio.guide_draft(company, by=person)
    sandbox.lose_answer("post-invoice")
    flow, _ = invoicing.start_sending(invoice, by=person)
    unclear = flow.steps.filter(op="create_invoice", state=StepState.UNKNOWN)
    bokio.work_until(company, unclear.exists)
    Flow.objects.filter(pk=flow.pk).update(not_before=clock.now() + timedelta(hours=1))

    support.read_lists(company)
    while_unclear = Invoice.objects.count()
    Flow.objects.filter(pk=flow.pk).update(not_before=clock.now())
    bokio.work(company)

    flow.refresh_from_db()
    invoice.refresh_from_db()
    assert while_unclear == Invoice.objects.count() == 4  # three of the past, and ours
    assert flow.state == FlowState.DONE
    assert invoice.remote_id in support.remote_ids(company)
    assert len(support.books(sandbox, company)["invoices"]) == 4


def test_a_list_asked_for_before_a_flow_wrote_replaces_nothing_of_it(
    with_past: WithPast,
    person: User,
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = with_past(3)
    draft = bokio.guide_draft(company, by=person)
    sandbox.add_fault("post-invoices-invoiceId-publish", "error_before")
    flow, _ = invoicing.start_sending(draft, by=person)
    unclear = flow.steps.filter(op="publish_invoice", state=StepState.UNKNOWN)
    bokio.work_until(company, unclear.exists)
    Flow.objects.filter(pk=flow.pk).update(not_before=clock.now() + timedelta(hours=1))
    ask, met = ListInvoices.ask, []

    def overtaken(self: ListInvoices, *args: Any) -> Any:
        """The flow publishes and records while the answer to us is on its way."""
        page = ask(self, *args)
        if not met:
            met.extend(each.status for each in page.rows if str(each.id) == remote_id)
            Flow.objects.filter(pk=flow.pk).update(not_before=clock.now())
            bokio.work_until(company, lambda: not is_moving(flow))
        return page

    remote_id = Invoice.objects.get(pk=draft.pk).remote_id
    monkeypatch.setattr(ListInvoices, "ask", overtaken)
    support.read_lists(company)

    draft.refresh_from_db()
    assert met == ["draft"]
    assert (draft.status, draft.is_recorded) == ("published", True)


def test_what_another_reading_brings_while_a_list_is_on_its_way_is_not_gone(
    with_past: WithPast, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = with_past(3)
    support.read_lists(company)
    ask, made = ListInvoices.ask, set[str]()

    def overtaken(self: ListInvoices, bokio_: Any, number: int) -> Any:
        """Somebody makes an invoice in Bokio, and a reading that was asked later brings it."""
        page = ask(self, bokio_, number)
        if not made:
            [remote_id] = support.some_drafts(company, 1)
            made.add(remote_id)
            flow = Flow.objects.get(kind=rounds.READ_LISTS, state=FlowState.RUNNING)
            with transaction.atomic():
                keep_invoices(flow, [bokio_.invoices.get(UUID(remote_id))], clock.now())
        return page

    monkeypatch.setattr(ListInvoices, "ask", overtaken)
    support.read_lists(company)

    assert Invoice.objects.get(remote_id__in=made).status == "draft"
    assert made <= support.remote_ids(company)


def is_moving(flow: Flow) -> bool:
    return Flow.objects.filter(pk=flow.pk, state__in=rounds.MOVING).exists()


def test_a_reading_touches_no_other_workspace(with_past: WithPast, sandbox: SandboxProcess) -> None:
    company = with_past(5)
    support.read_lists(company)
    stranger = make.connection()
    theirs = Invoice.objects.filter(connection=company).first()
    assert theirs is not None
    twin = make.invoice(
        stranger, status="published", remote_id=theirs.remote_id, total=Decimal("7.00")
    )
    before = Invoice.objects.filter(pk=twin.pk).values().get()

    Invoice.objects.filter(connection=company).update(total=Decimal("1.00"))
    support.read_lists(company)

    theirs.refresh_from_db()
    assert theirs.total != Decimal("1.00")
    assert Invoice.objects.filter(pk=twin.pk).values().get() == before
