"""What the steps that send an invoice carry, frozen when they are started."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bokio_app.flows.sealed import seal

from .models import Customer, Invoice, LineItem
from .more import InvoiceMore
from .tax_reduction import Reduction, payload_of, payload_of_lines

CUSTOMER_FIELDS = (
    "name",
    "type",
    "org_number",
    "vat_number",
    "email",
    "line1",
    "line2",
    "postal_code",
    "city",
    "country",
    "payment_terms",
)
LINE_FIELDS = (
    "description",
    "type",
    "product",
    "quantity",
    "unit",
    "unit_price",
    "tax_rate",
    "account",
)


def payloads_of(
    invoice: Invoice,
    lines: Iterable[LineItem],
    *,
    cash: bool,
    more: InvoiceMore | None = None,
    reduction: Reduction | None = None,
) -> dict[str, dict[str, Any]]:
    """What each step sends, in their order; frozen now: no later change reaches a flow.

    `lines` are the invoice's, `cash` says whether its year follows the cash method, `more` is
    what the invoice says beyond head and lines, `reduction` its ROT or RUT.
    """
    customer = invoice.customer
    assert customer is not None  # noqa: S101  problems_of has seen to it
    reference = {"invoice": str(invoice.pk)}
    return {
        "ensure_customer": {
            "customer": str(customer.pk),
            "remote_id": customer.remote_id,
            **customer_payload(customer),
        },
        "create_invoice": {
            **reference,
            "invoice_date": invoice.invoice_date,
            "due_date": invoice.due_date,
            "currency": invoice.currency,
            "your_reference": invoice.your_reference,
            "total": invoice.total,
            "lines": payload_of_lines(lines, LINE_FIELDS, reduction),
            "version": invoice.version,
            **({"more": more.payload} if more else {}),
            **({"reduction": payload_of(reduction)} if reduction else {}),
        },
        "publish_invoice": reference,
        "record_invoice": {**reference, "cash": cash},
    }


def customer_payload(customer: Customer) -> dict[str, Any]:
    """A customer as payloads carry it: a person's numbers are sealed."""
    fields_of = {name: getattr(customer, name) for name in CUSTOMER_FIELDS}
    if customer.more:
        fields_of["more"] = customer.more
    for name in ("org_number", "vat_number"):
        fields_of[name] = seal(fields_of[name], private=customer.is_person)
    return fields_of
