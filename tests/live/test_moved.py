"""What a look finds: every change of a flow or an invoice, once, and of these workspaces alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from bokio_app.audit.models import Event
from bokio_app.audit.services import record
from bokio_app.connections.models import Connection
from bokio_app.flows.models import Attempt, Flow, FlowState
from bokio_app.live import moved
from bokio_app.live.moved import MOST_IDS, Cursor, Moved, Thing, Watch
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Connection:
    return make.connection(make.tenant())


def called(flow: Flow) -> None:
    """A call of the flow's has ended."""
    Attempt.objects.create(step=flow.steps.all()[0], number=1, fence=1, outcome="success")


def thing(flow: Flow, invoice: str = "") -> Thing:
    return Thing(flow.tenant_id, flow.connection_id, flow=str(flow.public_id), invoice=invoice)


def test_a_call_that_has_ended_is_told_once_with_the_invoice_it_was_about(
    company: Connection,
) -> None:
    invoice = make.invoice(company)
    flow = make.flow(company, resource_key=invoice.resource_key)
    called(flow)
    watch = Watch()
    assert watch.look([company.tenant_id]) == []

    called(flow)

    assert watch.look([company.tenant_id]) == [thing(flow, str(invoice.pk))]
    assert watch.look([company.tenant_id]) == []


def test_a_flow_is_told_when_a_worker_takes_it_goes_on_and_leaves_it(company: Connection) -> None:
    flow = make.flow(company)
    watch = Watch()
    watch.look([company.tenant_id])

    for change in ({"state": FlowState.RUNNING}, {"cursor": 1}, {"state": FlowState.READY}):
        Flow.objects.filter(pk=flow.pk).update(**change)

        assert watch.look([company.tenant_id]) == [thing(flow)], change
        assert watch.look([company.tenant_id]) == [], change


def test_what_a_person_does_is_told_of_flow_invoice_and_company(company: Connection) -> None:
    invoice, flow = make.invoice(company), make.flow(company)
    watch = Watch()
    watch.look([company.tenant_id])

    for subject, key in (
        ("flow", flow.public_id),
        ("invoice", invoice.pk),
        ("connection", company.pk),
        ("member", 17),
    ):
        record("done", tenant=company.tenant_id, subject=subject, subject_id=key)

    found = watch.look([company.tenant_id])
    assert set(found) == {
        thing(flow),
        Thing(company.tenant_id, company.pk, invoice=str(invoice.pk)),
        Thing(company.tenant_id, company.pk),
    }


def test_other_workspaces_are_not_looked_at(company: Connection) -> None:
    other = make.flow(make.connection(make.tenant()))
    watch = Watch()
    watch.look([company.tenant_id])

    called(other)
    Flow.objects.filter(pk=other.pk).update(state=FlowState.RUNNING)
    record("done", tenant=other.tenant_id, subject="flow", subject_id=other.public_id)

    assert watch.look([company.tenant_id]) == []


def test_the_number_of_queries_is_the_same_whatever_has_moved(
    company: Connection, django_assert_num_queries: Any
) -> None:
    watch = Watch()
    flows = [make.flow(company, business_key=str(number)) for number in range(20)]
    with django_assert_num_queries(5):
        watch.look([company.tenant_id])

    for flow in flows:
        called(flow)

    with django_assert_num_queries(6):
        assert len(watch.look([company.tenant_id])) == 20


def test_a_number_that_is_committed_after_a_later_one_is_not_lost(monkeypatch: Any) -> None:
    now = [100.0]
    monkeypatch.setattr(moved.time, "monotonic", lambda: now[0])
    cursor = Cursor(10)

    assert cursor.fresh([12]) == {12}
    now[0] += 1
    assert cursor.floor < 11
    assert cursor.fresh([11, 12]) == {11}
    for _second in range(20):
        now[0] += 1
        cursor.fresh([])

    assert cursor.floor == 12


def test_what_idle_workspaces_read_stays_short_while_others_work(
    company: Connection, monkeypatch: Any, django_assert_num_queries: Any
) -> None:
    now = [100.0]
    monkeypatch.setattr(moved.time, "monotonic", lambda: now[0])
    other = make.flow(make.connection(make.tenant()))
    watch = Watch()

    called(other)
    record("done", tenant=other.tenant_id, subject="flow", subject_id=other.public_id)
    for _second in range(12):
        watch.look([company.tenant_id])
        now[0] += 1

    with django_assert_num_queries(5) as asked:
        watch.look([company.tenant_id])
    for model in (Attempt, Event):
        newest = model._default_manager.order_by("pk").last()
        assert newest is not None
        table = f'"{model._meta.db_table}"."id" > {newest.pk} '
        assert any(table in each["sql"] for each in asked.captured_queries)


def test_a_full_page_goes_on_behind_its_last_row() -> None:
    cursor = Cursor(0)

    assert cursor.fresh([1, 2, 3], newest=9, full=True) == {1, 2, 3}

    assert cursor.floor == 3
    assert cursor.fresh([9], newest=9) == {9}


def test_too_many_to_name_are_told_as_all() -> None:
    many = Moved(flows={str(uuid4()) for _ in range(MOST_IDS + 1)})
    told = Moved(invoices={"1"})

    told.add(many)

    assert told.to_json() == {"all": True}
    told.add(Moved(flows={"1"}))
    assert told.to_json() == {"all": True}
