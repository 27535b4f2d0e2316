"""What the sandbox books, against the table of entries that was written by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line
from tests.support.matrix import Case, cases

DAY = "2024-10-12"
CUSTOMERS: dict[str, dict[str, Any]] = {
    "se-company": {"country": "SE", "type": "company"},
    "se-private": {"country": "SE", "type": "private"},
    "eu-company": {"country": "DE", "type": "company", "vatNumber": "DE136695976"},
    "eu-unregistered": {"country": "DE", "type": "company"},
    "eu-private": {"country": "FI", "type": "private"},
    "outside-company": {"country": "NO", "type": "company"},
    "outside-private": {"country": "NO", "type": "private"},
    "construction": {"country": "SE", "type": "company", "constructionReverseChargeEnabled": True},
}


@pytest.fixture
def shop(api: Api) -> Api:
    """A company whose calls are not counted, with a customer of each kind."""
    api.sandbox.set_switches(rate_limit=1_000_000)
    return api


@pytest.fixture
def customers(shop: Api) -> dict[str, dict[str, str]]:
    made = {}
    for kind, fields in CUSTOMERS.items():
        more = dict(fields)
        where = {"line1": "A 1", "city": "B", "postalCode": "1", "country": more.pop("country")}
        made[kind] = {"id": shop.customer(address=where, **more)}
    return made


def published(api: Api, case: Case, customer: dict[str, str]) -> Any:
    sold = line(taxRate=case.vat_rate, productType=case.product, unitPrice=float(case.amount))
    if case.account:
        sold["bookkeepingAccountNumber"] = case.account
    if case.customer == "construction":
        sold["reverseChargeType"] = "construction"
    return api.published(
        sold,
        customerRef=customer,
        currency=case.currency,
        currencyRate=float(case.rate),
        totalRoundingEnabled=case.more == "whole",
    )


def entry_of(api: Api, path: str) -> dict[int, Decimal]:
    recorded = api.ok("POST", f"{path}/record")
    found = api.ok("GET", f"journal-entries/{recorded['journalEntryRef']['id']}")
    return {
        row["account"]: Decimal(str(row["debit"])) - Decimal(str(row["credit"]))
        for row in found["items"]
    }


def pay(api: Api, invoice: Any, amount: Decimal, account: int) -> dict[int, Decimal]:
    path = f"invoices/{invoice['id']}/payments"
    body = {
        "date": DAY,
        "sumBaseCurrency": float(amount),
        "bookkeepingAccountNumber": account,
    }
    return entry_of(api, f"{path}/{api.ok('POST', path, body)['id']}")


def settle(api: Api, invoice: Any, case: Case) -> dict[int, Decimal]:
    path = f"invoices/{invoice['id']}/settlements"
    details: dict[str, object] = {"date": DAY, "sumBaseCurrency": float(case.amount)}
    if case.more:
        details["vatScheme"] = case.more
    body = {"type": case.event, "invoiceSettlementDetails": details}
    return entry_of(api, f"{path}/{api.ok('POST', path, body)['id']}")


def booked(api: Api, case: Case, customer: dict[str, str]) -> dict[int, Decimal]:
    if case.event in {"invoice", "credit_note", "receipt"}:
        invoice = published(api, case, customer)
    else:
        invoice = api.published(customerRef=customer)
    match case.event:
        case "invoice":
            return entry_of(api, f"invoices/{invoice['id']}")
        case "credit_note":
            note = api.ok("POST", f"invoices/{invoice['id']}/credit")
            api.ok("PUT", f"credit-notes/{note['id']}", note | {"creditDate": DAY})
            api.ok("POST", f"credit-notes/{note['id']}/publish")
            return entry_of(api, f"credit-notes/{note['id']}")
        case "receipt":
            return pay(api, invoice, case.part or case.expected[1930], 1930)
        case "payment":
            assert case.account
            return pay(api, invoice, case.amount, case.account)
        case _:
            return settle(api, invoice, case)


@pytest.mark.parametrize("method", ["accrual", "cash"])
def test_the_sandbox_books_what_the_table_has(
    shop: Api, customers: dict[str, dict[str, str]], method: str
) -> None:
    shop.sandbox.change_company(shop.company_id, fiscalYears={"2024": {"method": method}})
    rows = [each for each in cases() if each.method == method]

    wrong = {
        str(case): found
        for case in rows
        if (found := booked(shop, case, customers[case.customer])) != case.expected
    }

    assert len(rows) > 100
    assert wrong == {}
