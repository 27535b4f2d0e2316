"""What is left to do of invoices: each kind with what belongs to it, and its nearest neighbours."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.models import Count

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.invoicing.leftovers import STUCK, Left, condition, left
from bokio_app.invoicing.models import CreditNote, Invoice
from tests.support import make

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)
OLD = NOON - timedelta(days=4)


@pytest.fixture(autouse=True)
def friday() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def company() -> Connection:
    made = make.connection()
    make.fiscal_year(made, 2026)
    make.fiscal_year(made, 2025, status="closed")
    return made


def sent(company: Connection, **fields: Any) -> Invoice:
    """Published and recorded four days ago, in the open year."""
    usual = {
        "status": "published",
        "journal_entry_id": "entry",
        "invoice_date": OLD.date(),
        "published_at": OLD,
    }
    return make.invoice(company, **(usual | fields))


def found(kind: Left) -> set[Invoice]:
    return set(left(kind, Invoice.objects.all()))


def received(invoice: Invoice, name: str, **fields: Any) -> Invoice:
    usual: dict[str, Any] = {"date": OLD.date(), "amount": 10, "remote_id": str(uuid.uuid4())}
    usual |= {"account": 1930} if name == "payments" else {"type": "bankFee"}
    getattr(invoice, name).create(**(usual | fields))
    return invoice


def credit_note(invoice: Invoice, **fields: Any) -> Invoice:
    usual: dict[str, Any] = {
        "tenant": invoice.tenant,
        "connection": invoice.connection,
        "remote_id": str(uuid.uuid4()),
        "remote_invoice": invoice.remote_id,
        "status": "draft",
        "credit_date": OLD.date(),
    }
    CreditNote.objects.create(**(usual | fields))
    return invoice


def test_an_invoice_is_to_be_recorded_as_soon_as_it_is_published_and_left_behind_after_3_days(
    company: Connection,
) -> None:
    fresh = sent(company, journal_entry_id="", published_at=NOON - timedelta(days=3))
    old = sent(company, journal_entry_id="", published_at=NOON - timedelta(days=3, seconds=1))
    unknown = sent(company, journal_entry_id="", published_at=None)
    make.invoice(company)
    sent(company)
    sent(company, journal_entry_id="", gone_at=NOON)
    sent(company, journal_entry_id="", status="gone")

    assert found(Left.TO_RECORD) == {fresh, old, unknown}
    assert found(Left.UNRECORDED) == {old, unknown}


def test_by_the_cash_method_an_invoice_waits_for_its_payment_and_is_never_left_behind(
    company: Connection,
) -> None:
    cash = make.connection(company.tenant)
    make.fiscal_year(cash, 2026, method="cash")
    make.fiscal_year(cash, 2025)
    sent(cash, journal_entry_id="")
    by_accrual = sent(cash, journal_entry_id="", invoice_date=date(2025, 12, 31))

    assert found(Left.TO_RECORD) == found(Left.UNRECORDED) == {by_accrual}


@pytest.mark.parametrize(
    "kind, name", [(Left.PAYMENT, "payments"), (Left.SETTLEMENT, "settlements")]
)
def test_what_was_received_at_bokio_and_is_in_no_books_is_left_behind_after_3_days(
    company: Connection, kind: Left, name: str
) -> None:
    stuck = received(received(sent(company), name), name)
    received(sent(company), name, journal_entry_id="entry")
    received(sent(company), name, remote_id="")
    received(sent(company), name, gone_at=NOON)
    received(sent(company), name, date=NOON.date() - timedelta(days=3))
    received(sent(company, gone_at=NOON), name)

    assert list(left(kind, Invoice.objects.all())) == [stuck]


def test_a_credit_note_that_stays_a_draft_is_left_behind(company: Connection) -> None:
    stuck = credit_note(credit_note(sent(company)))
    credit_note(sent(company), status="published")
    credit_note(sent(company), gone_at=NOON)
    credit_note(sent(company), credit_date=NOON.date())
    credit_note(sent(company), connection=make.connection())
    make.invoice(company)

    assert list(left(Left.CREDIT, Invoice.objects.all())) == [stuck]


def test_a_draft_is_old_after_14_days(company: Connection) -> None:
    old = make.invoice(company, created_at=NOON - timedelta(days=14, seconds=1))
    make.invoice(company, created_at=NOON - timedelta(days=14))
    sent(company, created_at=NOON - timedelta(days=20))

    assert found(Left.DRAFT) == {old}


def test_in_a_closed_year_nothing_can_be_recorded_and_what_is_open_is_told_apart(
    company: Connection,
) -> None:
    last_year = date(2025, 12, 31)
    missed = sent(company, invoice_date=last_year, journal_entry_id="")
    owed = sent(company, invoice_date=last_year)
    sent(company, invoice_date=last_year, status="paid", open_amount=Decimal(0))
    sent(company, invoice_date=date(2024, 12, 31))
    sent(company, invoice_date=date(2026, 1, 1))

    assert found(Left.NOT_IN_CLOSED) == {missed}
    assert found(Left.OPEN_IN_CLOSED) == {owed}
    assert not found(Left.TO_RECORD)


def test_every_kind_is_counted_and_listed_alike(company: Connection) -> None:
    sent(company, journal_entry_id="")
    received(sent(company), "payments")
    received(sent(company), "settlements")
    credit_note(sent(company))
    make.invoice(company, created_at=NOON - timedelta(days=15))
    sent(company, invoice_date=date(2025, 5, 5), journal_entry_id="")
    sent(company, invoice_date=date(2025, 5, 5))

    counts = Invoice.objects.aggregate(
        **{kind.name.lower(): Count("pk", filter=condition(kind)) for kind in Left}
    )

    assert counts == {kind.name.lower(): 1 for kind in Left}
    assert {kind: left(kind, company.tenant.invoices.all()).count() for kind in STUCK} == (
        dict.fromkeys(STUCK, 1)
    )
    assert clock.today() == NOON.date()
