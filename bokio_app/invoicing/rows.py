"""Drafts as rows: what is kept of one, and what a row says of it."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from decimal import Decimal

from bokio_app.core.money import ZERO, totals

from .currencies import rate_kept
from .discounts import discount_lines
from .inputs import DraftInput, LineInput, More
from .models import Invoice, LineItem
from .more import InvoiceMore
from .tax_reduction import keep

THOUSANDTH = Decimal("0.001")  # what is kept of a quantity


def replace_rows(invoice: Invoice, draft: DraftInput) -> None:
    """Have the invoice's rows say what the draft says."""
    lines = fill(invoice, draft)
    invoice.save()
    invoice.lines.all().delete()
    LineItem.objects.bulk_create(lines)
    had_one = InvoiceMore.objects.filter(invoice=invoice).exists()
    if more := row_of_more(invoice, draft, had_one=had_one):
        more.save()
    keep(invoice.pk, draft.reduction)


def dated(draft: DraftInput) -> DraftInput:
    """The draft as it is kept: without a due date it gets the one of the customer's terms."""
    return replace(draft, due_date=draft.due_date or _due(draft), lines=list(draft.lines))


def fill(invoice: Invoice, draft: DraftInput) -> list[LineItem]:
    """Give the invoice what the draft says, with its sums, and return its lines, those of the
    discount too. The amounts are as a read would give them.
    """
    draft = dated(draft)
    invoice.customer = draft.customer
    invoice.invoice_date = draft.invoice_date
    invoice.due_date = draft.due_date
    invoice.your_reference = draft.your_reference
    invoice.currency = draft.currency
    known = draft.more.rate != 1
    invoice.currency_rate = rate_kept(draft.currency, draft.more.rate) if known else None
    lines = [
        LineItem(
            invoice=invoice,
            position=position,
            **{
                **{each.name: getattr(line, each.name) for each in fields(LineInput)},
                "quantity": line.quantity.quantize(THOUSANDTH),
                "unit_price": line.unit_price.quantize(ZERO),
            },
        )
        for position, line in enumerate(
            [*draft.lines, *discount_lines(draft.lines, draft.discount)]
        )
    ]
    sums = totals(each.row for each in lines if each.is_sales)
    invoice.net, invoice.tax, invoice.total = sums.net, sums.tax, sums.total
    invoice.open_amount = sums.total
    return lines


def row_of_more(
    invoice: Invoice, draft: DraftInput, *, had_one: bool = False
) -> InvoiceMore | None:
    """The row of what the draft says more, not kept yet; None where it has and needs none."""
    discount = draft.discount
    if not had_one and draft.more == More() and discount is None:
        return None
    row = InvoiceMore(invoice=invoice, **asdict(draft.more))
    if discount:
        row.discount, row.discount_kind = discount.amount, discount.kind
    return row


def more_of(row: InvoiceMore) -> More:
    """What the row says beyond head and lines, as the editor would give it."""
    return More(**{each.name: getattr(row, each.name) for each in fields(More)})


def _due(draft: DraftInput) -> date:
    days = draft.customer.terms_days if draft.customer else 30
    return draft.invoice_date + timedelta(days=days)
