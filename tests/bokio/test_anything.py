"""Whatever comes back, a call ends as a value or as one of the client's own errors."""

import importlib
import inspect
import json
import pkgutil
from contextlib import suppress

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bokio_app import bokio
from bokio_app.bokio import wire
from bokio_app.bokio.answers import LONGEST_WAIT, Answer
from bokio_app.bokio.errors import BODY_LENGTH, BokioError, classify


def reads_a_body(model):
    """Whether it reads JSON itself: a part that takes `Fields` is read by the model around it."""
    return hasattr(model, "from_json") and "data" in inspect.signature(model.from_json).parameters


MODULES = [
    importlib.import_module(f"{bokio.__name__}.{each.name}")
    for each in pkgutil.iter_modules(bokio.__path__)
]
MODELS = sorted(
    {
        model
        for module in MODULES
        for model in vars(module).values()
        if isinstance(model, type) and reads_a_body(model)
    },
    key=lambda model: model.__name__,
)
KEYS_OF_ERRORS = [
    *("code", "innerCode", "message", "bokioErrorId", "errors", "error", "error_description"),
    *("field", "details", "requiredFeature", "availableIn", "isInTrial"),
]
ODD_TEXTS = [
    *("", "null", "2024-10-10", "2024-13-45", "99999-01-01", "24:00", "2024-10-10T10:00:00+99:99"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-10-10T10:00:00.1234567Z"),
    *("5ce81018-2e14-4688-8de8-bfca14d8014e", "5ce81018", "urn:uuid:", "\0", "\ud800", "½", "٣"),
]


def json_like(keys):
    """Values as they could stand in a JSON body, objects with the keys that are looked for."""
    numbers = st.one_of(
        st.integers(), st.integers().map(float), st.just(10**400), st.sampled_from([1e308, 5e-324])
    )
    leaves = st.none() | st.booleans() | numbers | st.text(max_size=20) | st.sampled_from(ODD_TEXTS)
    names = st.sampled_from(keys) | st.text(max_size=5)
    return st.recursive(
        leaves,
        lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=8),
        max_leaves=12,
    )


def keys_of(model):
    """The words in quotation marks of the model's own reader, which are its keys."""
    source = inspect.getsource(model.from_json)
    return sorted({word for word in source.split('"')[1::2] if word.isidentifier()}) or ["id"]


@pytest.mark.parametrize("model", MODELS)
def test_no_body_makes_a_reader_fail_in_a_way_of_its_own(model):
    objects = st.dictionaries(st.sampled_from(keys_of(model)), json_like(keys_of(model)))

    @settings(max_examples=30, deadline=None)
    @given(objects | json_like(["id"]))
    def read(value):
        with suppress(wire.BodyError):
            model.from_json(wire.decode(json.dumps(value).encode()))

    read()


DATES = [
    *("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 2026", "Fri, 31 Dec 9999 23:59:59 -1400"),
    *("Mon, 1 Jan 1 0:0:0 GMT", "Mon, 01 Jan 20266 00:00:00 GMT", "1 Jan 2026 99:99:99 +9999"),
    *("Mon, 01 Jan 2026", "Sat, 01 Jan 0000 00:00:00 +0000", ",,,,", "0 0 0 0:0 0"),
    *("Mon, 99999999999 Jan 2026 00:00:00 GMT", f"1 Jan {'9' * 20} 00:00:00 GMT"),
]
headers = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "Date", "Bokio-RateLimit-RetryAfter", "X-Bokio-RateLimit-RetryAfter"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126))
    | st.floats().map(str)
    | st.sampled_from(DATES),
)
bodies = st.binary(max_size=50) | json_like(KEYS_OF_ERRORS).map(
    lambda value: json.dumps(value).encode()
)


@settings(deadline=None)
@given(st.integers(100, 999), headers, bodies)
def test_every_refusal_becomes_an_error_that_can_be_shown_and_waited_for(status, named, content):
    error = classify(Answer(status, httpx2.Headers(named), content))

    assert isinstance(error, BokioError)
    assert error.status == status
    assert error.retry_after is None or 0 <= error.retry_after <= LONGEST_WAIT
    assert all(isinstance(each, str) for each in (error.code, error.inner_code, error.error_id))
    assert len(error.body) <= BODY_LENGTH
    assert len(str(error)) < 600
    assert all(isinstance(each.path, tuple) for each in error.fields)
