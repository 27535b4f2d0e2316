"""Why a draft cannot be sent yet, judged from our own copy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from bokio_app.core.money import Row, totals
from bokio_app.ledger.queries import Books, books_of

from .models import Customer, Invoice


class Line(Protocol):
    """What counts of a row, whether it is kept already or not."""

    @property
    def is_sales(self) -> bool: ...
    @property
    def net(self) -> Decimal: ...
    @property
    def tax_rate(self) -> int: ...
    @property
    def account(self) -> int | None: ...


@dataclass(frozen=True)
class Sendable:
    """A draft as far as it decides whether it can be sent. The customer may be no row yet."""

    customer: Customer | None
    invoice_date: date
    due_date: date | None
    lines: Sequence[Line]


def problems_of(invoice: Invoice) -> list[tuple[str, str]]:
    """Why the invoice cannot be sent yet; see `problems`."""
    lines = list(invoice.lines.all())
    draft = Sendable(invoice.customer, invoice.invoice_date, invoice.due_date, lines)
    return problems(draft, books_of(invoice.connection))


def problems(draft: Sendable, books: Books) -> list[tuple[str, str]]:
    """Why the draft cannot be sent, as (field, code).

    Fields: `customer`, `customer.address`, `lines`, `invoice_date`, `due_date`, and
    `lines.<position>.account`. Codes: `missing`, `no_fiscal_year`, `closed_year`,
    `before_invoice_date`, `unknown_account`, `not_positive`.
    """
    found: list[tuple[str, str]] = []
    customer, sales = draft.customer, [line for line in draft.lines if line.is_sales]
    if customer is None:
        found.append(("customer", "missing"))
    elif not (customer.line1 and customer.postal_code and customer.city):
        found.append(("customer.address", "missing"))
    if not sales:
        found.append(("lines", "missing"))
    elif totals(Row(line.net, line.tax_rate) for line in sales).total <= 0:
        found.append(("lines", "not_positive"))
    if draft.due_date and draft.due_date < draft.invoice_date:
        found.append(("due_date", "before_invoice_date"))
    if problem := books.problem_of(draft.invoice_date):
        found.append(("invoice_date", problem))
    found += [
        (f"lines.{position}.account", "unknown_account")
        for position, line in enumerate(draft.lines)
        if line.account and not books.may_have(line.account)
    ]
    return found
