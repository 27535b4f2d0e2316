"""ROT and RUT: what the Tax Agency pays of an invoice, on the account of whom, for which work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core import crypto, sealing
from bokio_app.core.money import ZERO, parse
from bokio_app.core.personal import without_last_four
from bokio_app.flows.sealed import seal

KIND = "invoicing.deduction"
WORK_UNITS = frozenset({"hour", "unspecified"})  # of a line that can be reduced


class TaxReduction(models.Model):
    """ROT or RUT of an invoice of ours. Most invoices have no such row."""

    class Type(models.TextChoices):
        ROT = "rot", "ROT"
        RUT = "rut", "RUT"

    class Property(models.TextChoices):
        REAL_ESTATE = "realEstate", _("House (property)")
        HOUSING = "housingDesignation", _("Flat in a housing association")

    class Job(models.TextChoices):
        ROT_CONSTRUCTION = "rotConstruction", _("Building")
        ROT_ELECTRICITY = "rotElectricity", _("Electricity")
        ROT_GLASS_PLATE = "rotGlassPlate", _("Glass and sheet metal")
        ROT_SOIL_WORK = "rotSoilWork", _("Ground and drainage")
        ROT_SWEEPING = "rotSweeping", _("Chimney sweeping")
        ROT_PAINTING = "rotPainting", _("Painting and wallpapering")
        ROT_PLUMBING = "rotPlumbing", _("Plumbing")
        RUT_CHILD = "rutChildServices", _("Child care")
        RUT_IT = "rutDataITServices", _("IT services")
        RUT_REMOVAL = "rutRemovalServices", _("Moving")
        RUT_CLOTHING = "rutClothingCare", _("Care of clothes")
        RUT_CARE = "rutPersonalHelpCare", _("Personal care")
        RUT_REPAIR = "rutRepair", _("Repair of appliances")
        RUT_SNOW = "rutSnow", _("Snow clearing")
        RUT_CLEANING = "rutCleaning", _("Cleaning")
        RUT_GARDENING = "rutGardening", _("Gardening")
        RUT_WASHING = "rutWaterWashingOfTextiles", _("Washing of textiles")
        RUT_FURNISHING = "rutFurnishing", _("Furnishing")
        RUT_TRANSPORT = "rutTransportOfHouseholdGoods", _("Transport of household goods")
        RUT_SUPERVISION = "rutHousingSupervision", _("Supervision of a home")

    invoice = models.OneToOneField(
        "invoicing.Invoice", models.CASCADE, primary_key=True, related_name="tax_reduction"
    )
    type = models.CharField(max_length=3, choices=Type.choices)
    job = models.CharField(_("work"), max_length=40, choices=Job.choices, blank=True)
    description = models.CharField(_("what was done"), max_length=200, blank=True)
    property_type = models.CharField(_("home"), max_length=20, choices=Property.choices, blank=True)
    real_estate_number = models.CharField(_("property designation"), max_length=100, blank=True)
    tenant_org_number = models.CharField(
        _("association's organisation number"), max_length=100, blank=True
    )
    apartment_number = models.CharField(_("flat's number"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("tax reduction")
        verbose_name_plural = _("tax reductions")

    def __str__(self) -> str:
        return self.type


class Deduction(models.Model):
    """A person on whose account the Tax Agency pays a part. `key` tells the invoice's people
    apart on pages, which never show a whole number that is kept.
    """

    reduction = models.ForeignKey(TaxReduction, models.CASCADE, related_name="people")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=32)
    number = models.BinaryField(help_text="the personal number, encrypted")
    amount = models.CharField(max_length=30, help_text="SEK; as typed while it cannot be read")

    class Meta:
        verbose_name = _("deduction")
        verbose_name_plural = _("deductions")
        ordering = ["reduction", "position"]
        constraints = [UniqueConstraint(fields=["reduction", "key"], name="deduction_key_once")]

    def __str__(self) -> str:
        return self.key

    @property
    def place(self) -> str:
        return f"{KIND}/{self.reduction_id}/{self.key}"

    @property
    def whole_number(self) -> str:
        return crypto.decrypt(bytes(self.number), place=self.place)


sealing.register(
    sealing.BytesColumn(KIND, Deduction.objects.all(), "number", place=lambda row: str(row.place))
)


@dataclass(frozen=True)
class Person:
    """A person as the editor gives them; number and amount as typed while they cannot be read."""

    key: str
    number: str = field(repr=False)
    amount: str

    @property
    def shown_number(self) -> str:
        """`19790412-••••`"""
        return without_last_four(self.number, private=True)

    @property
    def deduction(self) -> Decimal:
        """SEK; 0 where the amount cannot be read."""
        try:
            return parse(self.amount) if self.amount else ZERO
        except ValueError:
            return ZERO


@dataclass(frozen=True)
class Reduction:
    """ROT or RUT as the editor gives it."""

    type: str
    job: str = ""
    description: str = ""
    property_type: str = ""
    real_estate_number: str = ""
    tenant_org_number: str = ""
    apartment_number: str = ""
    people: tuple[Person, ...] = ()

    @property
    def deduction(self) -> Decimal:
        """What the Tax Agency pays, SEK."""
        return sum((each.deduction for each in self.people), ZERO)

    @property
    def label(self) -> str:
        return self.type.upper()

    @property
    def job_label(self) -> str:
        return str(dict(TaxReduction.Job.choices).get(self.job, self.job))


def is_work(line: Any) -> bool:
    """Whether a line is work that the reduction is for: a service by the hour or without unit.
    Goods, other units and what is taken off are not.
    """
    return bool(
        line.is_sales
        and line.product == "services"
        and line.unit in WORK_UNITS
        and line.unit_price > 0
    )


def keep(invoice_id: Any, wanted: Reduction | None) -> None:
    """Have the invoice's rows say this, the numbers encrypted."""
    TaxReduction.objects.filter(pk=invoice_id).delete()
    if wanted is None:
        return
    parts = {name: value for name, value in asdict(wanted).items() if name != "people"}
    row = TaxReduction.objects.create(invoice_id=invoice_id, **parts)
    people = []
    for position, each in enumerate(wanted.people):
        person = Deduction(reduction=row, position=position, key=each.key, amount=each.amount)
        person.number = crypto.encrypt(each.number, place=person.place)
        people.append(person)
    Deduction.objects.bulk_create(people)


def kept(invoice_id: Any) -> Reduction | None:
    """What the invoice's rows say, with whole numbers."""
    row = TaxReduction.objects.filter(pk=invoice_id).prefetch_related("people").first()
    if row is None:
        return None
    people = tuple(Person(each.key, each.whole_number, each.amount) for each in row.people.all())
    names = set(Reduction.__dataclass_fields__) - {"people"}
    return Reduction(**{name: getattr(row, name) for name in names}, people=people)


def payload_of(reduction: Reduction) -> dict[str, Any]:
    """As `create_invoice` carries it: each number to be encrypted for its step alone."""
    people = [
        {"number": seal(each.number, private=True), "amount": str(each.deduction)}
        for each in reduction.people
    ]
    return {**asdict(reduction), "people": people}


def payload_of_lines(
    lines: Iterable[Any], names: Iterable[str], reduction: Reduction | None
) -> list[dict[str, Any]]:
    """Lines as `create_invoice` carries them; those that are work name it."""
    carried = []
    names = list(names)
    for line in lines:
        part = {name: getattr(line, name) for name in names}
        if reduction and is_work(line):
            part["reduction"] = {"type": reduction.type, "job": reduction.job}
        carried.append(part)
    return carried
