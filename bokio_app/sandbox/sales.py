"""What an invoice and its credit notes amount to, in SEK, and how that is booked as sales."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bokio_app.sandbox.ledger import Buyer, Row, Sale, merged, opposite, sale_rows
from bokio_app.sandbox.models import CreditNote, Invoice
from bokio_app.sandbox.models.amounts import ZERO
from bokio_app.sandbox.totals import StoredLine, half_up, sales_lines


def owed(invoice: Invoice) -> Decimal:
    """What the customer is to pay for the whole invoice: the Tax Agency's share is not in it."""
    return half_up(invoice.total * invoice.currency_rate) - invoice.deduction


def of_invoice(invoice: Invoice) -> Sale:
    return Sale(
        invoice.lines,
        Buyer.of(invoice.customer, invoice.billing_address),
        amount=half_up(invoice.total * invoice.currency_rate),
        rate=invoice.currency_rate,
        deduction=invoice.deduction,
    )


def published(invoice: Invoice) -> list[CreditNote]:
    """The published credit notes of the invoice, in the order of their numbers."""
    return list(invoice.credit_notes.filter(number__isnull=False).order_by("number"))


def credited_total(notes: Iterable[CreditNote]) -> Decimal:
    """What the notes credit together, in the currency of the invoice."""
    return sum((note.total for note in notes), ZERO)


def complete(invoice: Invoice, notes: Iterable[CreditNote]) -> bool:
    """Whether the notes credit every line of the invoice in full, quantity and price."""
    return _worth(line for note in notes for line in note.lines) == _worth(invoice.lines)


def _worth(lines: Iterable[StoredLine]) -> dict[int, Decimal]:
    """Quantity times price per line id, of the lines that are worth anything."""
    worth: dict[int, Decimal] = {}
    for line in sales_lines(list(lines)):
        price = Decimal(line["quantity"]) * Decimal(line["unitPrice"])
        worth[line["id"]] = worth.get(line["id"], ZERO) + price
    return {line_id: price for line_id, price in worth.items() if price}


def credit_rows(invoice: Invoice, notes: Sequence[CreditNote]) -> list[list[Row]]:
    """The rows that take back each note, given in the order of their numbers.

    The note that completes the others takes back what is left on every account: each part has
    its VAT rounded by itself, and nothing of a sale that was taken back whole may stay.
    """
    taken: list[list[Row]] = []
    for place, sale in enumerate(_of_credit_notes(invoice, notes), start=1):
        rows = opposite(sale_rows(sale))
        if complete(invoice, notes[:place]):
            earlier = [row for each in taken for row in each]
            rows = opposite(merged([*sale_rows(of_invoice(invoice)), *earlier]))
        taken.append(rows)
    return taken


def owed_back(invoice: Invoice, notes: Sequence[CreditNote]) -> Decimal:
    """How much less the customer owes by the last of the notes, SEK."""
    last = _of_credit_notes(invoice, notes)[-1]
    return last.amount - last.deduction


def _of_credit_notes(invoice: Invoice, notes: Iterable[CreditNote]) -> list[Sale]:
    """What each note takes back, given in the order of their numbers.

    A note's amount in SEK is how much further it brings the credited part of the invoice, so
    that several parts add up to the invoice to the öre, in any currency and with a tax reduction.
    """
    buyer = Buyer.of(invoice.customer, invoice.billing_address)
    taken: list[Sale] = []
    total = ZERO
    for note in notes:
        before, total = total, total + note.total
        taken.append(
            Sale(
                note.lines,
                buyer,
                amount=_in_sek(invoice, total) - _in_sek(invoice, before),
                rate=invoice.currency_rate,
                deduction=_deduction(invoice, total) - _deduction(invoice, before),
            )
        )
    return taken


def _in_sek(invoice: Invoice, credited: Decimal) -> Decimal:
    return half_up(credited * invoice.currency_rate)


def _deduction(invoice: Invoice, credited: Decimal) -> Decimal:
    """The Tax Agency's share of what is credited, in proportion."""
    return half_up(invoice.deduction * credited / invoice.total) if invoice.deduction else ZERO
