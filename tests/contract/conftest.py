"""Without the published files there is nothing to hold anything to: one skip says so."""

import pytest

from tests.contract.published import AVAILABLE

# What these assert is told as fully as what the tests themselves do.
pytest.register_assert_rewrite("tests.contract.books")

NEEDS_THE_FILES = [
    "test_client_contract.py",
    "test_coverage.py",
    "test_filters_contract.py",
    "test_generated.py",
    "test_sandbox_contract.py",
]
collect_ignore = [] if AVAILABLE else NEEDS_THE_FILES
