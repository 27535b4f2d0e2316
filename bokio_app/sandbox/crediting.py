"""Credit notes: what is left to credit of an invoice, and what a note does to it.

A line of a note stands for the line of the invoice that has the same id, in its direction: a
discount on the invoice is taken back as a discount. Every function runs inside the caller's
write transaction and raises `Refusal` when the rules of Bokio forbid the step.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bokio_app.sandbox import cash, clock, invoicing, ledger, refusals, sales, switches
from bokio_app.sandbox.models import CreditNote, Invoice
from bokio_app.sandbox.models.amounts import ZERO
from bokio_app.sandbox.refusals import FieldError
from bokio_app.sandbox.totals import StoredLine, add_up, sales_lines
from bokio_app.sandbox.wire import plain


def require_draft(note: CreditNote) -> None:
    if note.number is not None:
        raise refusals.not_allowed("The credit note is not a draft")


def left_to_credit(invoice: Invoice) -> dict[int, Decimal]:
    """The quantity of each sold line, by its id, that no published note has credited yet."""
    left = {line["id"]: Decimal(line["quantity"]) for line in sales_lines(invoice.lines)}
    for note in sales.published(invoice):
        for line in sales_lines(note.lines):
            left[line["id"]] -= Decimal(line["quantity"])
    return left


def within(quantity: Decimal, left: Decimal) -> bool:
    """Whether so much can be credited: something, in the direction of what is left, not more."""
    return (0 < quantity <= left) or (left <= quantity < 0)


def create(invoice: Invoice) -> CreditNote:
    """Draft a note over all that is left to credit of a published invoice."""
    invoicing.require_published(invoice)
    left = left_to_credit(invoice)
    lines = [_rest(line, left) for line in invoice.lines if left.get(line["id"]) != 0]
    today = clock.today()
    note = CreditNote(
        invoice=invoice,
        company=invoice.company,
        references=invoice.references,
        contact=invoice.contact,
        billing_address=invoice.billing_address,
        delivery_address=invoice.delivery_address,
        currency=invoice.currency,
        currency_rate=invoice.currency_rate,
        rounding=invoice.rounding,
        credit_date=today,
        due_date=today + dt.timedelta(days=invoice.company.payment_days),
        lines=lines,
        metadata=invoice.metadata if switches.current().credit_notes_copy_metadata else {},
    )
    if not sales_lines(lines) or _left_over(invoice) <= 0:
        raise refusals.not_allowed("The invoice is credited already")
    recalculate(note)
    note.save()
    _refer(invoice, [*invoice.credit_note_refs, {"id": str(note.uuid)}])
    return note


def _rest(line: StoredLine, left: Mapping[int, Decimal]) -> dict[str, Any]:
    """The line with the quantity that is left of it; a line of text as it is."""
    rest = left.get(line["id"])
    return dict(line) if rest is None else {**line, "quantity": plain(rest)}


def _refer(invoice: Invoice, references: Sequence[Mapping[str, str]]) -> None:
    invoice.credit_note_refs = list(references)
    invoice.save(update_fields=["credit_note_refs"])


def _left_over(invoice: Invoice) -> Decimal:
    """What no published note has credited yet, in the currency of the invoice."""
    return invoice.total - sales.credited_total(sales.published(invoice))


def recalculate(note: CreditNote) -> None:
    """Bring total and tax in line with the lines; unsaved. The last note takes what is left.

    Raises a 400 `Refusal` for a note of less than nothing, or of more than is left to credit.
    """
    totals = add_up(note.lines, whole_kronor=note.rounding)
    left = _left_over(note.invoice)
    note.total, note.tax = totals.total, totals.tax
    others = sales.published(note.invoice)
    if sales.complete(note.invoice, [*others, note]):
        note.total = left
        note.tax = note.invoice.tax - sum((other.tax for other in others), ZERO)
    if not 0 <= note.total <= left:
        message = f"The lines must come to something between 0 and {plain(left)}"
        raise refusals.invalid([FieldError("#/lineItems", message)])


def delete_draft(note: CreditNote) -> None:
    require_draft(note)
    invoice = note.invoice
    _refer(invoice, [ref for ref in invoice.credit_note_refs if ref["id"] != str(note.uuid)])
    note.delete()


def publish(note: CreditNote) -> None:
    """Give the draft its number, and lower what is open on the invoice."""
    require_draft(note)
    invoice = note.invoice
    left = left_to_credit(invoice)
    lines = sales_lines(note.lines)
    if not lines or not all(within(Decimal(row["quantity"]), left[row["id"]]) for row in lines):
        raise refusals.impossible("credit note", note.uuid)
    recalculate(note)
    note.number = invoicing.take_number(note.company)
    note.published_at = clock.now()
    note.save()
    invoicing.change_sums(invoice, credited=sales.owed_back(invoice, _up_to(note)))
    invoicing.record_automatically(note.company, record, note)


def _up_to(note: CreditNote) -> list[CreditNote]:
    """The published notes of the invoice, of which this one is the last."""
    return [other for other in sales.published(note.invoice) if _number(other) <= _number(note)]


def _number(note: CreditNote) -> int:
    return note.number or 0


def record(note: CreditNote) -> None:
    """Write the entry that takes the sale back: published, once, in an open year, under accrual.

    Under the cash method the sale is in the books only as far as it was paid for, so that there
    is nothing to take back; later payments are booked on what is left of the sale.
    """
    refused = (
        note.number is None
        or note.entry_id is not None
        or not invoicing.in_open_year(note.company, note.credit_date)
        or cash.applies(note.invoice)
    )
    rows = [] if refused else sales.credit_rows(note.invoice, _up_to(note))[-1]
    if not rows:
        raise refusals.impossible("credit note", note.uuid)
    title = f"Kreditfaktura {note.number} av faktura {note.invoice.number}"
    note.entry = ledger.write_entry(note.company, title=title, day=note.credit_date, rows=rows)
    note.save(update_fields=["entry"])
