"""The cash method: a sale enters the books, with its VAT, only as it is paid for.

Nothing is written when an invoice or a credit note is issued, and currency differences never
are. Source: Bokio's help pages on the cash method; how its API answers there is our reading.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, Sum

from bokio_app.sandbox import ledger, switches
from bokio_app.sandbox.ledger import Row
from bokio_app.sandbox.models import Invoice, JournalItem
from bokio_app.sandbox.models.amounts import ZERO
from bokio_app.sandbox.totals import half_up

_RECEIVABLES = (switches.RECEIVABLES, switches.TAX_AGENCY_RECEIVABLES)


def applies(invoice: Invoice) -> bool:
    """Whether the invoice is booked by the cash method: that of its own fiscal year counts."""
    if invoice.entry_id is not None:
        return False
    year = ledger.fiscal_year(invoice.company, invoice.invoice_date)
    return year is not None and year.method == "cash"


def receipt_rows(invoice: Invoice, sold: Sequence[Row], received: Sequence[Row]) -> list[Row]:
    """The entry of one receipt: `received` is where the money, or the fee, is booked.

    `sold` is what the whole invoice and its published credit notes would book under accrual. The
    entry brings what the books hold of it up to what has been received by now, so that the parts
    add up to the whole to the öre. What is received beyond the sale is owed and kept on 1510;
    but a sale in another currency is worth in SEK what came in for it.
    """
    held = _held(invoice)
    amount = sum((row.debit for row in received), ZERO)
    total = amount - sum(held.values(), ZERO)
    home = invoice.currency == switches.BASE_CURRENCY
    target = _recognised(sold, total, most=None if not home else _owed(sold))
    step = [Row(account, -debit) for account, debit in held.items()]
    return ledger.merged([*received, *target, *step])


def _owed(sold: Sequence[Row]) -> Decimal:
    return sum((row.debit for row in sold if row.account == switches.RECEIVABLES), ZERO)


def _recognised(sold: Sequence[Row], received: Decimal, *, most: Decimal | None) -> list[Row]:
    """Sales and VAT for so much of the sale, in the same proportion on every account."""
    rows = [row for row in sold if row.account not in _RECEIVABLES]
    whole = -sum((row.debit for row in rows), ZERO)
    if not whole:
        return [Row(switches.RECEIVABLES, -received)]
    part = received if most is None else min(received, most)
    shares = [Row(row.account, half_up(row.debit * part / whole)) for row in rows]
    rest = -part - sum((row.debit for row in shares), ZERO)
    return [
        *shares,
        Row(switches.ROUNDING_ACCOUNT, rest),
        Row(switches.RECEIVABLES, part - received),
    ]


def _held(invoice: Invoice) -> dict[int, Decimal]:
    """What the invoice's receipts have put on each account but those of the money and the fees."""
    items = JournalItem.objects.filter(
        Q(entry__payment__invoice=invoice) | Q(entry__settlement__invoice=invoice)
    )
    sums = items.values_list("account").annotate(debits=Sum("debit"), credits=Sum("credit"))
    held = {account: debit - credit for account, debit, credit in sums}
    for row in _receipts(invoice):
        held[row.account] = held.get(row.account, ZERO) - row.debit
    return {account: debit for account, debit in held.items() if debit}


def _receipts(invoice: Invoice) -> list[Row]:
    """The sides of the recorded receipts that say where the money or the fee went."""
    rows = [
        Row(payment.account, payment.amount)
        for payment in invoice.payments.filter(entry__isnull=False)
    ]
    for settlement in invoice.settlements.filter(entry__isnull=False):
        rows += ledger.cost_rows(settlement.type, settlement.amount, settlement.vat_scheme)
    return rows
