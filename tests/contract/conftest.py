"""Without the published files there is nothing to hold anything to: one skip says so."""

from tests.contract.published import AVAILABLE

NEEDS_THE_FILES = [
    "test_client_contract.py",
    "test_coverage.py",
    "test_filters_contract.py",
    "test_generated.py",
    "test_sandbox_contract.py",
]
collect_ignore = [] if AVAILABLE else NEEDS_THE_FILES
