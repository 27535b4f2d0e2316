"""The company that a token opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.reading import Fields, unwrapped
from bokio_app.bokio.resource import Resource


class CompanyType(StrEnum):
    """Forms of a company."""

    PROPRIETORSHIP = "proprietorship"
    LIMITED_COMPANY = "limitedCompany"
    LIMITED_PARTNERSHIP = "limitedPartnership"
    PARTNERSHIP = "partnership"
    COOPERATIVE = "cooperative"
    NON_PROFIT = "nonProfitAssociation"
    COMMUNITY = "communityAssociation"
    RELIGIOUS = "religiousCommunity"
    NOT_SET = "notSet"


@dataclass(frozen=True)
class Company:
    """What Bokio tells about a company. A sole trader's `org_number` is a personal number.

    `company_type` is a `CompanyType` or a new word. With `has_business_account` the company has
    a bank account at Bokio, which decides about the currencies of its suppliers.
    """

    id: UUID
    name: str
    org_number: str = field(repr=False)
    company_type: str
    email: str
    phone: str
    address: Address | None = field(repr=False)
    has_business_account: bool = False
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a bare body or one wrapped in `companyInformation`."""
        read = Fields(unwrapped(data, "companyInformation"))
        return cls(
            id=read.uuid("id"),
            name=read.text("name"),
            org_number=read.text("organizationNumber"),
            company_type=read.text("companyType"),
            email=read.text("email"),
            phone=read.text("phone"),
            address=read.part("address", Address.from_json),
            has_business_account=read.flag("hasBBA"),
            extra=read.rest(),
        )


class CompanyInformation(Resource):
    """`/company-information`"""

    def get(self) -> Company:
        """Fetch the company; also the cheapest probe of token and price plan.

        Repeatable. Needs scope `company-information:read`.
        """
        operation = "get-company-information-with-id"
        return self._get(operation, "company-information", Company.from_json)
