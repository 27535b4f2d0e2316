"""ROT and RUT: tax reductions for work at home, of which the Tax Agency pays a part.

They are kept as the API writes them, with each amount as a string.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bokio_app.sandbox import switches
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.models import Application, Invoice
from bokio_app.sandbox.wire import plain

Json = dict[str, Any]
StoredReduction = Mapping[str, Any]

JOBS = {
    "rot": (
        "rotConstruction",
        "rotElectricity",
        "rotGlassPlate",
        "rotSoilWork",
        "rotSweeping",
        "rotPainting",
        "rotPlumbing",
    ),
    "rut": (
        "rutChildServices",
        "rutDataITServices",
        "rutRemovalServices",
        "rutClothingCare",
        "rutPersonalHelpCare",
        "rutRepair",
        "rutSnow",
        "rutCleaning",
        "rutGardening",
        "rutWaterWashingOfTextiles",
        "rutFurnishing",
        "rutTransportOfHouseholdGoods",
        "rutHousingSupervision",
    ),
}
TYPES = tuple(JOBS)
EVERY_JOB = tuple(job for jobs in JOBS.values() for job in jobs)
UNITS = ("hour", "unspecified")
PROPERTIES = {
    "realEstate": ("realEstateNumber",),
    "housingDesignation": ("tenantOrgNumber", "apartmentNumber"),
}
PERSONAL_NUMBER = re.compile(r"\d{8}-\d{4}\Z", re.ASCII)


@dataclass(frozen=True)
class Reductions:
    """What the lines of an invoice may say: the type of its reduction, and who is writing.

    Only the integration that made an invoice changes its reductions; from others they are
    ignored without an error.
    """

    type: str = ""
    writable: bool = True


def reductions(invoice: Invoice, writer: Application) -> Reductions:
    kind = (invoice.tax_reduction or {}).get("type", "")
    return Reductions(kind, writable=invoice.made_by_id == writer.pk)


def read(body: Reader, invoice: Invoice, writer: Application) -> Json | None:
    """The reduction in the body; what the invoice has already, if the writer may not change it."""
    if invoice.made_by_id != writer.pk:
        body.read_only("taxReduction")
        kept: Json | None = invoice.tax_reduction
        return kept
    inner = body.object("taxReduction")
    if inner is None:
        return None
    inner.read_only("deductionAmount", "status")
    reduction: Json = {
        "type": inner.choice("type", TYPES, required=True),
        "description": inner.text("description", required=True),
        "propertyType": inner.choice("propertyType", tuple(PROPERTIES)) or None,
    }
    if reduction["type"] == "rot" and not inner.given("propertyType"):
        inner.note("propertyType", "The property type field is required for rot")
    needed = PROPERTIES.get(reduction["propertyType"] or "", ())
    for names in PROPERTIES.values():
        for name in names:
            reduction[name] = inner.text(name, required=name in needed, longest=100) or None
    people = inner.objects("deductionPeople", required=True)
    reduction["deductionPeople"] = [_person(person) for person in people]
    inner.done()
    if invoice.currency != switches.BASE_CURRENCY:
        body.note("taxReduction", "A tax reduction needs an invoice in SEK")
    return reduction


def _person(body: Reader) -> Json:
    number = body.text("personalNumber", required=True)
    if body.sound("personalNumber") and not PERSONAL_NUMBER.match(number):
        body.note("personalNumber", "The personal number must be written as YYYYMMDD-NNNN")
    amount = body.number("deductionAmount", required=True, decimals=2)
    if amount < 0:
        body.note("deductionAmount", "The deduction amount must not be negative")
    body.done()
    return {"personalNumber": number, "deductionAmount": plain(amount)}


def read_line(body: Reader, part: Mapping[str, Any], allowed: Reductions) -> Json | None:
    """The kind of work of a line, which must be a service by the hour, or of no unit."""
    inner = body.object("taxReduction")
    if inner is None:
        return None
    kind = inner.choice("taxReductionType", TYPES, required=True)
    job = inner.choice("jobType", JOBS.get(kind, EVERY_JOB), required=True)
    inner.done()
    if inner.sound("taxReductionType") and kind != allowed.type:
        inner.note("taxReductionType", "The type must be that of the invoice's tax reduction")
    if not fits(part):
        body.note("taxReduction", "Only services by the hour, or of no unit, can be reduced")
    return {"taxReductionType": kind, "jobType": job}


def fits(part: Mapping[str, Any]) -> bool:
    return part["productType"] == "services" and part["unitType"] in UNITS


def deduction(reduction: StoredReduction | None) -> Decimal:
    """What the Tax Agency pays for all people together, SEK."""
    people: Sequence[Mapping[str, str]] = (reduction or {}).get("deductionPeople", ())
    return sum((Decimal(person["deductionAmount"]) for person in people), Decimal(0))


def status(invoice: Invoice) -> str:
    """How far the reduction is: it can be claimed once the customer has paid their part."""
    if invoice.number is None:
        return "draft"
    if invoice.credited and invoice.outstanding + invoice.paid + invoice.settled <= 0:
        return "removed"
    return "awaitingPayment" if invoice.outstanding > 0 else "readyToSubmit"


def as_json(invoice: Invoice, reader: Application | None) -> Json | None:
    """The reduction as the API shows it to this integration: numbers of people whole or masked."""
    if invoice.tax_reduction is None:
        return None
    show = _whole if reader is not None and invoice.made_by_id == reader.pk else masked
    return {
        **invoice.tax_reduction,
        "deductionAmount": invoice.deduction,
        "status": status(invoice),
        "deductionPeople": [
            {
                "personalNumber": show(person["personalNumber"]),
                "deductionAmount": Decimal(person["deductionAmount"]),
            }
            for person in invoice.tax_reduction["deductionPeople"]
        ],
    }


def _whole(number: str) -> str:
    return number


def masked(number: str) -> str:
    """A personal number without what makes it one."""
    if switches.current().personal_numbers_fully_masked:
        return "YYYYMMDD-XXXX"
    return f"{number[:8]}-XXXX"
