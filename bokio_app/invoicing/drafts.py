"""What payloads hold, as Bokio takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.customers import Contact, CustomerDraft
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.bokio.tax_reductions import DeductionPerson, LineReduction
from bokio_app.bokio.tax_reductions import TaxReduction as RemoteReduction
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
    reduction = line.get("reduction")
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
        tax_reduction=LineReduction(**reduction) if reduction else None,
    )


def remote_reduction(ctx: StepContext) -> RemoteReduction | None:
    """The ROT or RUT of a step's payload as Bokio takes it, with whole numbers."""
    part = ctx.payload.get("reduction")
    if not part:
        return None
    names = ("property_type", "real_estate_number", "tenant_org_number", "apartment_number")
    # What the form hides may hold the numbers of another kind of home.
    homes = {"realEstate": names[:2], "housingDesignation": (names[0], *names[2:])}
    wanted = homes.get(part["property_type"], ()) if part["type"] == "rot" else ()
    return RemoteReduction(
        type=part["type"],
        description=part["description"],
        people=tuple(
            DeductionPerson(
                personal_number=unseal(each["number"], ctx), amount=Decimal(each["amount"])
            )
            for each in part["people"]
        ),
        **{name: part[name] for name in wanted},
    )


def same_reduction(found: RemoteReduction | None, wanted: RemoteReduction | None) -> bool:
    """Whether Bokio has the wanted reduction; it may show the numbers in part."""
    if found is None or wanted is None:
        return found is wanted
    pairs = list(zip(found.people, wanted.people, strict=False))
    return (
        found.type == wanted.type
        and found.description == wanted.description
        and len(found.people) == len(wanted.people)
        and all(there.amount == ours.amount for there, ours in pairs)
        and all(_same_number(there.personal_number, ours.personal_number) for there, ours in pairs)
    )


def _same_number(found: str, wanted: str) -> bool:
    if not found.endswith("XXXX"):
        return found == wanted
    return found[:8] == wanted[:8] or not found[:8].isdigit()
