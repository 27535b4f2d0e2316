"""Amounts as people type them, and totals as Swedish invoices have them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokio_app.core.money import Row, parse, rounded, totals

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@pytest.mark.parametrize(
    "text, amount",
    [
        ("1234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234\u00a0567,5", "1234567.5"),
        ("1234.50", "1234.50"),
        ("\u2212500", "-500"),
        (" 15,5 ", "15.5"),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, amount: str) -> None:
    assert parse(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "abc", "1,234.50", "1.234,50", "NaN", "Infinity", "1e5x"])
def test_what_could_mean_two_things_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_halves_are_rounded_away_from_zero() -> None:
    assert rounded(Decimal("0.005")) == Decimal("0.01")
    assert rounded(Decimal("-0.005")) == Decimal("-0.01")


def test_the_guides_invoice_adds_up() -> None:
    sums = totals([Row(Decimal(180) * 290, 25), Row(Decimal(-500), 25)])

    assert (sums.net, sums.tax, sums.total) == (
        Decimal("51700.00"),
        Decimal("12925.00"),
        Decimal("64625.00"),
    )


def test_vat_is_computed_on_the_sum_of_each_rate_highest_first() -> None:
    sums = totals([Row(Decimal("0.33"), 6), Row(Decimal("0.33"), 6), Row(Decimal("10"), 25)])

    assert list(sums.tax_by_rate.items()) == [
        (25, (Decimal("10.00"), Decimal("2.50"))),
        (6, (Decimal("0.66"), Decimal("0.04"))),
    ]


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from([0, 6, 12, 25]))))
def test_the_order_of_rows_changes_no_total(rows: list[tuple[Decimal, int]]) -> None:
    forth = totals(Row(net, rate) for net, rate in rows)
    back = totals(Row(net, rate) for net, rate in reversed(rows))

    assert forth == back
    assert forth.total == forth.net + forth.tax
