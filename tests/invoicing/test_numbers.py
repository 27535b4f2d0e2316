"""Organisation and VAT numbers as people type them."""

import pytest
from django.core.exceptions import ValidationError

from bokio_app.invoicing.numbers import organisation_number, vat_number


@pytest.mark.parametrize(
    "typed", ["556703-4185", "5567034185", " 556703 4185 ", "16556703-4185", "556703–4185"]
)
def test_an_organisation_number_is_kept_in_one_form_however_it_is_typed(typed):
    assert organisation_number(typed) == "556703-4185"


@pytest.mark.parametrize("typed", ["", "  "])
def test_no_number_is_no_mistake(typed):
    assert organisation_number(typed) == ""
    assert vat_number(typed) == ""


@pytest.mark.parametrize("typed", ["556703-4186", "123456-7890"])
def test_a_wrong_check_digit_is_named_as_such(typed):
    with pytest.raises(ValidationError, match=r"check digit|[Kk]ontrollsiffran"):
        organisation_number(typed)


@pytest.mark.parametrize("typed", ["55670341", "abcdefghij", "556703-41855"])
def test_what_has_not_ten_digits_is_no_organisation_number(typed):
    with pytest.raises(ValidationError, match="556703-4185"):
        organisation_number(typed)


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("SE556703418501", "SE556703418501"),
        ("se 556703-4185 01", "SE556703418501"),
        ("DE136695976", "DE136695976"),
        ("NO 974 760 673 MVA", "NO974760673MVA"),
    ],
)
def test_vat_numbers_are_kept_without_spaces_and_hyphens(typed, kept):
    assert vat_number(typed) == kept


@pytest.mark.parametrize("typed", ["SE1234567890", "SE123456789001", "DE136695970", "5567034185"])
def test_a_vat_number_that_cannot_be_is_refused(typed):
    with pytest.raises(ValidationError):
        vat_number(typed)
