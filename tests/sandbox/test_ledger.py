"""The accounts of sales, payments and settlements, against tables written by hand.

Nothing here is computed from the sandbox's own tables. What no public source settles is looked
up by its name in `switches`, and holds no claim about Bokio.
"""

from decimal import Decimal
from typing import Any

import pytest

from bokio_app.sandbox import switches
from tests.sandbox.conftest import Api, line

SWEDISH = {"country": "SE", "type": "company"}
GERMAN_BUSINESS = {"country": "DE", "type": "company", "vatNumber": "DE136695976"}
NORWEGIAN_BUSINESS = {"country": "NO", "type": "company", "orgNumber": "974 760 673"}
FINNISH_PERSON = {"country": "FI", "type": "private"}

# Source: Bokio's Swedish help centre, "Hur bokförs kundfakturor?", on the accounts that are chosen
# for goods and services by the customer and the rate; the names of the accounts in Bokio's
# published description of the API, and of the BAS chart (Kontoplan BAS 2024), agree.
SALES_ACCOUNTS = [
    # customer, rate, goods, services
    (SWEDISH, 25, 3001, 3011),
    (SWEDISH, 12, 3002, 3012),
    (SWEDISH, 6, 3003, 3013),
    (SWEDISH, 0, 3004, 3014),
    (GERMAN_BUSINESS, 0, 3108, 3308),
    (NORWEGIAN_BUSINESS, 0, 3105, 3305),
    (FINNISH_PERSON, 25, 3106, 3011),
    (FINNISH_PERSON, 12, 3106, 3012),
    (FINNISH_PERSON, 6, 3106, 3013),
]
# Source: BAS chart, account group 26, output VAT; the same help page.
OUTPUT_VAT = {25: 2611, 12: 2621, 6: 2631}

# Source: the same help page, on payments, fees and lost claims.
RECEIVABLES, BANK_FEES, BAD_DEBTS, ROUNDING = 1510, 6570, 6351, 3740
# Source: BAS chart; an entry of Bokio's seen in public. Bought from abroad: credit output VAT,
# debit input VAT.
REVERSE_OUTPUT, REVERSE_INPUT = 2614, 2645


def customer(api: Api, kind: dict[str, str]) -> dict[str, str]:
    fields = dict(kind)
    address = {"line1": "A 1", "city": "B", "postalCode": "1", "country": fields.pop("country")}
    return {"id": api.customer(address=address, **fields)}


def recorded(api: Api, *lines: dict[str, Any], **changes: object) -> Any:
    invoice = api.published(*lines, **changes)
    return api.ok("POST", f"invoices/{invoice['id']}/record")


def settle(api: Api, invoice: Any, kind: str, amount: object, **details: object) -> Any:
    body = {
        "type": kind,
        "invoiceSettlementDetails": {"date": "2024-10-12", "sumBaseCurrency": amount, **details},
    }
    path = f"invoices/{invoice['id']}/settlements"
    settlement = api.ok("POST", path, body)
    return api.ok("POST", f"{path}/{settlement['id']}/record")


@pytest.mark.parametrize("product", ["goods", "services"])
@pytest.mark.parametrize("kind, rate, goods, services", SALES_ACCOUNTS)
def test_a_sale_is_booked_by_customer_rate_and_product(
    api: Api, kind: dict[str, str], rate: int, goods: int, services: int, product: str
):
    sold = line(taxRate=rate, productType=product, unitPrice=1000)

    recorded(api, sold, customerRef=customer(api, kind))

    account = goods if product == "goods" else services
    vat = {OUTPUT_VAT[rate]: -10 * rate} if rate else {}
    assert api.entries() == [{RECEIVABLES: 1000 + 10 * rate, account: -1000, **vat}]


def test_each_rate_and_account_has_its_row(api: Api):
    recorded(
        api,
        line(unitPrice=100),
        line(unitPrice=200),
        line(unitPrice=50, productType="goods", taxRate=12),
        line(unitPrice=10, taxRate=6),
        line(unitPrice=-20, bookkeepingAccountNumber=3730),
    )

    assert api.entries() == [
        {
            RECEIVABLES: Decimal("416.60"),
            3011: -300,
            3730: 20,
            3002: -50,
            3013: -10,
            2611: -70,
            2621: -6,
            2631: Decimal("-0.60"),
        }
    ]


