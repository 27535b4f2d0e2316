"""What the page of an invoice says of its journal entries and of its open amount."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bokio_app.core import clock
from bokio_app.invoicing.models import CreditNote, Invoice
from bokio_app.invoicing.overview import Overview, flows_of
from bokio_app.ledger.models import JournalEntry, JournalItem
from bokio_app.payments.models import Payment, Settlement
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice() -> Invoice:
    connection = make.connection()
    make.fiscal_year(connection)
    return make.invoice(connection, status="published", journal_entry_id="e1")


def view_of(invoice: Invoice) -> Overview:
    return Overview(invoice, flows_of(invoice))


def entry(invoice: Invoice, remote_id: str, sides: dict[int, str]) -> None:
    made = JournalEntry.objects.create(
        connection=invoice.connection, remote_id=remote_id, number="V1", date=clock.today()
    )
    for position, (account, text) in enumerate(sides.items()):
        amount = Decimal(text)
        JournalItem.objects.create(
            entry=made,
            position=position,
            account=account,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)),
        )


def note(invoice: Invoice, total: str, **fields: Any) -> CreditNote:
    facts = {
        "remote_id": f"n{total}",
        "remote_invoice": invoice.remote_id,
        "status": "published",
        "number": "7",
        "credit_date": clock.today(),
        "total": Decimal(total),
    } | fields
    return CreditNote.objects.create(
        tenant_id=invoice.tenant_id, connection=invoice.connection, **facts
    )


@pytest.mark.parametrize(
    "booked,verdict",
    [
        ({1510: "1250.00", 3011: "-1000.00", 2611: "-250.00"}, "same"),
        ({1510: "1250.00", 3011: "-1000.01", 2611: "-249.99"}, "differs"),
        ({1510: "1250.00", 3041: "-1000.00", 2611: "-250.00"}, "differs"),
    ],
)
def test_an_entry_is_held_against_the_expected_one_to_the_ore(invoice, booked, verdict):
    entry(invoice, "e1", booked)

    [compared] = view_of(invoice).comparisons

    assert compared.verdict == verdict
    differing = [row.account for row in compared.rows if not row.is_same]
    assert bool(differing) == (verdict == "differs")


def test_a_note_over_the_whole_is_expected_to_take_every_account_back(invoice):
    entry(invoice, "e9", {1510: "-1250.00", 3011: "1000.00", 2611: "250.00"})
    note(invoice, "1250.00", journal_entry_id="e9")

    view = view_of(invoice)

    assert view.comparisons[-1].verdict == "same"
    assert [(row.amount, row.entry) for row in view.open_rows] == [(Decimal(-1250), "V1")]


def test_of_a_note_over_a_part_nothing_is_promised(invoice):
    entry(invoice, "e9", {1510: "-625.00", 3011: "500.00", 2611: "125.00"})
    note(invoice, "625.00", journal_entry_id="e9")
    note(invoice, "5.00", status="draft")
    note(invoice, "6.00", gone_at=clock.now())

    view = view_of(invoice)

    assert [each.verdict for each in view.comparisons] == ["unread", "unknown"]
    assert [row.amount for row in view.open_rows] == [Decimal(-625)]


def test_an_invoice_whose_rate_is_not_known_is_not_compared(invoice):
    Invoice.objects.filter(pk=invoice.pk).update(currency="EUR")
    invoice.refresh_from_db()
    entry(invoice, "e1", {1510: "14043.13", 3011: "-11234.50", 2611: "-2808.63"})

    assert [each.verdict for each in view_of(invoice).comparisons] == ["unknown"]
    invoice.currency_rate = Decimal("11.2345")
    assert [each.verdict for each in view_of(invoice).comparisons] == ["same"]


def test_an_account_that_bokio_does_not_tell_is_said_until_the_books_have_borne_it_out(invoice):
    fee = {"invoice": invoice, "date": clock.today(), "amount": Decimal(50), "remote_id": "s1"}
    fee |= {"type": "paymentServiceFee", "vat_scheme": "domestic"}
    row = Settlement.objects.create(**fee)
    assert len(view_of(invoice).doubts) == 1

    entry(invoice, "e2", {6040: "50.00", 1510: "-50.00"})
    Settlement.objects.filter(pk=row.pk).update(journal_entry_id="e2")

    assert view_of(invoice).doubts == []


def test_the_page_asks_as_many_questions_whatever_has_been_paid(client, invoice):
    client.force_login(make.member(invoice.tenant))
    address = reverse("invoicing:detail", args=[invoice.pk])

    def questions() -> int:
        with CaptureQueriesContext(database) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    def pay(number: int) -> None:
        facts = {"invoice": invoice, "date": clock.today(), "amount": Decimal(1)}
        made = {"remote_id": f"p{number}", "journal_entry_id": f"j{number}"}
        Payment.objects.create(account=1930, **facts, **made)
        Settlement.objects.create(type="bankFee", **facts, **made)
        note(invoice, f"{number}.00", remote_id=f"n{number}")
        entry(invoice, f"j{number}", {1930: "1.00", 1510: "-1.00"})

    pay(1)
    questions()
    few = questions()
    for number in range(2, 12):
        pay(number)

    assert questions() == few
