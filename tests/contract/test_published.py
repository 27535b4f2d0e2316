"""The published files themselves: that they are here, whole, and only corrected where needed."""

import json

import pytest

from tests.contract.corrections import NO_ANSWERS
from tests.contract.published import AVAILABLE, JSON_TYPE, contract

if not AVAILABLE:
    pytest.skip(
        "BOKIO_OPENAPI_DIR names no folder with Bokio's published files: "
        "client and sandbox are not held to the contract",
        allow_module_level=True,
    )

pytestmark = pytest.mark.contract


def test_both_files_hold_the_operations_that_the_project_counts_on():
    found = [each.api for each in contract().operations.values()]

    assert (found.count("company"), found.count("general")) == (85, 5)


@pytest.mark.parametrize(
    "operation, name, value",
    [
        pytest.param(each, name, value, id=f"{each.id} {name}")
        for each in (contract().operations.values() if AVAILABLE else ())
        for name, value in each.success_examples.items()
        if (each.id, name) not in NO_ANSWERS
    ],
)
def test_each_published_example_of_an_answer_fits_the_corrected_schema(operation, name, value):
    body = json.dumps(value).encode()

    wrong = contract().wrong_in_answer(
        operation, int(operation.success), {"Content-Type": JSON_TYPE}, body
    )

    assert wrong == []


def test_the_examples_that_are_no_answers_are_there_and_do_not_fit():
    for identifier, name in NO_ANSWERS:
        operation = contract().operations[identifier]
        body = json.dumps(operation.success_examples[name]).encode()
        headers = {"Content-Type": JSON_TYPE}
        assert contract().wrong_in_answer(operation, 200, headers, body) != []
