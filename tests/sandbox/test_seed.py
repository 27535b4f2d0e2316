"""The demo companies: real-looking, repeatable, and with books that balance."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from stdnum.se import orgnr

from tests.support.sandbox import SandboxProcess, running_sandbox

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo() -> Iterator[SandboxProcess]:
    with running_sandbox(companies=3, history=2000) as process:
        yield process


@pytest.fixture(scope="module")
def busy(demo: SandboxProcess) -> Any:
    return demo.books(demo.companies()[1]["id"])


def test_the_busy_company_has_two_thousand_invoices_in_every_state(busy: Any):
    states = Counter(invoice["status"] for invoice in busy["invoices"])

    assert sum(states.values()) == 2000
    assert set(states) == {
        "draft",
        "published",
        "paid",
        "underPaid",
        "overPaid",
        "overdue",
        "credited",
    }


def test_every_entry_balances_and_so_does_the_whole(busy: Any):
    for entry in busy["journalEntries"]:
        assert sum(item["debit"] - item["credit"] for item in entry["items"]) == 0
    assert sum(Decimal(balance) for balance in busy["balances"].values()) == 0


def test_receivables_equal_what_is_open_on_recorded_invoices(busy: Any):
    open_amounts = [
        Decimal(invoice["outstanding"])
        for invoice in busy["invoices"]
        if invoice["journalEntryRef"]
    ]

    assert Decimal(busy["balances"]["1510"]) == sum(open_amounts)


def test_numbers_are_unique_and_the_next_one_is_free(demo: SandboxProcess, busy: Any):
    numbers = [row["invoiceNumber"] for row in busy["invoices"] if row["invoiceNumber"]]
    assert len(numbers) == len(set(numbers))
    company = demo.companies()[1]["id"]
    draft = next(row for row in busy["invoices"] if row["status"] == "draft")

    published = demo.act_on_invoice(company, draft["id"], "publish")

    assert published["invoiceNumber"] not in numbers


def test_organisation_numbers_have_valid_check_digits(demo: SandboxProcess, busy: Any):
    numbers = [company["orgNumber"] for company in demo.companies()]
    numbers += [customer["orgNumber"] for customer in busy["customers"]]

    assert all(orgnr.is_valid(number) for number in numbers)


def test_the_first_company_is_empty_for_a_newcomer(demo: SandboxProcess):
    books = demo.books(demo.companies()[0]["id"])

    assert (books["invoices"], books["balances"]) == ([], {})


def test_the_same_number_gives_the_same_companies_and_state_survives_a_restart():
    sandbox = SandboxProcess(companies=2)
    try:
        sandbox.start()
        company = sandbox.companies()[0]["id"]
        tokens = sandbox.tokens_for(company)
        sandbox.move_clock(600)
        before = sandbox.companies()
        sandbox.stop(kill=True)

        sandbox.start()

        assert sandbox.companies() == before
        path = f"/v1/companies/{company}/company-information"
        assert sandbox.request("GET", path, token=tokens.access_token).status == 200
        sandbox.move_clock(3001)
        assert sandbox.request("GET", path, token=tokens.access_token).status == 401
        assert sandbox.reset() == before
    finally:
        sandbox.stop(forget=True)
