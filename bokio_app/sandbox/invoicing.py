"""What can happen to an invoice, whoever asks: the API, or a person on the sandbox's pages.

Every function runs inside the caller's write transaction and raises `Refusal` when the rules
of Bokio forbid the step. Credit notes have their own rules in `crediting`.
"""

import contextlib
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from django.db.models import Case, CharField, ExpressionWrapper, F, Q, QuerySet, Value, When

from bokio_app.sandbox import cash, clock, ledger, refusals, sales, switches, tax_reductions
from bokio_app.sandbox.ledger import Row
from bokio_app.sandbox.models import Amount, Company, Invoice, JournalEntry, Payment, Settlement
from bokio_app.sandbox.refusals import FieldError
from bokio_app.sandbox.totals import add_up, payment_reference, sales_lines

LARGEST_TOTAL = Decimal(10) ** 13
# What the books never see. Under the cash method there is no claim in them to adjust or to lose.
UNRECORDED_KINDS = ("balanceAdjustment",)
UNRECORDED_CASH_KINDS = ("balanceAdjustment", "currency", "badDebt")

Event = TypeVar("Event")


def status(invoice: Invoice, today: dt.date) -> str:
    """Where the invoice stands on this day, recorded or not."""
    if invoice.number is None:
        return "draft"
    if invoice.credited > 0 and invoice.outstanding + invoice.paid + invoice.settled <= 0:
        return "credited"
    if invoice.outstanding == 0:
        return "paid"
    if invoice.outstanding < 0:
        return "overPaid"
    if invoice.due_date < today:
        return "overdue"
    return "underPaid" if invoice.paid or invoice.settled else "published"


def with_status(invoices: QuerySet[Invoice], today: dt.date) -> QuerySet[Invoice]:
    """Add the column `status`, by the same rules as `status`, for filtering."""
    uncredited = ExpressionWrapper(
        F("outstanding") + F("paid") + F("settled"), output_field=Amount()
    )
    return invoices.annotate(
        uncredited=uncredited,
        status=Case(
            When(number=None, then=Value("draft")),
            When(credited__gt=0, uncredited__lte=0, then=Value("credited")),
            When(outstanding=0, then=Value("paid")),
            When(outstanding__lt=0, then=Value("overPaid")),
            When(due_date__lt=today, then=Value("overdue")),
            When(~Q(paid=0) | ~Q(settled=0), then=Value("underPaid")),
            default=Value("published"),
            output_field=CharField(),
        ),
    )


def recalculate(invoice: Invoice) -> None:
    """Bring the sums of a draft in line with its lines and tax reduction; unsaved."""
    totals = add_up(invoice.lines, whole_kronor=invoice.rounding)
    largest = LARGEST_TOTAL / max(invoice.currency_rate, Decimal(1))
    if abs(totals.total) >= largest:
        raise refusals.invalid([FieldError("#/lineItems", "The total is out of range")])
    invoice.total, invoice.tax = totals.total, totals.tax
    invoice.deduction = tax_reductions.deduction(invoice.tax_reduction)
    if invoice.deduction and invoice.deduction >= invoice.total:
        message = "The deductions must come to less than the total"
        raise refusals.invalid([FieldError("#/taxReduction/deductionPeople", message)])
    _leave_open(invoice)


def require_draft(invoice: Invoice) -> None:
    if invoice.number is not None:
        raise refusals.not_allowed("The invoice is not a draft")


def require_published(invoice: Invoice) -> None:
    if invoice.number is None:
        raise refusals.not_allowed("The invoice is not published")


def require_payable(invoice: Invoice) -> None:
    if not switches.current().drafts_take_payments:
        require_published(invoice)


def publish(invoice: Invoice) -> None:
    """Give the draft its number and OCR reference."""
    require_draft(invoice)
    recalculate(invoice)
    if not _publishable(invoice):
        raise refusals.impossible("invoice", invoice.uuid)
    invoice.number = take_number(invoice.company)
    invoice.payment_reference = payment_reference(invoice.number)
    invoice.published_at = clock.now()
    invoice.billing_address = invoice.customer.address if invoice.customer else None
    invoice.lines = ledger.with_accounts(invoice.lines, ledger.Buyer.of(invoice.customer))
    invoice.save()
    record_automatically(invoice.company, record_invoice, invoice)


def _publishable(invoice: Invoice) -> bool:
    """Something is sold, for no less than nothing, to somebody with an address."""
    if invoice.customer is None or not sales_lines(invoice.lines) or invoice.total < 0:
        return False
    chosen = switches.current()
    if chosen.publish_needs_address and not invoice.customer.address:
        return False
    payable = invoice.company.accounts.filter(receives_payments=True)
    return not chosen.publish_needs_payment_account or payable.exists()


def take_number(company: Company) -> int:
    """The next number of the series that invoices and credit notes share."""
    company.refresh_from_db(fields=["next_invoice_number"])
    number = company.next_invoice_number
    Company.objects.filter(pk=company.pk).update(next_invoice_number=number + 1)
    return number


def record_automatically(company: Company, record: Callable[[Event], None], event: Event) -> None:
    """Record what happened if the company has that done by itself, and it can be recorded."""
    if company.automatic_recording:
        with contextlib.suppress(refusals.Refusal):
            record(event)


def in_open_year(company: Company, day: dt.date) -> bool:
    year = ledger.fiscal_year(company, day)
    return year is not None and year.status == "open"


