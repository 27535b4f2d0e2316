"""ROT and RUT: work at a home, of which the Tax Agency pays a part on a person's account.

Only the integration that created the invoice may set these; what others write is ignored
without an error. Source: Bokio Company API, `invoiceTaxReduction`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self

from bokio_app.bokio.amounts import two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.reading import Fields

# The second is how Bokio masks it towards integrations that did not create the invoice.
_PERSONAL_NUMBER: Final = re.compile(r"[0-9]{8}-(?:[0-9]{4}|XXXX)")


class ReductionType(StrEnum):
    """Building work, or household services."""

    ROT = "rot"
    RUT = "rut"


class PropertyType(StrEnum):
    """What a ROT invoice's work was done on: a property, or a flat in a housing association."""

    REAL_ESTATE = "realEstate"
    HOUSING = "housingDesignation"


class Job(StrEnum):
    """What was done; the first three letters are the reduction's type."""

    ROT_CONSTRUCTION = "rotConstruction"
    ROT_ELECTRICITY = "rotElectricity"
    ROT_GLASS_PLATE = "rotGlassPlate"
    ROT_SOIL_WORK = "rotSoilWork"
    ROT_SWEEPING = "rotSweeping"
    ROT_PAINTING = "rotPainting"
    ROT_PLUMBING = "rotPlumbing"
    RUT_CHILD_SERVICES = "rutChildServices"
    RUT_DATA_IT_SERVICES = "rutDataITServices"
    RUT_REMOVAL_SERVICES = "rutRemovalServices"
    RUT_CLOTHING_CARE = "rutClothingCare"
    RUT_PERSONAL_HELP_CARE = "rutPersonalHelpCare"
    RUT_REPAIR = "rutRepair"
    RUT_SNOW = "rutSnow"
    RUT_CLEANING = "rutCleaning"
    RUT_GARDENING = "rutGardening"
    RUT_WATER_WASHING_OF_TEXTILES = "rutWaterWashingOfTextiles"
    RUT_FURNISHING = "rutFurnishing"
    RUT_TRANSPORT_OF_HOUSEHOLD_GOODS = "rutTransportOfHouseholdGoods"
    RUT_HOUSING_SUPERVISION = "rutHousingSupervision"


@dataclass(frozen=True, kw_only=True)
class LineReduction:
    """What a line of an invoice with a reduction is: its `type` is the invoice's own."""

    type: str
    job: str
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(type=read.text("taxReductionType"), job=read.text("jobType"), extra=read.rest())

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes."""
        return {**self.extra, "taxReductionType": str(self.type), "jobType": str(self.job)}


@dataclass(frozen=True, kw_only=True)
class DeductionPerson:
    """A person who takes a part of the deduction. `amount` is in SEK.

    `personal_number` reads `YYYYMMDD-NNNN`, and ends with `XXXX` when another integration
    created the invoice.
    """

    personal_number: str = field(repr=False)
    amount: Decimal
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            personal_number=read.text("personalNumber"),
            amount=read.number("deductionAmount"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable`, without quoting the number."""
        if not _PERSONAL_NUMBER.fullmatch(self.personal_number):
            raise Unsendable("a personal number reads YYYYMMDD-NNNN")
        if two_decimals(self.amount) < 0:
            raise Unsendable("a deduction is not negative")
        return {
            **self.extra,
            "personalNumber": self.personal_number,
            "deductionAmount": self.amount,
        }


@dataclass(frozen=True, kw_only=True)
class TaxReduction:
    """The reduction of an invoice, as Bokio has it or to be sent.

    ROT needs a `property_type`: with `realEstate` a `real_estate_number`, with
    `housingDesignation` a `tenant_org_number` and an `apartment_number`. `amount` (SEK, the sum
    over `people`) and `status` are set by Bokio and not sent.
    """

    type: str
    description: str
    people: tuple[DeductionPerson, ...] = field(repr=False)
    property_type: str = ""
    real_estate_number: str = field(default="", repr=False)
    tenant_org_number: str = field(default="", repr=False)
    apartment_number: str = field(default="", repr=False)
    amount: Decimal | None = None
    status: str = ""
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            type=read.word("type"),
            description=read.text("description"),
            people=read.rows("deductionPeople", DeductionPerson.from_json),
            property_type=read.text("propertyType"),
            real_estate_number=read.text("realEstateNumber"),
            tenant_org_number=read.text("tenantOrgNumber"),
            apartment_number=read.text("apartmentNumber"),
            amount=read.number_or_none("deductionAmount"),
            status=read.text("status"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out.

        Raises `Unsendable` when a part that the type needs is missing.
        """
        if not self.description.strip() or not self.people:
            raise Unsendable("a tax reduction has a description and at least one person")
        if self.type == ReductionType.ROT:
            self._check_property()
        optional = {
            "propertyType": str(self.property_type),
            "realEstateNumber": self.real_estate_number,
            "tenantOrgNumber": self.tenant_org_number,
            "apartmentNumber": self.apartment_number,
        }
        required: dict[str, object] = {
            "type": str(self.type),
            "description": self.description,
            "deductionPeople": [each.to_json() for each in self.people],
        }
        return {**self.extra, **required} | {key: text for key, text in optional.items() if text}

    def _check_property(self) -> None:
        needed = {
            PropertyType.REAL_ESTATE: bool(self.real_estate_number),
            PropertyType.HOUSING: bool(self.tenant_org_number and self.apartment_number),
        }
        known = self.property_type in needed
        if not self.property_type or (known and not needed[PropertyType(self.property_type)]):
            raise Unsendable("ROT names its property, and the numbers that the property has")
