"""The page that tells what is covered: up to date, and without a gap."""

import pytest

from tools import operations

pytestmark = pytest.mark.contract


def test_the_page_is_what_the_code_and_the_contract_say():
    assert operations.DOCUMENT.read_text() == operations.rendered(), "run `make coverage-table`"


def test_no_operation_lacks_a_method_a_function_or_a_test():
    gaps = [row[0] for row in operations.table() if not all(row[:4])]

    assert gaps == []


def test_pages_are_found_through_services_flows_and_signals():
    pages = {row[0].strip("`"): row[4].split(", ") for row in operations.table()}

    assert "payments:register" in pages["post-invoice-payment"]
    assert "invoicing:send" in pages["post-invoices-invoiceId-publish"]
    assert "bokio_callback" in pages["get-fiscal-years"]
    assert "invoicing:list" not in pages["post-invoice-payment"]
