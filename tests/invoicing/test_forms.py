"""What the editor's forms make of what people type."""

from decimal import Decimal

import pytest
from django.utils import translation

from bokio_app.invoicing.fields import as_typed
from bokio_app.invoicing.forms import CustomerForm, LineForm
from bokio_app.invoicing.head import InvoiceForm
from tests.support import make

CHART = {3001: "Varor", 3730: "Rabatter"}


def line_form(**values):
    typed = {"type": "salesItem", "description": "Timmar", "unit_price": "100"} | values
    return LineForm(
        {f"l-{name}": value for name, value in typed.items()}, prefix="l", accounts=CHART
    )


@pytest.mark.parametrize("typed", ["1 234,50", "1234.50", "1\u00a0234,5", "1234,50"])
def test_amounts_are_read_with_comma_point_and_spaces(typed):
    form = line_form(unit_price=typed)

    assert form.is_valid(), form.errors
    assert form.line.unit_price == Decimal("1234.50")


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("amount", ["1234567.50", "-500", "0.05"])
def test_what_a_field_shows_is_read_as_the_same_amount(language, amount):
    with translation.override(language):
        form = line_form(unit_price=as_typed(Decimal(amount)))

    assert form.is_valid()
    assert form.line.unit_price == Decimal(amount)


@pytest.mark.parametrize(
    "field, typed",
    [
        ("unit_price", "hundra"),
        ("unit_price", "1.234,50"),
        ("unit_price", "1,234"),
        ("quantity", "1,2345"),
        ("account", "30"),
        ("account", "3055"),
        ("tax_rate", "20"),
        ("description", ""),
        ("unit_price", ""),
    ],
)
def test_a_mistake_in_a_line_is_on_its_field(field, typed):
    form = line_form(**{field: typed})

    assert not form.is_valid()
    assert list(form.errors) == [field]


def test_a_line_says_which_one_it_is_in_the_list_of_errors():
    form = LineForm({}, number=3, accounts=CHART)

    assert "3" in str(form.fields["account"].label)


@pytest.mark.parametrize("quantity", ["", "1", "7"])
def test_a_line_without_description_and_price_is_blank(quantity):
    form = line_form(description=" ", unit_price="", quantity=quantity)

    assert form.is_blank
    assert form.is_valid()


def test_a_text_line_needs_only_its_text():
    form = LineForm({"type": "descriptionOnlyItem", "description": "Garanti 5 år"}, accounts=CHART)

    assert form.is_valid()
    assert not form.line.is_sales


def head(connection, **values):
    typed = {"invoice_date": "2026-11-20", **values}
    form = InvoiceForm(typed, connection=connection)
    return form, form.is_valid()


