"""How an editor comes to be: of nothing, of what was typed, of a draft."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict
from datetime import timedelta

from django.http import QueryDict

from bokio_app.connections.models import Connection
from bokio_app.core import clock

from . import reduction_form, tax_reduction, writing
from .currencies import HOME
from .editor import NEW_LINE, Editor, RawLine
from .fields import as_typed
from .forms import LineForm
from .head import InvoiceForm
from .inputs import DraftInput, LineInput
from .models import Invoice
from .services import draft_of

LINE_KEY = re.compile(r"lines-(\d{1,6})-type")


def rows_of(data: QueryDict) -> list[RawLine]:
    """The lines as typed, in the order in which they stand on the page."""
    numbers = [found[1] for key in data if (found := LINE_KEY.fullmatch(key))]
    return [
        {name: data.get(f"lines-{number}-{name}", "") for name in LineForm.FIELDS}
        for number in numbers
    ]


def blank(connection: Connection) -> Editor:
    """An invoice not begun."""
    head = {
        "draft_id": str(uuid.uuid4()),
        "request_key": str(uuid.uuid4()),
        "version": 0,
        "invoice_date": clock.today().isoformat(),
        "currency": HOME,
    }
    return Editor(connection, head=head, rows=[NEW_LINE])


def typed(
    connection: Connection, data: QueryDict, *, invoice: Invoice | None, quiet: bool
) -> Editor:
    """What a person sent."""
    head = {name: data.get(name, "") for name in InvoiceForm.base_fields}
    kept = tax_reduction.kept(invoice.pk) if invoice else None
    return Editor(
        connection,
        head=head,
        rows=rows_of(data),
        invoice=invoice,
        quiet=quiet,
        reduction=reduction_form.typed(data, kept),
    )


def stored(invoice: Invoice, *, checking: bool = False) -> Editor:
    """A draft as it was saved. One that is not whole is shown as it was typed, and judged when
    `checking` asks for it.
    """
    if typed := writing.typed_of(invoice):
        head = {**typed["head"], "request_key": str(uuid.uuid4()), "version": invoice.version}
        head["seq"] = 0
        rows = typed["rows"] or [NEW_LINE]
        return Editor(
            invoice.connection,
            head=head,
            rows=rows,
            invoice=invoice,
            quiet=not checking,
            reduction=reduction_form.stored(tax_reduction.kept(invoice.pk)),
        )
    draft = draft_of(invoice)
    day, due, customer = draft.invoice_date, draft.due_date, draft.customer
    terms = str((due - day) // timedelta(days=1)) if due else ""
    discount = draft.discount
    head = {
        **asdict(draft.more),
        "request_key": str(uuid.uuid4()),
        "version": invoice.version,
        "customer": str(customer.pk) if customer else "",
        "customer_text": customer.name if customer else "",
        "invoice_date": day.isoformat(),
        "terms": terms,
        "terms_seen": terms,
        "due_date": due.isoformat() if due else "",
        "due_seen": due.isoformat() if due else "",
        "your_reference": draft.your_reference,
        "discount": as_typed(discount.amount, decimals=None) if discount else "",
        "discount_kind": discount.kind if discount else "",
        "currency": draft.currency,
        "rate": _rate(draft),
    }
    rows = [row_of(line) for line in draft.lines] or [NEW_LINE]
    return Editor(
        invoice.connection,
        head=head,
        rows=rows,
        invoice=invoice,
        quiet=False,
        reduction=reduction_form.stored(draft.reduction),
    )


def _rate(draft: DraftInput) -> str:
    """Nothing for kronor, and for a currency whose rate we never learnt."""
    known = draft.currency != HOME and draft.more.rate != 1
    return as_typed(draft.more.rate, decimals=None) if known else ""


def row_of(line: LineInput) -> RawLine:
    """A line as its fields show it."""
    return {
        "type": line.type,
        "description": line.description,
        "product": line.product,
        "quantity": as_typed(line.quantity, decimals=None),
        "unit": line.unit,
        "unit_price": as_typed(line.unit_price),
        "tax_rate": str(line.tax_rate),
        "account": str(line.account or ""),
    }
