"""The discount of a whole invoice, as lines by VAT rate, and what else the editor keeps."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from bokio_app.flows.models import Step
from bokio_app.invoicing import services
from bokio_app.invoicing.discounts import discount_lines, shares, without_discount
from bokio_app.invoicing.inputs import Discount, LineInput
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.more import InvoiceMore
from tests.support import make


def of(amount, kind="amount"):
    return Discount(Decimal(amount), kind)


def nets(**by_rate):
    return {int(rate[1:]): Decimal(net) for rate, net in by_rate.items()}


@pytest.mark.parametrize(
    "sold, amount, wanted",
    [
        (nets(r25="100", r12="100", r6="100"), "100", {25: "33.34", 12: "33.33", 6: "33.33"}),
        (nets(r25="0.01", r0="0.02"), "0.02", {25: "0.01", 0: "0.01"}),
        (nets(r25="52200"), "500", {25: "500"}),
        (nets(r25="3", r12="1"), "0.01", {25: "0.01"}),
    ],
)
def test_an_amount_is_shared_in_proportion_and_to_the_last_ore(sold, amount, wanted):
    found = shares(sold, of(amount))

    assert found == {rate: Decimal(share) for rate, share in wanted.items()}
    assert sum(found.values()) == Decimal(amount)


def test_per_cent_is_of_the_net_of_each_rate():
    found = shares(nets(r25="100.05", r6="33.33"), of("10", "percent"))

    assert found == {25: Decimal("10.01"), 6: Decimal("3.33")}


def test_each_rate_gets_one_line_on_the_account_of_discounts():
    lines = [
        LineInput("Virke", product="goods", unit_price=Decimal(100)),
        LineInput("Bok", product="goods", unit_price=Decimal(50), tax_rate=6),
        LineInput("Tack", type="descriptionOnlyItem"),
        LineInput("Retur", unit_price=Decimal(-10), tax_rate=12),
    ]

    with translation.override("sv"):
        found = discount_lines(lines, of("12.5", "percent"))

    told = [(each.tax_rate, each.unit_price, each.account, each.product) for each in found]
    assert told == [(25, Decimal("-12.50"), 3730, "goods"), (6, Decimal("-6.25"), 3730, "goods")]
    assert {each.description for each in found} == {"Rabatt 12,5 %"}
    assert without_discount([*lines, *found], of("12.5", "percent")) == (
        lines,
        of("12.5", "percent"),
    )


def test_lines_that_bokio_has_changed_are_lines_like_others():
    lines = [
        LineInput("Virke", unit_price=Decimal(100)),
        LineInput("Rabatt", unit_price=-Decimal(9)),
    ]

    assert without_discount(lines, of("10")) == (lines, None)


@pytest.fixture
def connection(db):
    made = make.connection(make.tenant())
    make.fiscal_year(made)
    for number in (1510, 2611, 2631, 3001, 3011, 3013, 3730):
        make.account(made, number)
    return made


@pytest.fixture
def page(client, connection):
    client.force_login(make.member(connection.tenant))
    return client


def form(customer, **more):
    return {
        "customer": customer.pk,
        "customer_text": customer.name,
        "invoice_date": "2026-11-20",
        "version": "0",
        "lines-0-type": "salesItem",
        "lines-0-description": "Timmar",
        "lines-0-quantity": "3",
        "lines-0-unit_price": "33,35",
        "lines-0-tax_rate": "25",
        "lines-1-type": "salesItem",
        "lines-1-description": "Bok",
        "lines-1-quantity": "1",
        "lines-1-unit_price": "33,33",
        "lines-1-tax_rate": "6",
        **more,
    }


def written(page, connection, **more):
    address = reverse("invoicing:new") + f"?company={connection.pk}"
    answer = page.post(address, form(make.customer(connection), **more))
    assert answer.status_code == 302, answer.context["mistakes"]
    return Invoice.objects.get()


class TestInTheEditor:
    def test_a_discount_is_kept_as_lines_and_shown_as_one_field(self, page, connection):
        invoice = written(page, connection, discount="10", discount_kind="percent")

        lines = invoice.lines.values_list("tax_rate", "unit_price", "account")
        assert list(lines)[2:] == [(25, Decimal("-10.01"), 3730), (6, Decimal("-3.33"), 3730)]
        assert invoice.net == Decimal("120.04")
        editor = page.get(reverse("invoicing:edit", args=[invoice.pk])).context["editor"]
        assert [row["description"] for row in editor.rows] == ["Timmar", "Bok"]
        assert editor.form["discount"].value() == "10"
        assert editor.totals.total == invoice.total

    def test_a_discount_is_changed_and_taken_away(self, page, connection):
        invoice = written(page, connection, discount="10", discount_kind="percent")
        address = reverse("invoicing:edit", args=[invoice.pk])

        more = {"discount": "10", "discount_kind": "amount"}
        page.post(address, form(invoice.customer, version="1", **more))
        assert invoice.lines.count() == 4
        page.post(address, form(invoice.customer, version="2", **more | {"discount": ""}))

        invoice.refresh_from_db()
        assert invoice.lines.count() == 2
        assert invoice.net == Decimal("133.38")

    def test_an_account_of_discounts_that_is_missing_is_told_at_the_discount(
        self, page, connection
    ):
        connection.accounts.get(number=3730).delete()

        address = reverse("invoicing:new") + f"?company={connection.pk}"
        values = form(make.customer(connection), discount="10", discount_kind="amount")
        answer = page.post(address, values | {"action": "send"}, follow=True)

        assert answer.context["editor"].form.errors["discount"]
        assert not Step.objects.exists()

    def test_references_delivery_and_currency_go_to_bokio(self, page, connection):
        more = {
            "order_number": "PO-7",
            "project": "Kajen",
            "line1": "Kajen 1",
            "postal_code": "411 04",
            "city": "Göteborg",
            "currency": "eur",
            "rate": "11,4321",
            "action": "send",
        }

        invoice = written(page, connection, **more)

        payload = Step.objects.get(op="create_invoice").payload
        assert payload["currency"] == invoice.currency == "EUR"
        assert Decimal(payload["more"]["currency_rate"]) == Decimal("11.4321")
        assert payload["more"]["order_number"] == "PO-7"
        assert payload["more"]["delivery_address"]["city"] == "Göteborg"
        assert payload["more"]["delivery_address"]["country"] == "SE"

    def test_the_total_is_shown_in_kronor_too(self, page, connection):
        invoice = written(page, connection, currency="EUR", rate="10,5")

        editor = page.get(reverse("invoicing:edit", args=[invoice.pk])).context["editor"]

        assert editor.totals.total == Decimal("160.39")
        assert editor.total_home == Decimal("1684.10")
        assert editor.entry.debit == editor.entry.credit

    def test_an_invoice_that_says_no_more_has_no_row_for_it(self, page, connection):
        written(page, connection)

        assert not InvoiceMore.objects.exists()

    def test_an_emptied_reference_is_emptied_in_the_correction(self, page, connection):
        invoice = written(page, connection, project="Kajen")
        draft = services.draft_of(invoice)
        assert draft.more.project == "Kajen"

        page.post(reverse("invoicing:edit", args=[invoice.pk]), form(invoice.customer, version="1"))

        assert services.draft_of(invoice).more.project == ""
