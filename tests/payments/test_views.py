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

    fee, payment = (part.entry for part in effect.parts)
    assert [(row.account, row.debit, row.credit) for row in payment.rows] == [
        (1940, Decimal("64609.50"), 0),
        (1510, 0, Decimal("64609.50")),
    ]
    assert fee.rows[0].account == 6570
    assert effect.left == 0
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
    assert page.post(url_of(invoice, "preview"), short).context["effect"].left == Decimal("15.50")

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
        ({"service_fee": "-1"}, "service_fee"),
        ({"fee": "0", "service_fee": "10"}, "vat_scheme"),
        ({"amount": "64 625", "fee": "0", "difference": "10"}, "difference"),
        ({"amount": "64 000", "difference": "10", "direction": "gain"}, "difference"),
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


def effect_of(page, invoice, **values):
    return page.post(url_of(invoice, "preview"), typed(**values)).context["effect"]


def sides(part):
    return {row.account: row.debit - row.credit for row in part.entry.rows}


def test_by_the_cash_method_the_sale_is_expected_with_the_money_and_said_to_be_a_reckoning(
    page, tenant
):
    connection = make.connection(tenant)
    make.fiscal_year(connection, method="cash")
    invoice = make.invoice(connection, status="published")

    effect = effect_of(page, invoice, amount="625", fee="0", account="1930")

    assert [sides(part) for part in effect.parts] == [{1930: 625, 3011: -500, 2611: -125}]
    assert len(effect.doubts) == 1


def test_by_the_cash_method_a_currency_difference_is_refused_before_anything_is_sent(page, tenant):
    connection = make.connection(tenant)
    make.fiscal_year(connection, method="cash")
    invoice = make.invoice(connection, status="published")
    form = typed(amount="1 200", fee="0", account="1930", difference="50")

    response = page.post(url_of(invoice), form)

    assert list(response.context["form"].errors) == ["difference"]
    assert Payment.objects.count() == Flow.objects.count() == 0


@pytest.mark.parametrize(
    "scheme,account", [("domestic", 6040), ("eu", 4535), ("nonEu", 4531), ("vatExempt", 6590)]
)
def test_a_payment_services_fee_is_registered_under_each_vat_scheme(page, invoice, scheme, account):
    form = {"amount": "64 000", "fee": "25", "service_fee": "600", "vat_scheme": scheme}

    effect = effect_of(page, invoice, **form)
    page.post(url_of(invoice), typed(**form))

    assert effect.left == 0
    assert sides(effect.parts[1])[account] == 600
    assert len(effect.doubts) >= 1
    steps = list(Flow.objects.get().steps.values_list("op", "payload"))
    assert [op.split("_")[1] for op, _payload in steps] == ["settlement"] * 4 + ["payment"] * 2
    assert steps[2][1]["vat_scheme"] == scheme
    assert Settlement.objects.get(type="paymentServiceFee").vat_scheme == scheme
    assert "vat_scheme" not in steps[0][1]


def test_a_gain_is_what_came_in_beyond_what_was_open(page, invoice):
    form = {"amount": "64 700", "fee": "0", "difference": "75", "direction": "gain"}

    effect = effect_of(page, invoice, **form)
    response = page.post(url_of(invoice), typed(**form))

    assert (effect.left, response.status_code) == (0, 302)
    assert sides(effect.parts[0]) == {1510: 75, 3960: -75}
    assert Settlement.objects.get().amount == -75


def test_part_over_and_under_payments_always_add_up(page, invoice):
    for amount, fee in (("100", "0"), ("64 625", "0"), ("70 000", "0"), ("64 000", "625")):
        effect = effect_of(page, invoice, amount=amount, fee=fee)
        parts = sum(part.amount for part in effect.parts)
        assert effect.open_now - parts == effect.left == Decimal(64625) - parts


@pytest.mark.parametrize(
    "action,amount,field,value",
    [
        ("take_service_fee", "64 600", "service_fee", "25.00"),
        ("take_loss", "64 600", "difference", "25.00"),
        ("take_gain", "64 700", "difference", "75.00"),
        ("take_gain", "64 600", "difference", ""),
    ],
)
def test_what_is_left_over_is_taken_as_what_a_person_says(
    page, invoice, action, amount, field, value
):
    form = typed(amount=amount, fee="0", action=action, difference="")

    response = page.post(url_of(invoice), form)

    assert (response.context["form"][field].value() or "") == value
    assert response.context["effect"].left in {0, Decimal(25)}
    assert Payment.objects.count() == 0


def test_without_script_the_form_can_be_worked_out_before_it_is_sent(page, invoice):
    response = page.post(url_of(invoice), typed(amount="600", fee="x", action="look"))

    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["fee"]
    assert Payment.objects.count() == Flow.objects.count() == 0


def test_an_invoice_in_another_currency_is_paid_in_kronor_at_its_rate(page, tenant):
    connection = make.connection(tenant)
    make.fiscal_year(connection)
    euros = make.invoice(connection, status="published", currency="EUR")
    form = typed(amount="14 000", fee="0", account="1930", rate="11,2345", difference="43,13")

    without_rate = page.post(url_of(euros), form | {"rate": ""})
    effect = page.post(url_of(euros, "preview"), form).context["effect"]
    response = page.post(url_of(euros), form)

    assert list(without_rate.context["form"].errors) == ["rate"]
    assert (effect.open_foreign, effect.open_now) == (Decimal(1250), Decimal("14043.13"))
    assert (effect.left, response.status_code) == (0, 302)
    assert Settlement.objects.get().amount == Decimal("43.13")


def test_the_money_accounts_of_the_companys_own_chart_are_offered(page, invoice):
    for number in (1920, 1999, 2440):
        make.account(invoice.connection, number)

    choices = page.get(url_of(invoice)).context["form"].fields["account"].choices

    assert [number for number, _ in choices] == [1930, 1940, 1920, 1999]


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
