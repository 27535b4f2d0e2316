import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokio_app.bokio import wire
from bokio_app.bokio.amounts import exact, two_decimals
from bokio_app.bokio.errors import Unsendable

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)


@given(decimals)
def test_a_decimal_comes_back_with_every_digit_it_was_sent_with(number):
    read = wire.decode(wire.encode({"amount": number}))

    assert isinstance(read["amount"], Decimal | int)
    assert Decimal(read["amount"]) == number


@given(decimals)
def test_a_decimal_is_written_without_exponent_and_as_plain_json(number):
    text = wire.encode(number).decode()

    assert "e" not in text.lower()
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == number


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12
    )
)
def test_an_amount_in_oren_keeps_exactly_its_two_decimals(amount):
    assert wire.encode(two_decimals(amount)) == f"{amount if amount else abs(amount):.2f}".encode()


@pytest.mark.parametrize(
    "number, text",
    [
        ("1E+2", b"100"),
        ("-0.00", b"0.00"),
        ("64609.50", b"64609.50"),
        ("0.1000000000000000055511151231257827", b"0.1000000000000000055511151231257827"),
    ],
)
def test_a_number_is_written_as_given(number, text):
    assert wire.encode(Decimal(number)) == text


@pytest.mark.parametrize("value", [0.1, [0.5], {"a": 1.0}, object(), datetime.now(UTC), b"bytes"])
def test_what_has_no_exact_form_is_refused_before_sending(value):
    with pytest.raises(TypeError):
        wire.encode(value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_number_that_is_not_finite_is_refused_before_sending(number):
    with pytest.raises(ValueError, match="finite"):
        wire.encode({"amount": Decimal(number)})


def test_days_ids_and_swedish_letters_are_written_as_bokio_reads_them():
    identifier = UUID("5ce81018-2e14-4688-8de8-bfca14d8014e")

    body = wire.encode({"day": date(2024, 10, 10), "id": identifier, "ö": [True, None, "å\n"]})

    assert json.loads(body) == {
        "day": "2024-10-10",
        "id": str(identifier),
        "ö": [True, None, "å\n"],
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    )
)
def test_any_text_goes_through_the_encoder_as_json_would_write_it(value):
    try:
        expected = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            wire.encode(value)
    else:
        assert json.loads(wire.encode(value)) == json.loads(expected)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=40))
def test_control_characters_never_come_in_but_tabs_and_newlines_do(text):
    read = wire.decode(json.dumps({text: [text]}).encode())

    kept = "".join(each for each in text if each in "\t\n" or ord(each) >= 0x20)
    assert read == {kept: [kept]}


def test_half_a_surrogate_pair_is_dropped_because_no_database_takes_it():
    assert wire.decode(rb'{"name": "A\ud800B \ud83d\ude00"}') == {"name": "AB 😀"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b'{"a": 1',
        b"\xff",
        b"NaN",
        b'{"a": Infinity}',
        b"[" * 100_000,
        b"9" * 5000,
        b"1e400",
        b"-1e-400",
        b'{"a": 1e99999999999999999999}',
        b"0e99999999999999999999",
    ],
    ids=[
        "empty",
        "html",
        "cut",
        "no utf-8",
        "nan",
        "infinity",
        "too deep",
        "too long",
        "too large",
        "too small",
        "beyond large",
        "large nothing",
    ],
)
def test_what_is_no_json_is_refused_without_quoting_it(content):
    with pytest.raises(wire.BodyError) as refused:
        wire.decode(content)

    assert str(refused.value) == "the body is not JSON"


@pytest.mark.parametrize(
    "amount", [Decimal("1.001"), Decimal("1E-3"), Decimal("NaN"), 1.5, Decimal("1E+19")]
)
def test_an_amount_that_cannot_be_money_is_refused(amount):
    with pytest.raises(ValueError, match="amount"):
        two_decimals(amount)


def test_a_quantity_may_have_more_decimals_than_money():
    assert exact(Decimal("1.3333")) == Decimal("1.3333")


@pytest.mark.parametrize(
    "number", ["1E-999999999999999999", "1E+999999999999999999", "0E-999999999", f"1.{'3' * 50}"]
)
def test_a_number_that_would_fill_the_memory_when_written_out_is_refused_before_sending(number):
    with pytest.raises(Unsendable, match="digits"):
        exact(Decimal(number))
