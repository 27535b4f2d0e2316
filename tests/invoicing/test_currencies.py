"""Rates of other currencies."""

from decimal import Decimal

import pytest

from bokio_app.invoicing.currencies import rate_kept


@pytest.mark.parametrize(
    "currency, told, kept",
    [("EUR", "11.2345", "11.2345"), ("EUR", "1", None), ("SEK", "1", None), ("SEK", "11", None)],
)
def test_a_rate_of_one_is_none_in_another_currency(currency, told, kept):
    assert rate_kept(currency, Decimal(told)) == (Decimal(kept) if kept else None)
