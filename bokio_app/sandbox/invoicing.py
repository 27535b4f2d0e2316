"""What can happen to an invoice, whoever asks: the API, or a person on the sandbox's pages.

Every function runs inside the caller's write transaction and raises `Refusal` when the rules
of Bokio forbid the step.
"""

import datetime as dt
from decimal import Decimal

from django.db.models import Case, CharField, ExpressionWrapper, F, Q, QuerySet, Value, When

from bokio_app.sandbox import clock, ledger, refusals, switches
from bokio_app.sandbox.models import Amount, Company, Invoice, JournalEntry, Payment, Settlement
from bokio_app.sandbox.totals import add_up, half_up, payment_reference, sales_lines


def status(invoice: Invoice, today: dt.date) -> str:
    """Where the invoice stands on this day, recorded or not."""
    if invoice.number is None:
        return "draft"
    if invoice.credited and invoice.credited >= half_up(invoice.total * invoice.currency_rate):
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
    """Bring total, tax and the open amount in line with the rest of the invoice; unsaved."""
    totals = add_up(invoice.lines, whole_kronor=invoice.rounding)
    invoice.total, invoice.tax = totals.total, totals.tax
    owed = half_up(invoice.total * invoice.currency_rate)
    invoice.outstanding = owed - invoice.paid - invoice.settled - invoice.credited


def require_draft(invoice: Invoice) -> None:
    if invoice.number is not None:
        raise refusals.not_allowed("The invoice is not a draft")


def require_published(invoice: Invoice) -> None:
    if invoice.number is None:
        raise refusals.not_allowed("The invoice is not published")


def publish(invoice: Invoice) -> None:
    """Give the draft its number and OCR reference."""
    require_draft(invoice)
    if invoice.customer is None or not sales_lines(invoice.lines):
        raise refusals.impossible("invoice", invoice.uuid)
    if switches.current().publish_needs_address and not invoice.customer.address:
        raise refusals.impossible("invoice", invoice.uuid)
    company = invoice.company
    company.refresh_from_db(fields=["next_invoice_number"])
    invoice.number = company.next_invoice_number
    Company.objects.filter(pk=company.pk).update(next_invoice_number=F("next_invoice_number") + 1)
    invoice.payment_reference = payment_reference(invoice.number)
    invoice.published_at = clock.now()
    invoice.billing_address = invoice.customer.address
    recalculate(invoice)
    invoice.save()
    if company.automatic_recording and _bookable(company, invoice.invoice_date) == "accrual":
        record_invoice(invoice)


def _bookable(company: Company, day: dt.date) -> str:
    """The accounting method of the open fiscal year of the day; empty if there is none."""
    year = ledger.fiscal_year(company, day)
    return year.method if year and year.status == "open" else ""


def record_invoice(invoice: Invoice) -> None:
    """Write the invoice's journal entry: published, not yet recorded, accrual, open year."""
    company = invoice.company
    if (
        invoice.number is None
        or invoice.entry_id is not None
        or _bookable(company, invoice.invoice_date) != "accrual"
    ):
        raise refusals.impossible("invoice", invoice.uuid)
    invoice.entry = ledger.write_entry(
        company,
        title=f"Kundfaktura {invoice.number} {invoice.customer_name}".strip(),
        day=invoice.invoice_date,
        rows=ledger.invoice_rows(
            invoice.lines,
            customer=invoice.customer,
            rate=invoice.currency_rate,
            whole_kronor=invoice.rounding,
        ),
    )
    invoice.save(update_fields=["entry"])


def delete_draft(invoice: Invoice) -> None:
    require_draft(invoice)
    invoice.delete()


def pay(invoice: Invoice, *, day: dt.date, amount: Decimal, account: int) -> Payment:
    """Register a payment in SEK. It is not recorded yet."""
    require_published(invoice)
    payment = Payment.objects.create(invoice=invoice, date=day, amount=amount, account=account)
    _change(invoice, paid=amount)
    if invoice.company.automatic_recording and _bookable(invoice.company, day):
        record_payment(payment)
    return payment


def settle(
    invoice: Invoice, *, kind: str, day: dt.date, amount: Decimal, vat_scheme: str = ""
) -> Settlement:
    """Register a settlement in SEK, which lowers the open amount by its sum."""
    require_published(invoice)
    settlement = Settlement.objects.create(
        invoice=invoice, type=kind, date=day, amount=amount, vat_scheme=vat_scheme
    )
    _change(invoice, settled=amount)
    if invoice.company.automatic_recording and _bookable(invoice.company, day):
        record_settlement(settlement)
    return settlement


def _change(invoice: Invoice, *, paid: Decimal = Decimal(0), settled: Decimal = Decimal(0)) -> None:
    invoice.refresh_from_db(fields=["paid", "settled", "credited"])
    invoice.paid += paid
    invoice.settled += settled
    recalculate(invoice)
    invoice.save(update_fields=["paid", "settled", "outstanding"])


def record_payment(payment: Payment) -> None:
    """Write the payment's entry, against 1510; in a cash-method year against sales and VAT."""
    invoice = payment.invoice
    company = invoice.company
    method = _bookable(company, payment.date)
    if payment.entry_id is not None or not method:
        raise refusals.impossible("invoice payment", payment.uuid)
    if method == "cash" and invoice.entry_id is None:
        rows = ledger.cash_payment_rows(invoice, payment.amount, payment.account)
    else:
        rows = ledger.payment_rows(payment.amount, payment.account)
    payment.entry = ledger.write_entry(
        company, title=f"Betalning av faktura {invoice.number}", day=payment.date, rows=rows
    )
    payment.save(update_fields=["entry"])


def record_settlement(settlement: Settlement) -> None:
    invoice = settlement.invoice
    if settlement.entry_id is not None or not _bookable(invoice.company, settlement.date):
        raise refusals.impossible("invoice settlement", settlement.uuid)
    settlement.entry = ledger.write_entry(
        invoice.company,
        title=f"Avräkning av faktura {invoice.number}",
        day=settlement.date,
        rows=ledger.settlement_rows(settlement.type, settlement.amount, settlement.vat_scheme),
    )
    settlement.save(update_fields=["entry"])


def delete_payment(payment: Payment) -> None:
    _release_entry(payment.entry, "invoice payment", payment.date)
    payment.delete()
    _change(payment.invoice, paid=-payment.amount)


def delete_settlement(settlement: Settlement) -> None:
    _release_entry(settlement.entry, "invoice settlement", settlement.date)
    settlement.delete()
    _change(settlement.invoice, settled=-settlement.amount)


def _release_entry(entry: JournalEntry | None, kind: str, day: dt.date) -> None:
    if entry is None:
        return
    if not switches.current().delete_recorded:
        raise refusals.not_allowed(f"The {kind} is recorded")
    ledger.reverse(entry, day=day)