def record_invoice(invoice: Invoice) -> None:
    """Write the journal entry of a published invoice: once, in an open year, under accrual."""
    company = invoice.company
    by_cash = cash.applies(invoice)
    refused = (
        invoice.number is None
        or invoice.entry_id is not None
        or not in_open_year(company, invoice.invoice_date)
    )
    if by_cash and not refused and not switches.current().cash_invoice_record_refused:
        return
    rows = [] if refused or by_cash else ledger.sale_rows(sales.of_invoice(invoice))
    if not rows:
        raise refusals.impossible("invoice", invoice.uuid)
    title = f"Kundfaktura {invoice.number} {invoice.customer_name}".strip()
    invoice.entry = ledger.write_entry(company, title=title, day=invoice.invoice_date, rows=rows)
    invoice.save(update_fields=["entry"])


def delete_draft(invoice: Invoice) -> None:
    """Delete the draft with what was registered of it, unless some of that is in the books."""
    require_draft(invoice)
    for receipts in (invoice.payments, invoice.settlements):
        if receipts.filter(entry__isnull=False).exists():
            raise refusals.not_allowed("A payment or settlement of the draft is recorded")
    invoice.delete()


def pay(invoice: Invoice, *, day: dt.date, amount: Decimal, account: int) -> Payment:
    """Register a payment in SEK. It is not recorded yet."""
    require_payable(invoice)
    payment = Payment.objects.create(invoice=invoice, date=day, amount=amount, account=account)
    if switches.current().unrecorded_counts:
        change_sums(invoice, paid=amount)
    record_automatically(invoice.company, record_payment, payment)
    return payment


def settle(
    invoice: Invoice, *, kind: str, day: dt.date, amount: Decimal, vat_scheme: str = ""
) -> Settlement:
    """Register a settlement in SEK, which lowers the open amount by its sum.

    `kind` is a type of the API, or one that only the app can make: `badDebt`, which is booked
    as a loss, or `balanceAdjustment`, which the books never see.
    """
    require_payable(invoice)
    settlement = Settlement.objects.create(
        invoice=invoice, type=kind, date=day, amount=amount, vat_scheme=vat_scheme
    )
    if switches.current().unrecorded_counts or kind in UNRECORDED_KINDS:
        change_sums(invoice, settled=amount)
    record_automatically(invoice.company, record_settlement, settlement)
    return settlement


def change_sums(
    invoice: Invoice,
    *,
    paid: Decimal = Decimal(0),
    settled: Decimal = Decimal(0),
    credited: Decimal = Decimal(0),
) -> None:
    """Add to what has come in on a published invoice, all in SEK, and save what is left open."""
    invoice.refresh_from_db(fields=["paid", "settled", "credited"])
    invoice.paid += paid
    invoice.settled += settled
    invoice.credited += credited
    _leave_open(invoice)
    invoice.save(update_fields=["paid", "settled", "credited", "outstanding"])


def _leave_open(invoice: Invoice) -> None:
    closed = invoice.paid + invoice.settled + invoice.credited
    invoice.outstanding = sales.owed(invoice) - closed


def record_payment(payment: Payment) -> None:
    """Write the payment's entry, against 1510; under the cash method against sales and VAT."""
    invoice = payment.invoice
    if payment.entry_id is not None or not in_open_year(invoice.company, payment.date):
        raise refusals.impossible("invoice payment", payment.uuid)
    if cash.applies(invoice):
        rows = _cash_rows(invoice, [Row(payment.account, payment.amount)])
    else:
        rows = ledger.payment_rows(payment.amount, payment.account)
    payment.entry = ledger.write_entry(
        invoice.company,
        title=f"Betalning av faktura {invoice.number}",
        day=payment.date,
        rows=rows,
    )
    payment.save(update_fields=["entry"])
    if not switches.current().unrecorded_counts:
        change_sums(invoice, paid=payment.amount)


def record_settlement(settlement: Settlement) -> None:
    """Write the settlement's entry, unless it is of a kind that the books never see."""
    invoice = settlement.invoice
    by_cash = cash.applies(invoice)
    if (
        settlement.entry_id is not None
        or settlement.type in (UNRECORDED_CASH_KINDS if by_cash else UNRECORDED_KINDS)
        or not in_open_year(invoice.company, settlement.date)
    ):
        raise refusals.impossible("invoice settlement", settlement.uuid)
    what = (settlement.type, settlement.amount, settlement.vat_scheme)
    rows = (
        _cash_rows(invoice, ledger.cost_rows(*what)) if by_cash else ledger.settlement_rows(*what)
    )
    settlement.entry = ledger.write_entry(
        invoice.company,
        title=f"Avräkning av faktura {invoice.number}",
        day=settlement.date,
        rows=rows,
    )
    settlement.save(update_fields=["entry"])
    if not switches.current().unrecorded_counts:
        change_sums(invoice, settled=settlement.amount)


def _cash_rows(invoice: Invoice, received: list[Row]) -> list[Row]:
    sold = ledger.sale_rows(sales.of_invoice(invoice))
    for taken_back in sales.credit_rows(invoice, sales.published(invoice)):
        sold += taken_back
    return cash.receipt_rows(invoice, sold, received)


def delete_payment(payment: Payment) -> None:
    _release_entry(payment.entry, "invoice payment", payment.date)
    payment.delete()
    if payment.entry_id or switches.current().unrecorded_counts:
        change_sums(payment.invoice, paid=-payment.amount)


def delete_settlement(settlement: Settlement) -> None:
    _release_entry(settlement.entry, "invoice settlement", settlement.date)
    settlement.delete()
    counted = settlement.entry_id or settlement.type in UNRECORDED_KINDS
    if counted or switches.current().unrecorded_counts:
        change_sums(settlement.invoice, settled=-settlement.amount)


def _release_entry(entry: JournalEntry | None, kind: str, day: dt.date) -> None:
    if entry is None:
        return
    if not switches.current().delete_recorded or not in_open_year(entry.company, day):
        raise refusals.not_allowed(f"The {kind} is recorded")
    ledger.reverse(entry, day=day)