@pytest.mark.django_db
class TestTheHead:
    @pytest.mark.parametrize("amount, kind", [("-5", "amount"), ("101", "percent"), ("x", "")])
    def test_a_discount_is_positive_and_at_most_all_of_it(self, amount, kind):
        form, valid = head(make.connection(), discount=amount, discount_kind=kind)

        assert not valid
        assert list(form.errors) == ["discount"]

    @pytest.mark.parametrize(
        "typed, field",
        [
            ({"currency": "EUR"}, "rate"),
            ({"currency": "EUR", "rate": "0"}, "rate"),
            ({"currency": "EURO", "rate": "11"}, "currency"),
            ({"line1": "Kajen 1", "postal_code": "411 04"}, "city"),
            ({"country": "SWE"}, "country"),
        ],
    )
    def test_what_bokio_would_refuse_is_on_its_field(self, typed, field):
        form, valid = head(make.connection(), **typed)

        assert not valid
        assert list(form.errors) == [field]

    def test_kronor_need_no_rate(self):
        form, valid = head(make.connection(), currency="sek", rate="12")

        assert valid
        assert (form.cleaned_data["currency"], form.found_more.rate) == ("SEK", 1)

    @pytest.mark.parametrize("typed", ["2026-11-20", "20261120", "261120"])
    def test_a_date_may_be_typed_in_short(self, typed):
        form, valid = head(make.connection(), invoice_date=typed)

        assert valid
        assert form.cleaned_data["invoice_date"].isoformat() == "2026-11-20"

    @pytest.mark.parametrize(
        "typed, due",
        [
            ({"terms": "10"}, "2026-11-30"),
            ({}, "2026-12-20"),
            ({"terms": "10", "due_date": "2026-12-24"}, "2026-12-24"),
            (
                {
                    "terms": "10",
                    "terms_seen": "30",
                    "due_date": "2026-12-20",
                    "due_seen": "2026-12-20",
                },
                "2026-11-30",
            ),
        ],
        ids=["terms", "neither", "both", "terms changed without scripts"],
    )
    def test_the_due_date_follows_the_terms_until_it_is_written(self, typed, due):
        form, valid = head(make.connection(), **typed)

        assert valid
        assert form.cleaned_data["due_date"].isoformat() == due

    def test_the_customers_own_terms_hold_when_none_are_typed(self):
        connection = make.connection()
        customer = make.customer(connection, payment_terms="15")

        form, valid = head(connection, customer=str(customer.pk), customer_text=customer.name)

        assert valid
        assert form.cleaned_data["due_date"].isoformat() == "2026-12-05"

    def test_a_customer_typed_by_name_is_found_without_scripts(self):
        connection = make.connection()
        customer = make.customer(connection, name="Hamnkrogen AB")

        form, _valid = head(connection, customer_text="hamnkrogen ab")

        assert form.cleaned_data["customer"] == customer

    def test_a_text_that_fits_several_asks_which_one(self):
        connection = make.connection()
        for name in ("Hamnkrogen AB", "Hamnkontoret AB"):
            make.customer(connection, name=name)

        form, valid = head(connection, customer_text="hamn")

        assert not valid
        assert len(form.candidates) == 2

    def test_the_id_of_a_customer_picked_before_does_not_outlive_another_name(self):
        connection = make.connection()
        before, after = make.customer(connection), make.customer(connection)

        form, _valid = head(connection, customer=str(before.pk), customer_text=after.name)

        assert form.cleaned_data["customer"] == after

    def test_another_companys_customer_cannot_be_chosen(self):
        theirs = make.customer(make.connection())

        form, valid = head(
            make.connection(), customer_choice=str(theirs.pk), customer_text=theirs.name
        )

        assert not valid
        assert form.cleaned_data["customer"] is None


def customer_form(connection, **values):
    typed = {
        "name": "Nordkajens Elservice AB",
        "type": "company",
        "line1": "Kajvägen 12",
        "postal_code": "871 31",
        "city": "Norrhamn",
        "country": "se",
        "payment_terms": "15",
    } | values
    return CustomerForm(typed, connection=connection)


@pytest.mark.django_db
class TestACustomer:
    def test_numbers_are_kept_in_their_usual_form(self):
        form = customer_form(
            make.connection(), org_number="5567034185", vat_number="se556703418501"
        )

        assert form.is_valid(), form.errors
        assert form.values()["org_number"] == "556703-4185"
        assert form.values()["vat_number"] == "SE556703418501"
        assert form.values()["country"] == "SE"
        assert form.values()["payment_terms"] == "15"

    def test_a_second_one_with_the_same_number_leads_to_the_first(self):
        connection = make.connection()
        first = make.customer(connection, org_number="556703-4185")

        form = customer_form(connection, org_number="5567034185")

        assert not form.is_valid()
        assert form.twin == first
        assert list(form.errors) == ["org_number"]

    def test_another_companys_customer_with_the_same_number_is_no_hindrance(self):
        make.customer(make.connection(), org_number="556703-4185")

        assert customer_form(make.connection(), org_number="556703-4185").is_valid()

    def test_a_private_persons_number_is_not_taken(self):
        form = customer_form(make.connection(), type="private", org_number="19790412-0000")

        assert not form.is_valid()
        assert list(form.errors) == ["org_number"]

    def test_a_foreign_number_is_not_held_against_swedish_rules(self):
        form = customer_form(make.connection(), country="DE", org_number="HRB 12345")

        assert form.is_valid(), form.errors

    @pytest.mark.parametrize("field", ["name", "line1", "postal_code", "city"])
    def test_bokio_needs_name_and_address(self, field):
        form = customer_form(make.connection(), **{field: ""})

        assert not form.is_valid()
        assert list(form.errors) == [field]
