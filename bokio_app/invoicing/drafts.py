"""What payloads hold, as Bokio takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.customers import Contact, CustomerDraft
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.flows.operations import StepContext
from bokio_app.flows.sealed import unseal


def customer_draft(ctx: StepContext) -> CustomerDraft:
    """The customer of a step's payload as Bokio takes it."""
    payload = ctx.payload
    email, more = payload["email"], payload.get("more", {})
    address = Address(
        line1=payload["line1"],
        line2=payload["line2"] or None,
        postal_code=payload["postal_code"],
        city=payload["city"],
        country=payload["country"],
        subdivision=more.get("subdivision"),
    )
    contacts = tuple(map(_contact, more.get("contacts", ())))
    if not contacts and email:
        contacts = (Contact(name=payload["name"], email=email, is_default=True),)
    return CustomerDraft(
        name=payload["name"],
        type=payload["type"],
        org_number=unseal(payload["org_number"], ctx),
        vat_number=unseal(payload["vat_number"], ctx),
        payment_terms=payload["payment_terms"],
        contacts=contacts,
        address=address if address.line1 else None,
        language=more.get("language") or "sv",
        customer_number=more.get("customer_number", ""),
        construction_reverse_charge=more.get("construction_reverse_charge"),
        extra=more.get("extra", {}),
    )


def _contact(part: dict[str, Any]) -> Contact:
    """A contact of a payload, with the id of one that Bokio has already."""
    known = part.get("id")
    return Contact(**{**part, "id": UUID(known) if known else None})


def remote_line(line: dict[str, Any]) -> RemoteLine:
    """A line of a payload as Bokio takes it; with the `id` of one that it has already."""
    return RemoteLine(
        id=line.get("id"),
        description=line["description"],
        item_type=line["type"],
        product_type=line["product"],
        quantity=Decimal(line["quantity"]),
        unit_price=Decimal(line["unit_price"]),
        tax_rate=Decimal(line["tax_rate"]),
        unit_type=line["unit"],
        account=line["account"],
    )
