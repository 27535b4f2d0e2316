"""Taking back a payment or a settlement that is not in the books, without a worker."""

from __future__ import annotations

import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.bokio.errors import NotFound, Unsendable
from bokio_app.core import clock
from bokio_app.flows.explain import OURS
from bokio_app.flows.models import Flow, FlowState
from bokio_app.flows.operations import OPERATIONS, Done, StepContext
from bokio_app.flows.patterns import GONE
from bokio_app.payments.models import Payment, Settlement
from bokio_app.payments.taking_back import DeletePayment
from bokio_app.payments.undo_views import problem_text
from bokio_app.payments.undoing import CannotTakeBack, take_back
from tests.support import make

pytestmark = pytest.mark.django_db
KINDS = ["payment", "settlement"]


@pytest.fixture
def tenant():
    return make.tenant()


@pytest.fixture
def page(client, tenant):
    client.force_login(make.member(tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def invoice(tenant):
    connection = make.connection(tenant)
    make.fiscal_year(connection)
    return make.invoice(connection, status="published")


def made(kind: str, invoice: Any, **fields: Any) -> Payment | Settlement:
    facts = {
        "invoice": invoice,
        "date": clock.today(),
        "amount": Decimal(100),
        "remote_id": str(uuid.uuid4()),
    } | fields
    if kind == "payment":
        return Payment.objects.create(account=1930, **facts)
    return Settlement.objects.create(type=Settlement.Type.BANK_FEE, **facts)


def url_of(row: Payment | Settlement) -> str:
    kind = "payment" if isinstance(row, Payment) else "settlement"
    return reverse(f"payments:take_{kind}_back", args=[row.invoice_id, row.pk])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_recorded_is_taken_back_by_one_flow_however_often_asked(page, invoice, kind):
    row = made(kind, invoice)

    for _ in range(2):
        page.post(url_of(row), {"request_key": str(uuid.uuid4())})

    flow = Flow.objects.get()
    [step] = flow.steps.all()
    assert (flow.kind, flow.resource_key) == (f"delete_{kind}", invoice.resource_key)
    assert step.payload[f"remote_{kind}"] == row.remote_id
    assert Event.objects.filter(action=f"{kind}.taken_back").count() == 1
    assert type(row).objects.count() == 1  # until Bokio has let it go


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fields", [{"journal_entry_id": "e1"}, {"remote_id": ""}])
def test_what_is_recorded_or_not_at_bokio_stays_and_the_page_says_why(page, invoice, kind, fields):
    row = made(kind, invoice, **fields)

    shown = page.get(url_of(row))
    page.post(url_of(row), {"request_key": str(uuid.uuid4())})

    assert shown.context["problem"]
    assert 'name="request_key"' not in shown.content.decode()
    assert Flow.objects.count() == 0


@pytest.mark.parametrize("state", [FlowState.READY, FlowState.STUCK])
def test_nothing_is_taken_back_under_a_flow_that_may_be_about_to_record_it(page, invoice, state):
    row = made("payment", invoice)
    make.flow(invoice.connection, state=state, resource_key=invoice.resource_key)

    page.post(url_of(row), {"request_key": str(uuid.uuid4())})

    assert not Flow.objects.filter(kind="delete_payment").exists()


def test_the_invoices_page_leads_there(page, invoice):
    row, recorded = made("payment", invoice), made("settlement", invoice, journal_entry_id="e1")

    html = page.get(reverse("invoicing:detail", args=[invoice.pk])).content.decode()

    assert url_of(row) in html
    assert url_of(recorded) in html
    assert 'name="request_key"' in page.get(url_of(row)).content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_another_invoices_row_and_another_tenants_are_not_found(page, invoice, kind):
    row = made(kind, invoice)
    other = make.invoice(invoice.connection, status="published")
    theirs = made(kind, make.invoice(make.connection(), status="published"))
    crossed = reverse(f"payments:take_{kind}_back", args=[other.pk, row.pk])

    for address in (crossed, url_of(theirs)):
        assert page.get(address).status_code == page.post(address).status_code == 404
    assert Flow.objects.count() == 0


def test_a_payment_whose_fee_bokio_no_longer_has_is_taken_back_all_the_same(invoice):
    payment = made("payment", invoice)
    fee = made("settlement", invoice, payment=payment, gone_at=clock.now())
    payload = {"invoice": str(invoice.pk), "remote_payment": payment.remote_id}
    flow = make.flow(invoice.connection, ops=["delete_payment"])
    [step] = flow.steps.all()
    step.payload = payload

    DeletePayment().apply(StepContext(flow, step, {}, [step]), Done({}))

    assert not Payment.ever.exists()
    assert Settlement.ever.get().pk == fee.pk


@pytest.mark.parametrize("kind", KINDS)
def test_one_taken_back_meanwhile_is_said_to_be_gone(invoice, kind):
    row = made(kind, invoice)
    person = make.member(invoice.tenant)
    type(row).objects.filter(pk=row.pk).delete()  # after the page had found it

    with pytest.raises(CannotTakeBack) as refused:
        take_back(row, by=person, request_key="late")

    assert refused.value.code == "gone"
    assert problem_text("gone")
    assert Flow.objects.count() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_run_was_marked_as_handled_it_may_be_asked_for_again(page, invoice, kind):
    row = made(kind, invoice)
    page.post(url_of(row), {"request_key": "first"})
    Flow.objects.update(state=FlowState.CANCELLED)

    page.post(url_of(row), {"request_key": "second"})
    again = page.post(url_of(row), {"request_key": "third"}, follow=True)

    assert Flow.objects.count() == 2
    assert Event.objects.filter(action=f"{kind}.taken_back").count() == 2
    assert "Nothing more was started" in again.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_what_bokio_has_recorded_meanwhile_is_not_deleted(invoice, kind):
    operation, ctx = step_of(made(kind, invoice))

    with pytest.raises(Unsendable) as refused:
        operation.before(ctx, bokio_with(kind, SimpleNamespace(journal_entry_id=uuid.uuid4())))

    assert refused.value.code == "recorded"
    assert refused.value.code in OURS  # in words of ours


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_from_bokio_is_taken_back_and_what_is_there_is_sent_for(invoice, kind):
    operation, ctx = step_of(made(kind, invoice))
    gone = bokio_with(kind, NotFound("gone", code=GONE))
    elsewhere = bokio_with(kind, NotFound("a gateway's"))

    assert operation.before(ctx, gone) == Done({})
    assert operation.before(ctx, bokio_with(kind, SimpleNamespace(journal_entry_id=None))) == []
    with pytest.raises(NotFound):
        operation.before(ctx, elsewhere)


def step_of(row: Payment | Settlement) -> tuple[Any, StepContext]:
    flow, _is_new = take_back(row, by=make.member(row.invoice.tenant), request_key="once")
    step = flow.steps.get()
    step.payload["remote_invoice"] = str(uuid.uuid4())
    return OPERATIONS[step.op], StepContext(flow, step, {})


def bokio_with(kind: str, answer: Any) -> Any:
    """A Bokio that answers any reading so."""
    return SimpleNamespace(**{f"{kind}s": Mock(get=Mock(side_effect=[answer]))})
