"""Our rows as the predictor of journal entries takes them."""

from decimal import Decimal

import pytest

from bokio_app.invoicing import expected
from bokio_app.invoicing.models import Customer
from bokio_app.invoicing.services import LineInput


def line(**values):
    return LineInput(description="x", **({"unit_price": Decimal(1000)} | values))


def test_the_guides_invoice_is_expected_on_the_guides_accounts():
    lines = [
        line(product="goods", quantity=Decimal(180), unit_price=Decimal(290)),
        line(product="goods", unit_price=Decimal(-500), account=3730),
        LineInput(description="Tack", type="descriptionOnlyItem"),
    ]

    entry = expected.invoice_entry(lines, customer=None, names={})

    assert {row.account: row.debit - row.credit for row in entry.rows} == {
        1510: Decimal("64625.00"),
        3001: Decimal("-52200.00"),
        3730: Decimal("500.00"),
        2611: Decimal("-12925.00"),
    }
    assert entry.debit == entry.credit == Decimal("65125.00")


@pytest.mark.parametrize(
    "customer,rate,account",
    [
        (Customer(country="SE"), 25, 3001),
        (Customer(country="SE", type="private"), 6, 3003),
        (Customer(country="DE", vat_number="DE136695976"), 0, 3108),
        (Customer(country="DE", type="private"), 25, 3106),
        (Customer(country="NO"), 0, 3105),
        (None, 12, 3002),
    ],
)
def test_a_customers_row_says_what_decides_the_account(customer, rate, account):
    lines = [line(product="goods", tax_rate=rate)]

    entry = expected.invoice_entry(lines, customer=customer, names={})

    assert entry.rows[1].account == account
    assert entry.doubts == []
