"""The journal entries that we expect before anything is sent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokio_app.invoicing import expected
from bokio_app.invoicing.models import Customer
from bokio_app.invoicing.services import LineInput


def sides(entry):
    return {row.account: row.debit - row.credit for row in entry.rows}


def line(**values):
    return LineInput(description="x", **({"unit_price": Decimal(1000)} | values))


def test_the_guides_invoice_is_expected_on_the_guides_accounts():
    lines = [
        line(product="goods", quantity=Decimal(180), unit_price=Decimal(290)),
        line(product="goods", unit_price=Decimal(-500), account=3730),
        LineInput(description="Tack", type="descriptionOnlyItem"),
    ]

    entry = expected.invoice_entry(lines, customer=None, names={})

    assert sides(entry) == {
        1510: Decimal("64625.00"),
        3001: Decimal("-52200.00"),
        3730: Decimal("500.00"),
        2611: Decimal("-12925.00"),
    }
    assert entry.debit == entry.credit == Decimal("65125.00")


@pytest.mark.parametrize(
    "customer,rate,accounts",
    [
        (Customer(country="SE"), 25, [3001, 3011]),
        (Customer(country="SE"), 12, [3002, 3012]),
        (Customer(country="SE", type="private"), 6, [3003, 3013]),
        (Customer(country="SE"), 0, [3004, 3014]),
        (Customer(country="DE", vat_number="DE136695976"), 0, [3108, 3308]),
        (Customer(country="NO"), 0, [3105, 3305]),
        (Customer(country="DE", type="private"), 25, [3106, 3011]),
    ],
)
def test_sales_go_to_the_account_of_country_product_and_rate(customer, rate, accounts):
    found = [
        expected.sales_account(customer, line(product=product, tax_rate=rate))
        for product in ("goods", "services")
    ]

    assert found == accounts


def test_an_account_outside_the_chart_is_marked():
    names = {1510: "Kundfordringar", 2611: "Moms"}

    entry = expected.invoice_entry([line(account=3055)], customer=None, names=names)

    assert [row.account for row in entry.rows if not row.known] == [3055]


def test_a_payment_and_its_fee_clear_the_receivable():
    paid = expected.payment_entry(Decimal("64609.50"), account=1940, names={})
    kept = expected.fee_entry(Decimal("15.50"), names={})

    assert sides(paid) == {1940: Decimal("64609.50"), 1510: Decimal("-64609.50")}
    assert sides(kept) == {6570: Decimal("15.50"), 1510: Decimal("-15.50")}


amounts = st.decimals(min_value=-99999, max_value=99999, places=2)
quantities = st.decimals(min_value=0, max_value=999, places=3)
rows = st.builds(
    LineInput,
    description=st.just("x"),
    product=st.sampled_from(["goods", "services"]),
    quantity=quantities,
    unit_price=amounts,
    tax_rate=st.sampled_from([25, 12, 6, 0]),
    account=st.sampled_from([None, 3730, 3041]),
)


@given(st.lists(rows, max_size=8))
def test_every_expected_entry_balances(lines):
    entry = expected.invoice_entry(lines, customer=None, names={})

    assert entry.debit == entry.credit
