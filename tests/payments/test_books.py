"""What payments and taking them back leave in Bokio's books, and the page says of them."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.more import InvoiceMore
from bokio_app.invoicing.overview import Overview, flows_of
from bokio_app.payments import services, sync, undoing
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_payment_and_a_settlement_made_in_bokio_are_taken_back_there(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    company, remote = str(connection.company_id), invoice.remote_id
    sandbox.pay_invoice(company, remote, amount="50", date=str(clock.today()))
    sandbox.settle_invoice(company, remote, kind="bankFee", amount="5", date=str(clock.today()))
    sync.start_reading(invoice, by=person, because="test")
    bokio.work(connection)
    rows = [invoice.payments.get(), invoice.settlements.get()]

    for row in rows:
        undoing.take_back(row, by=person, request_key=str(uuid.uuid4()))
        bokio.work(connection)

    books = sandbox.books(company)
    assert books["payments"] == books["settlements"] == []
    assert len(books["journalEntries"]) == 1
    assert not invoice.payments.exists()
    assert not invoice.settlements.exists()
    invoice.refresh_from_db()
    assert invoice.open_amount == invoice.total
    assert set(Flow.objects.values_list("state", flat=True)) == {"done"}


def wanted(**values: object) -> services.PaymentInput:
    facts = {"date": clock.today(), "amount": Decimal(60000), "account": 1930} | values
    return services.PaymentInput(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["accrual", "cash"])
def test_a_payment_with_all_that_closes_an_invoice_is_booked_to_the_ore_as_expected(
    sandbox: SandboxProcess, connection: Connection, person: User, method: str
) -> None:
    year = str(clock.today().year)
    sandbox.change_company(str(connection.company_id), fiscalYears={year: {"method": method}})
    connection.fiscal_years.update(method=method)
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    bokio.work(connection)
    invoice.refresh_from_db()
    rest = Decimal(4625) - Decimal("15.50") - Decimal("100.01")
    loss = {"difference": rest} if method == "accrual" else {"amount": Decimal(60000) + rest}
    payment = wanted(fee=Decimal("15.50"), service_fee=Decimal("100.01"), vat_scheme="eu", **loss)

    services.register(invoice, payment, by=person, request_key=str(uuid.uuid4()))
    bokio.work(connection)

    invoice.refresh_from_db()
    view = Overview(invoice, flows_of(invoice))
    assert invoice.open_amount == 0
    assert [each.verdict for each in view.comparisons] == ["same"] * len(view.comparisons)
    assert len(view.comparisons) == (5 if method == "accrual" else 3)
    assert sandbox.balance(str(connection.company_id), 1510) == 0


@pytest.mark.parametrize("whole", [True, False])
def test_an_invoice_in_another_currency_is_booked_at_the_rate_that_bokio_has(
    sandbox: SandboxProcess, connection: Connection, person: User, whole: bool
) -> None:
    customer = make.customer(connection, org_number="556016-0680")
    line = {"unit_price": Decimal("99.99")}
    invoice = make.invoice(connection, by=person, customer=customer, lines=[line], currency="EUR")
    InvoiceMore.objects.create(invoice=invoice, rate=Decimal("11.2345"))
    flow, _started = invoicing.start_sending(invoice, by=person)
    step = flow.steps.get(op="create_invoice")
    step.payload |= {"more": {"currency_rate": "11.2345", "total_rounding": whole}}
    step.save()
    bokio.work(connection)
    invoice.refresh_from_db()
    assert invoice.currency_rate
    owed = services.still_open(invoice, rate=invoice.currency_rate)
    payment = wanted(amount=owed - 20, difference=Decimal(20), rate=invoice.currency_rate)

    services.register(invoice, payment, by=person, request_key=str(uuid.uuid4()))
    bokio.work(connection)

    invoice.refresh_from_db()
    view = Overview(invoice, flows_of(invoice))
    assert [each.verdict for each in view.comparisons] == ["same"] * 3
    assert invoice.open_amount == 0
    assert sandbox.balance(str(connection.company_id), 1510) == 0
