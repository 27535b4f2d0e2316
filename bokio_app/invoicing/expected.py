"""Our rows as the predictor of journal entries takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from bokio_app.core.money import ZERO
from bokio_app.ledger import prediction
from bokio_app.ledger.prediction import DISCOUNTS, Buyer, Entry, Sale, Sold

from .currencies import HOME
from .models import Customer, Invoice

ONE = Decimal(1)

__all__ = ["DISCOUNTS", "Entry", "buyer_of", "invoice_entry", "rate_of", "sale_of"]


def buyer_of(customer: Customer | None) -> Buyer:
    """What about the customer decides the accounts; a Swedish company while there is none."""
    if customer is None:
        return Buyer()
    return Buyer(
        country=customer.country or "SE",
        is_person=customer.is_person,
        has_vat_number=bool(customer.vat_number),
    )


def rate_of(invoice: Invoice) -> Decimal | None:
    """SEK per unit of the invoice's currency, None if we have not read it."""
    return ONE if invoice.currency == HOME else invoice.currency_rate


def sale_of(
    lines: Iterable[Sold],
    *,
    customer: Customer | None,
    total: Decimal | None = None,
    rate: Decimal = ONE,
    deduction: Decimal = ZERO,
) -> Sale:
    """What lines sell to a customer; `total` is Bokio's own, once it has said one, and
    `deduction` what the Tax Agency pays, in SEK.
    """
    return Sale(list(lines), buyer_of(customer), total=total, rate=rate, deduction=deduction)


def invoice_entry(
    lines: Iterable[Sold], *, customer: Customer | None, names: Mapping[int, str]
) -> Entry:
    """The entry of an invoice under the accrual method. `names` is the company's chart."""
    return prediction.invoice_entry(sale_of(lines, customer=customer), names=names)
