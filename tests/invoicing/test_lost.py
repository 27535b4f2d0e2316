"""A draft that somebody deleted at Bokio before it was published."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections.models import Connection
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import lost, services
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("hurry")]


def lose_draft(
    sandbox: SandboxProcess, connection: Connection, person: User, *, fault: str
) -> tuple[Invoice, Flow]:
    """A stuck flow: the fault struck its publishing, and the draft was deleted meanwhile."""
    invoice = bokio.guide_draft(connection, by=person)
    flow, _ = services.start_sending(invoice, by=person)
    params = {"status": 503} if fault == "status" else {}
    publish = "post-invoices-invoiceId-publish"
    sandbox.add_fault(publish, fault, **params)
    bokio.work_until(connection, lambda: bool(sandbox.count(publish)))
    invoice.refresh_from_db()
    sandbox.act_on_invoice(str(connection.company_id), invoice.remote_id, "delete")
    bokio.work(connection)
    flow.refresh_from_db()
    assert flow.state == FlowState.STUCK
    return invoice, flow


@pytest.mark.parametrize("fault", ["status", "error_before"])
def test_a_draft_deleted_in_bokio_is_taken_back_and_sent_as_a_new_one(
    fault: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = lose_draft(sandbox, connection, person, fault=fault)

    invoice = lost.start_over(invoice, by=person)
    flow.refresh_from_db()
    assert (flow.state, flow.holds_resource) == (FlowState.CANCELLED, False)
    assert invoice.is_ours
    assert services.is_editable(invoice)

    services.start_sending(invoice, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert invoice.is_recorded
    books = sandbox.books(str(connection.company_id))
    assert [each["status"] for each in books["invoices"]] == ["published"]
    assert len(books["journalEntries"]) == 1
    assert Event.objects.get(action="invoice.started_over").actor == person


def test_a_draft_that_was_taken_back_can_be_deleted(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, _flow = lose_draft(sandbox, connection, person, fault="error_before")

    services.delete_draft(lost.start_over(invoice, by=person), by=person)

    assert not Invoice.objects.exists()
    assert not sandbox.books(str(connection.company_id))["invoices"]


def test_what_was_cancelled_first_is_taken_back_after_the_next_try(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice, flow = lose_draft(sandbox, connection, person, fault="error_before")
    flows.cancel(flow, by=person)
    bokio.work(connection)
    with pytest.raises(lost.NotLost):
        lost.start_over(invoice, by=person)
    services.start_sending(invoice, by=person)
    bokio.work(connection)

    assert lost.start_over(invoice, by=person).is_ours


def test_the_page_offers_it_and_does_it_once(
    sandbox: SandboxProcess, connection: Connection, person: User, client: Client
) -> None:
    invoice, _flow = lose_draft(sandbox, connection, person, fault="error_before")
    client.force_login(person)
    client.cookies["bokio_app_language"] = "en"
    page = reverse("invoicing:detail", args=[invoice.pk])
    take_back = reverse("invoicing:start_over", args=[invoice.pk])
    assert take_back in client.get(page).content.decode()

    first = client.post(take_back, follow=True).content.decode()
    second = client.post(take_back, follow=True).content.decode()

    assert "The draft is yours again" in first
    assert take_back not in first
    assert "Nothing was changed" in second
    assert Event.objects.filter(action="invoice.started_over").count() == 1


@pytest.mark.django_db
def test_another_stop_gives_nothing_back() -> None:
    connection = make.connection()
    invoice = make.invoice(connection, remote_id="7d0e")
    by = make.user()
    make.flow(
        connection,
        state=FlowState.STUCK,
        stuck_code="missing-scope",
        business_key=str(invoice.pk),
        cursor=2,
    )

    with pytest.raises(lost.NotLost):
        lost.start_over(invoice, by=by)

    invoice.refresh_from_db()
    assert invoice.remote_id == "7d0e"