@pytest.mark.parametrize(
    "price, total, rounding", [("100.30", 125, "0.38"), ("100.50", 126, "-0.37")]
)
def test_rounding_to_kronor_is_booked_either_way(api: Api, price: str, total: int, rounding: str):
    recorded(api, line(unitPrice=float(price)), totalRoundingEnabled=True)

    [entry] = api.entries()
    assert (entry[RECEIVABLES], entry[ROUNDING]) == (total, Decimal(rounding))


def test_an_invoice_in_another_currency_is_booked_in_kronor(api: Api):
    recorded(api, line(unitPrice=99.99), currency="EUR", currencyRate=11.4567)

    [entry] = api.entries()
    assert entry[RECEIVABLES] == Decimal("1431.97")  # 124.99 x 11.4567
    assert (entry[3011], entry[2611]) == (Decimal("-1145.56"), Decimal("-286.42"))
    assert sum(entry.values()) == 0


@pytest.mark.parametrize("account", [1910, 1930, 1940])
def test_a_payment_is_booked_on_its_own_account(api: Api, account: int):
    path = f"invoices/{recorded(api)['id']}/payments"
    body = {"date": "2024-10-12", "sumBaseCurrency": 400, "bookkeepingAccountNumber": account}

    api.ok("POST", f"{path}/{api.ok('POST', path, body)['id']}/record")

    assert api.entries()[1] == {account: 400, RECEIVABLES: -400}


def test_a_bank_fee_is_booked_against_the_receivable(api: Api):
    settle(api, recorded(api), "bankFee", 15.5)

    assert api.entries()[1] == {BANK_FEES: Decimal("15.5"), RECEIVABLES: Decimal("-15.5")}


@pytest.mark.parametrize("scheme", ["domestic", "eu", "nonEu", "vatExempt"])
def test_a_service_fee_from_abroad_bears_reverse_charge(api: Api, scheme: str):
    settle(api, recorded(api), "paymentServiceFee", 20, vatScheme=scheme)

    abroad = {REVERSE_INPUT: 5, REVERSE_OUTPUT: -5} if scheme in ("eu", "nonEu") else {}
    cost = switches.SERVICE_FEE_ACCOUNTS[scheme]
    assert api.entries()[1] == {cost: 20, RECEIVABLES: -20, **abroad}


@pytest.mark.parametrize("amount", [20, -20])
def test_a_currency_difference_is_booked_on_the_accounts_that_are_named(api: Api, amount: int):
    settle(api, recorded(api), "currency", amount)

    account = switches.CURRENCY_LOSS_ACCOUNT if amount > 0 else switches.CURRENCY_GAIN_ACCOUNT
    assert api.entries()[1] == {account: amount, RECEIVABLES: -amount}


def test_a_sale_within_construction_has_no_vat(api: Api):
    builder = {"id": api.customer(constructionReverseChargeEnabled=True)}

    recorded(api, line(taxRate=0, reverseChargeType="construction"), customerRef=builder)

    assert api.entries() == [{RECEIVABLES: 1000, switches.CONSTRUCTION_ACCOUNT: -1000}]


@pytest.mark.parametrize("marked, rate", [(False, 0), (True, 25)])
def test_reverse_charge_needs_a_marked_customer_and_no_vat(api: Api, marked: bool, rate: int):
    body = {
        "invoiceDate": "2024-10-10",
        "customerRef": {"id": api.customer(constructionReverseChargeEnabled=marked)},
        "lineItems": [line(taxRate=rate, reverseChargeType="construction")],
    }

    assert api.pointers("POST", "invoices", body) == ["#/lineItems/0/reverseChargeType"]


def test_a_bad_debt_is_booked_as_lost(api: Api):
    invoice = recorded(api)
    made = api.sandbox.settle_invoice(
        api.company_id, invoice["id"], "badDebt", "1250", date="2024-12-01"
    )
    path = f"invoices/{invoice['id']}"
    assert api.ok("GET", path)["status"] == "paid"
    assert api.ok("GET", f"{path}/settlements")["items"] == [made]

    api.ok("POST", f"{path}/settlements/{made['id']}/record")

    assert api.entries()[1] == {BAD_DEBTS: 1250, RECEIVABLES: -1250}


@pytest.mark.parametrize("automatic", [True, False])
def test_a_balance_adjustment_closes_the_invoice_and_never_reaches_the_books(
    api: Api, automatic: bool
):
    api.sandbox.change_company(api.company_id, automaticRecording=automatic)
    invoice = api.published()
    made = api.sandbox.settle_invoice(
        api.company_id, invoice["id"], "balanceAdjustment", "1250", date="2024-12-01"
    )
    path = f"invoices/{invoice['id']}"

    refusal = api.refused("POST", f"{path}/settlements/{made['id']}/record", status=400)

    assert refusal["code"] == "validation-error"
    assert api.ok("GET", path)["status"] == "paid"
    assert len(api.entries()) == (1 if automatic else 0)


