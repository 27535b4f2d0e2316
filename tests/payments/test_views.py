"""The page that registers a payment, without a worker."""

import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.payments.models import Payment, Settlement
from tests.support import make

pytestmark = pytest.mark.django_db


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
    for number in (1510, 1930, 1940, 6570):
        make.account(connection, number)
    rows = [
        {"quantity": 180, "unit_price": Decimal(290), "product": "goods"},
        {"unit_price": Decimal(-500), "account": 3730},
    ]
    return make.invoice(connection, status="published", lines=rows)


def url_of(invoice, name="register"):
    return reverse(f"payments:{name}", args=[invoice.pk])


def typed(**values):
    return {
        "request_key": str(uuid.uuid4()),
        "amount": "64 609,50",
        "date": clock.today().isoformat(),
        "account": "1940",
        "fee": "15,50",
    } | values


def test_the_form_proposes_all_that_is_open_today(page, invoice):
    form = page.get(url_of(invoice)).context["form"]

    assert form["amount"].value().replace("\u00a0", "") == "64625.00"
    assert form["date"].value() == clock.today().isoformat()
    assert [number for number, _ in form.fields["account"].choices] == [1930, 1940]


def test_it_shows_what_will_happen_before_it_does(page, invoice):
    effect = page.post(url_of(invoice, "preview"), typed()).context["effect"]

    fee, payment = (entry for _title, entry in effect.entries)
    assert [(row.account, row.debit, row.credit) for row in payment.rows] == [
        (1940, Decimal("64609.50"), 0),
        (1510, 0, Decimal("64609.50")),
    ]
    assert fee.rows[0].account == 6570
    assert effect.open_after == 0
    assert Payment.objects.count() == 0


def test_one_post_registers_payment_and_fee_in_one_flow(page, invoice):
    response = page.post(url_of(invoice), typed())

    assert response["Location"] == reverse("invoicing:detail", args=[invoice.pk])
    flow = Flow.objects.get()
    assert [step.op for step in flow.steps.all()] == [
        "create_settlement",
        "record_settlement",
        "create_payment",
        "record_payment",
    ]
    assert Payment.objects.get().amount == Decimal("64609.50")
    assert Settlement.objects.get().amount == Decimal("15.50")


def test_the_same_form_sent_twice_is_one_payment(page, invoice):
    form = typed()

    for _ in range(2):
        assert page.post(url_of(invoice), form).status_code == 302

    assert Payment.objects.count() == Flow.objects.count() == 1


def test_two_equal_payments_from_two_forms_are_two(page, invoice):
    for _ in range(2):
        page.post(url_of(invoice), typed(amount="100", fee="0"))

    assert Payment.objects.count() == Flow.objects.count() == 2


def test_the_difference_is_offered_as_bank_fee(page, invoice):
    short = typed(fee="0")
    assert page.post(url_of(invoice, "preview"), short).context["effect"].gap == Decimal("15.50")

    response = page.post(url_of(invoice), short | {"action": "take_gap"})

    form = response.context["form"]
    assert form["fee"].value() == "15.50"
    assert form["account"].value() == "1940"
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(
    "values,field",
    [
        ({"amount": "0"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": "x"}, "amount"),
        ({"fee": "-1"}, "fee"),
        ({"amount": "64 625", "fee": "1"}, "fee"),
        ({"date": "1999-01-01"}, "date"),
        ({"date": "soon"}, "date"),
        ({"account": "1910"}, "account"),
    ],
)
def test_a_mistake_is_on_its_field_and_nothing_is_registered(page, invoice, values, field):
    response = page.post(url_of(invoice), typed(**values))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.content.decode()
    assert Payment.objects.count() == Flow.objects.count() == 0


def test_a_draft_cannot_be_paid(page, invoice):
    draft = make.invoice(invoice.connection)

    assert page.get(url_of(draft)).status_code == 302
    assert page.post(url_of(draft), typed(fee="0")).status_code == 422
    assert Payment.objects.count() == 0


def test_by_the_cash_method_no_entry_is_promised(page, tenant):
    connection = make.connection(tenant)
    make.fiscal_year(connection, method="cash")
    invoice = make.invoice(connection, status="published")

    effect = page.post(url_of(invoice, "preview"), typed()).context["effect"]

    assert effect.entries is None


def test_reading_anew_starts_a_reading(page, invoice):
    page.post(url_of(invoice, "refresh"))

    assert Flow.objects.get().kind == "read_invoice"


def test_a_draft_of_ours_is_not_read(page, invoice):
    page.post(url_of(make.invoice(invoice.connection), "refresh"))

    assert Flow.objects.count() == 0


@pytest.mark.parametrize("name", ["register", "preview", "refresh"])
def test_another_tenants_invoice_is_not_found(page, name):
    theirs = make.invoice(make.connection(), status="published")

    answers = {
        page.post(url_of(theirs, name), typed()).status_code,
        page.get(url_of(theirs, name)).status_code,
    }

    assert answers - {405} == {404}
    assert Payment.objects.count() == 0


def test_a_second_person_is_told_that_the_invoice_was_paid_meanwhile(page, invoice):
    form = page.get(url_of(invoice)).context["form"]
    seen = {"open_seen": str(form["open_seen"].value()), "fee": "0", "amount": "64 625,00"}

    first = page.post(url_of(invoice), typed(**seen))
    second = page.post(url_of(invoice), typed(**seen))

    assert (first.status_code, second.status_code) == (302, 422)
    assert "amount" in second.context["form"].errors
    assert Payment.objects.count() == Flow.objects.count() == 1
    again = page.get(url_of(invoice))
    assert again["Location"] == reverse("invoicing:detail", args=[invoice.pk])
