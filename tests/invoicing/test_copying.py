"""Copying an invoice: a draft of its own, of today, made once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.more import InvoiceMore
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    return make.connection(make.tenant())


@pytest.fixture
def page(client, connection):
    client.force_login(make.member(connection.tenant))
    return client


def invoice_of(connection, **fields):
    values = {"invoice_date": date(2026, 1, 10), "due_date": date(2026, 1, 25)}
    values |= {"remote_id": "r-1", "status": "paid", "number": "1041", "your_reference": "Jane"}
    return make.invoice(connection, **values | fields)


def copied(page, invoice, key="k"):
    address = reverse("invoicing:copy", args=[invoice.pk])
    page.post(address, {"request_key": key})
    return Invoice.objects.exclude(pk=invoice.pk)


def test_a_copy_is_a_draft_of_today_with_the_same_terms_and_lines(page, connection):
    original = invoice_of(connection)

    copy = copied(page, original).get()

    today = clock.today()
    assert (copy.status, copy.remote_id, copy.number) == ("draft", "", "")
    assert (copy.invoice_date, copy.due_date) == (today, today + timedelta(days=15))
    assert (copy.customer, copy.your_reference) == (original.customer, "Jane")
    facts = [line.facts for line in original.lines.all()]
    assert facts
    assert [line.facts for line in copy.lines.all()] == facts
    assert not Flow.objects.exists()


def test_two_clicks_are_one_copy_even_if_it_was_edited_meanwhile(page, connection):
    original = invoice_of(connection)
    copy = copied(page, original).get()
    copy.your_reference = "John"
    copy.save()

    assert copied(page, original).get().your_reference == "John"
    assert copied(page, original, key="other").count() == 2


def test_a_customer_that_bokio_no_longer_has_is_left_out(page, connection):
    gone = make.customer(connection, gone_at=clock.now())

    assert copied(page, invoice_of(connection, customer=gone)).get().customer is None


def test_a_currency_whose_rate_is_unknown_is_asked_for_before_it_is_sent(page, connection):
    make.fiscal_year(connection)
    copy = copied(page, invoice_of(connection, currency="EUR")).get()

    send = reverse("invoicing:send", args=[copy.pk])
    editor = page.post(send, {"request_key": "k"}, follow=True).context["editor"]

    assert editor.form["rate"].errors
    assert editor.total_home is None
    assert not Flow.objects.exists()
    assert copy.net > Decimal(0)


def test_an_invoice_of_a_company_that_left_is_not_copied(page, connection):
    original = invoice_of(connection)
    connection.state = "ended"
    connection.save()

    assert not copied(page, original).exists()


def test_a_copy_asks_for_the_rate_of_its_own_day(page, connection):
    make.fiscal_year(connection)
    original = invoice_of(connection, currency="EUR", currency_rate=Decimal("11.2345"))
    InvoiceMore.objects.create(invoice=original, rate=Decimal("11.2345"))
    copy = copied(page, original).get()

    page.post(reverse("invoicing:send", args=[copy.pk]), {"request_key": "s"})

    assert copy.currency_rate is None
    assert not Flow.objects.exists()
