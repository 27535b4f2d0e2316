"""A draft whose total in Bokio is another one than ours, before it is published."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from bokio_app.connections.models import Connection
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import bokios_total, services
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.overview import Overview, flows_of
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

PUBLISH = "post-invoices-invoiceId-publish"


def sent(connection: Connection, person: User, *, ours: str, price: str = "1000") -> Invoice:
    """Of one line at 25 %, with what we take its total to be."""
    customer = make.customer(connection, org_number="556016-0680")
    line = {"unit_price": Decimal(price)}
    invoice = make.invoice(connection, by=person, customer=customer, lines=[line])
    Invoice.objects.filter(pk=invoice.pk).update(total=Decimal(ours))
    services.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    return invoice


def test_another_total_stops_before_publishing_and_shows_both(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = sent(connection, person, ours="1249.00")

    view = Overview(invoice, flows_of(invoice))
    assert sandbox.count(PUBLISH) == 0
    assert invoice.is_draft
    assert view.is_total_in_doubt
    for amount in ("249", "250"):
        assert amount in view.stuck_meaning


def test_a_persons_word_publishes_with_bokios_total_and_it_is_the_one_to_pay(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = sent(connection, person, ours="1249.00")

    bokios_total.accept(invoice, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert (invoice.total, invoice.open_amount) == (1250, 1250)
    assert sandbox.count(PUBLISH) == 1
    assert Flow.objects.get(kind="send_invoice").state == FlowState.DONE


def test_letting_the_flow_go_on_without_a_word_stops_it_again(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = sent(connection, person, ours="1249.00")

    flows.retry(Flow.objects.get(kind="send_invoice"), by=person)
    bokio.work(connection)

    assert sandbox.count(PUBLISH) == 0
    assert bokios_total.is_in_doubt(Flow.objects.get(kind="send_invoice"))
    with pytest.raises(bokios_total.NotInDoubt):
        bokios_total.accept(make.invoice(connection), by=person)
    assert invoice.is_draft


@pytest.mark.parametrize("whole", [True, False])
def test_whole_kronor_are_accepted_and_shown_and_the_entry_is_as_expected(
    sandbox: SandboxProcess, connection: Connection, person: User, whole: bool
) -> None:
    sandbox.change_company(str(connection.company_id), wholeKronaRounding=whole)

    invoice = sent(connection, person, ours="1249.50", price="999.60")

    view = Overview(invoice, flows_of(invoice))
    assert invoice.open_amount == (1250 if whole else Decimal("1249.50"))
    assert view.rounding == (Decimal("0.50") if whole else 0)
    assert [each.verdict for each in view.comparisons] == ["same"]
    assert any(row.account == 3740 for row in view.comparisons[0].rows) == whole


@pytest.mark.django_db
def test_the_page_asks_and_a_stranger_finds_nothing(client) -> None:
    connection = make.connection()
    invoice = make.invoice(connection, remote_id="r1")
    make.flow(
        connection,
        state=FlowState.STUCK,
        stuck_code="total-differs",
        business_key=str(invoice.pk),
        resource_key=invoice.resource_key,
        cursor=2,
    ).steps.filter(op="publish_invoice").update(
        error_code="total-differs", error_message="1249.00 1250.00"
    )
    address = reverse("invoicing:accept_total", args=[invoice.pk])
    client.force_login(make.member(connection.tenant))
    html = client.get(reverse("invoicing:detail", args=[invoice.pk])).content.decode()
    assert address in html

    client.force_login(make.member())

    assert client.post(address).status_code == 404
    assert Flow.objects.get().state == FlowState.STUCK
