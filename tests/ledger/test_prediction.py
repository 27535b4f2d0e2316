"""The journal entries that we expect, against a table written by hand and rules of their own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokio_app.ledger import prediction
from bokio_app.ledger.prediction import Buyer, Entry, Sale
from bokio_app.ledger.prediction.entries import Side
from tests.support.matrix import Case, cases

CENT = Decimal("0.01")
BUYERS = {
    "se-company": Buyer(),
    "se-private": Buyer(is_person=True),
    "eu-company": Buyer("DE", has_vat_number=True),
    "eu-unregistered": Buyer("DE"),
    "eu-private": Buyer("FI", is_person=True),
    "outside-company": Buyer("NO"),
    "outside-private": Buyer("NO", is_person=True),
    "construction": Buyer(reverse_charge=True),
}


@dataclass(frozen=True)
class Line:
    net: Decimal
    product: str = "services"
    tax_rate: int = 25
    account: int | None = None
    is_sales: bool = True


def sides(entry: Entry | None) -> dict[int, Decimal]:
    assert entry
    assert entry.debit == entry.credit
    return {row.account: row.debit - row.credit for row in entry.rows}


def sale_of(case: Case) -> Sale:
    line = Line(case.amount, case.product, case.vat_rate, case.account)
    sale = Sale([line], BUYERS[case.customer], rate=case.rate)
    if case.more != "whole":
        return sale
    total = sale.sums.total.quantize(Decimal(1), rounding=ROUND_HALF_UP).quantize(CENT)
    return Sale([line], BUYERS[case.customer], rate=case.rate, total=total)


def predicted(case: Case) -> Entry | None:
    names: dict[int, str] = {}
    match case.event:
        case "invoice":
            return prediction.invoice_entry(sale_of(case), names=names)
        case "credit_note":
            return prediction.credit_note_entry(sale_of(case), names=names)
        case "receipt":
            amount = case.part or case.expected[1930]
            received = [Side(1930, amount)]
            sale, before = sale_of(case), Decimal(0)
            return prediction.cash_entry(received, sale=sale, before=before, names=names)
        case "payment":
            assert case.account
            return prediction.payment_entry(case.amount, account=case.account, names=names)
        case kind:
            return prediction.settlement_entry(kind, case.amount, names=names, vat_scheme=case.more)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_an_entry_is_predicted_as_the_table_has_it(case: Case) -> None:
    entry = predicted(case)

    assert sides(entry) == case.expected
    assert entry
    assert (entry.doubts == []) == case.sure


def test_the_table_holds_every_mix_of_what_decides_an_entry() -> None:
    """Only untaxed sales go to buyers who account for the VAT themselves."""
    rows = [each for each in cases() if each.event in {"invoice", "receipt"} and not each.more]
    mixes = {
        (row.method, row.customer, row.vat_rate, row.product, bool(row.account), row.currency)
        for row in rows
    }
    kinds = {(row.customer, row.vat_rate) for row in rows}

    assert len(mixes) == len(rows) == len(kinds) * 2 * 2 * 2 * 2
    assert {customer for customer, _rate in kinds} == set(BUYERS)
    assert all(row.source for row in cases())


def test_an_account_outside_the_chart_says_so_in_words() -> None:
    chart = {1510: "Kundfordringar", 2611: "Moms"}

    entry = prediction.invoice_entry(Sale([Line(Decimal(100), account=3055)]), names=chart)

    [row] = [row for row in entry.rows if not row.known]
    assert row.account == 3055
    assert entry.doubts == [row.why] != [""]


def test_a_total_that_rounding_does_not_explain_is_no_sure_thing() -> None:
    lines = [Line(Decimal("100.00"))]

    near = prediction.invoice_entry(Sale(lines, total=Decimal("125.40")), names={})
    far = prediction.invoice_entry(Sale(lines, total=Decimal("127.00")), names={})

    for entry in (near, far):
        assert [row.doubt for row in entry.rows if row.account == 3740] == ["unexplained"]


def test_the_tax_agencys_share_is_not_owed_by_the_customer() -> None:
    sale = Sale([Line(Decimal(1000))], deduction=Decimal(500))

    entry = prediction.invoice_entry(sale, names={})

    assert sides(entry) == {1510: 750, 1513: 500, 3011: -1000, 2611: -250}


def test_the_last_credit_note_clears_every_account_to_the_ore() -> None:
    whole = Sale([Line(Decimal("0.10"), account=3730), Line(Decimal("0.10"))])
    first = Sale([Line(Decimal("0.10"), account=3730)])
    last = Sale([Line(Decimal("0.10"))])

    entries = [
        prediction.invoice_entry(whole, names={}),
        prediction.credit_note_entry(first, names={}),
        prediction.credit_note_entry(last, names={}, completes=whole, earlier=[first]),
    ]

    sums: dict[int, Decimal] = {}
    for entry in entries:
        for account, amount in sides(entry).items():
            sums[account] = sums.get(account, Decimal(0)) + amount
    assert set(sums.values()) == {0}


@pytest.mark.parametrize("kind", ["balanceAdjustment", "of tomorrow"])
def test_what_is_not_recorded_or_not_known_has_no_entry(kind: str) -> None:
    assert prediction.settlement_entry(kind, Decimal(5), names={}) is None


def test_a_service_fee_of_no_known_scheme_has_no_entry() -> None:
    assert prediction.settlement_entry("paymentServiceFee", Decimal(5), names={}) is None


amounts = st.decimals(min_value=-99999, max_value=99999, places=2)
lines = st.builds(
    Line,
    net=amounts,
    product=st.sampled_from(["goods", "services"]),
    tax_rate=st.sampled_from([25, 12, 6, 0]),
    account=st.sampled_from([None, 3730, 3730]),
)
rates = st.sampled_from([Decimal(1), Decimal("11.2345"), Decimal("0.0987")])


@given(st.lists(lines, max_size=8), st.sampled_from(list(BUYERS.values())), rates)
def test_every_expected_entry_balances(sold: list[Line], buyer: Buyer, rate: Decimal) -> None:
    entry = prediction.invoice_entry(Sale(sold, buyer, rate=rate), names={})

    assert entry.debit == entry.credit


@given(st.lists(st.decimals(min_value="0.01", max_value=999, places=2), min_size=1, max_size=5))
def test_receipts_by_the_cash_method_add_up_to_the_sale(parts: list[Decimal]) -> None:
    sale = Sale([Line(Decimal("333.33")), Line(Decimal("66.67"), tax_rate=6)])
    sums: dict[int, Decimal] = {}
    before = Decimal(0)
    for part in parts:
        entry = prediction.cash_entry([Side(1930, part)], sale=sale, before=before, names={})
        for account, amount in sides(entry).items():
            sums[account] = sums.get(account, Decimal(0)) + amount
        before += part

    at_once = prediction.cash_entry([Side(1930, before)], sale=sale, before=Decimal(0), names={})
    assert {account: amount for account, amount in sums.items() if amount} == sides(at_once)
