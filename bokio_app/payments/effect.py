"""What registering a payment would do, worked out before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from bokio_app.core.money import ZERO
from bokio_app.invoicing.currencies import HOME
from bokio_app.invoicing.expected import sale_of
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import is_cash
from bokio_app.ledger import prediction
from bokio_app.ledger.prediction import Entry
from bokio_app.ledger.prediction.entries import Side

from .models import Settlement
from .services import ONE, PaymentInput, still_open


@dataclass(frozen=True)
class Part:
    """One thing that is registered and recorded. `entry` is None where none can be told."""

    title: str
    amount: Decimal
    entry: Entry | None

    @property
    def negative(self) -> Decimal:
        """As the sum shows it: what is taken off the open amount."""
        return -self.amount


@dataclass(frozen=True)
class Effect:
    """What registering would do; amounts are SEK.

    `parts` are in the order they are written. `left` is what stays open, below zero what is paid
    too much: open less all parts, always. `open_foreign` is what is open in the invoice's own
    currency, None in SEK.
    """

    parts: Sequence[Part]
    open_now: Decimal
    open_foreign: Decimal | None
    rate: Decimal

    @property
    def left(self) -> Decimal:
        return self.open_now - sum((part.amount for part in self.parts), ZERO)

    @property
    def doubts(self) -> list[str]:
        """Why some accounts are not known for sure, each once."""
        found = [doubt for part in self.parts if part.entry for doubt in part.entry.doubts]
        return list(dict.fromkeys(found))


def effect_of(invoice: Invoice, wanted: PaymentInput, names: Mapping[int, str]) -> Effect:
    """What registering this would do. `names` is the company's chart."""
    titles = dict(Settlement.Type.choices)
    settled = [
        (str(titles[kind]), amount, _settlement(kind, amount, scheme))
        for kind, amount, scheme in wanted.settlements
    ]
    received = (_("Payment"), wanted.amount, [Side(wanted.account, wanted.amount)])
    foreign = invoice.currency != HOME
    entries = _entries(invoice, wanted, [*settled, received], names)
    return Effect(
        parts=[
            Part(title, amount, entry)
            for (title, amount, _sides), entry in zip([*settled, received], entries, strict=True)
        ],
        open_now=still_open(invoice, rate=wanted.rate),
        open_foreign=invoice.open_amount if foreign else None,
        rate=wanted.rate,
    )


def _settlement(kind: str, amount: Decimal, scheme: str) -> list[Side]:
    return prediction.settlement_sides(kind, amount, vat_scheme=scheme)


def _entries(
    invoice: Invoice,
    wanted: PaymentInput,
    parts: Sequence[tuple[str, Decimal, list[Side]]],
    names: Mapping[int, str],
) -> list[Entry | None]:
    """By accrual each clears the receivable; by cash each books its share of the sale."""
    if not is_cash(invoice):
        owed = prediction.RECEIVABLES
        return [
            prediction.as_entry([*sides, Side(owed, -amount)], names) if sides else None
            for _title, amount, sides in parts
        ]
    if invoice.open_amount + _closed(invoice) != invoice.total:
        return [None for _part in parts]  # a credit note has taken some of the sale back
    sale = sale_of(invoice.lines.all(), customer=invoice.customer, total=invoice.total)
    before, entries = _closed(invoice), list[Entry | None]()
    for _title, amount, sides in parts:
        entry = prediction.cash_entry(sides, sale=sale, before=before, names=names)
        entries.append(entry if sides and wanted.rate == ONE else None)
        before += amount
    return entries


def _closed(invoice: Invoice) -> Decimal:
    """What was paid and settled so far, SEK."""
    paid = sum((row.amount for row in invoice.payments.all()), ZERO)
    return sum((row.amount for row in invoice.settlements.all()), paid)
