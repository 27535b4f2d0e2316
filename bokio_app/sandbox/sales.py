"""What an invoice and its credit notes amount to, in SEK, and how that is booked as sales."""

from collections.abc import Iterable
from decimal import Decimal

from bokio_app.sandbox.ledger import Buyer, Sale
from bokio_app.sandbox.models import CreditNote, Invoice
from bokio_app.sandbox.models.amounts import ZERO
from bokio_app.sandbox.totals import half_up


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


def of_credit_notes(invoice: Invoice, notes: Iterable[CreditNote]) -> list[Sale]:
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