def test_an_account_of_ones_own_choice_is_used(api: Api):
    recorded(api, line(bookkeepingAccountNumber=3730))

    assert api.entries() == [{RECEIVABLES: 1250, 3730: -1000, 2611: -250}]


def test_the_address_at_publishing_decides_and_not_a_later_one(api: Api):
    address = {"line1": "A 1", "city": "B", "postalCode": "1", "country": "NO"}
    customer_id = api.customer(address=address)
    invoice = api.published(line(taxRate=0), customerRef={"id": customer_id})
    moved = {"name": "A", "type": "company", "address": address | {"country": "SE"}}
    api.ok("PUT", f"customers/{customer_id}", moved)

    api.ok("POST", f"invoices/{invoice['id']}/record")

    assert api.entries() == [{RECEIVABLES: 1000, 3305: -1000}]


def test_with_automatic_recording_every_event_is_booked_by_itself(api: Api):
    api.sandbox.change_company(api.company_id, automaticRecording=True)
    invoice = api.published()
    path = f"invoices/{invoice['id']}"
    payment = {"date": "2024-10-12", "sumBaseCurrency": 1000, "bookkeepingAccountNumber": 1930}
    fee = {"date": "2024-10-12", "sumBaseCurrency": 250}

    paid = api.ok("POST", f"{path}/payments", payment)
    settled = api.ok(
        "POST", f"{path}/settlements", {"type": "bankFee", "invoiceSettlementDetails": fee}
    )

    assert all(event["journalEntryRef"] for event in (invoice, paid, settled))
    assert api.entries() == [
        {RECEIVABLES: 1250, 3011: -1000, 2611: -250},
        {1930: 1000, RECEIVABLES: -1000},
        {BANK_FEES: 250, RECEIVABLES: -250},
    ]
    assert api.call("POST", f"{path}/payments/{paid['id']}/record").status == 400
    assert api.call("POST", f"{path}/settlements/{settled['id']}/record").status == 400


def test_with_automatic_recording_a_closed_year_is_left_alone(api: Api):
    api.sandbox.change_company(
        api.company_id, automaticRecording=True, fiscalYears={"2024": {"status": "closed"}}
    )

    invoice = api.published()

    assert (invoice["status"], invoice["journalEntryRef"]) == ("overdue", None)
    assert api.entries() == []


def test_deleting_a_recorded_payment_is_a_switch_and_reverses_its_entry(api: Api):
    invoice = recorded(api)
    path = f"invoices/{invoice['id']}/payments"
    body = {"date": "2024-10-12", "sumBaseCurrency": 400, "bookkeepingAccountNumber": 1930}
    payment = f"{path}/{api.ok('POST', path, body)['id']}"
    api.ok("POST", f"{payment}/record")
    api.sandbox.set_switches(delete_recorded=True)

    api.ok("DELETE", payment)

    assert api.entries()[1:] == [{1930: 400, RECEIVABLES: -400}, {1930: -400, RECEIVABLES: 400}]
    assert api.ok("GET", f"invoices/{invoice['id']}")["paidAmount"] == 0
    assert api.balance(RECEIVABLES) == 1250


@pytest.mark.parametrize(
    "what, body",
    [
        (
            "payments",
            {"date": "2024-10-12", "sumBaseCurrency": 5, "bookkeepingAccountNumber": 1930},
        ),
        (
            "settlements",
            {
                "type": "bankFee",
                "invoiceSettlementDetails": {"date": "2024-10-12", "sumBaseCurrency": 5},
            },
        ),
    ],
)
def test_a_closed_year_takes_no_payment_and_gives_none_back(
    api: Api, what: str, body: dict[str, Any]
):
    path = f"invoices/{recorded(api)['id']}/{what}"
    api.sandbox.set_switches(delete_recorded=True)
    booked = f"{path}/{api.ok('POST', path, body)['id']}"
    api.ok("POST", f"{booked}/record")
    late = f"{path}/{api.ok('POST', path, body)['id']}"
    before = api.entries()
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    refusal = api.refused("POST", f"{late}/record", status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert api.refused("DELETE", booked, status=400)["code"] == "operation-not-allowed"
    assert api.entries() == before
