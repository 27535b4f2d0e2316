"""Customers: whom invoices go to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.paging import Found
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same


class CustomerType(StrEnum):
    """Who buys, which decides about VAT and numbers."""

    COMPANY = "company"
    PRIVATE = "private"


@dataclass(frozen=True)
class Contact:
    """A person at a customer. Leave `id` out for a new one."""

    name: str = ""
    email: str = ""
    phone: str = ""
    is_default: bool = False
    id: UUID | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            name=read.text("name"),
            email=read.text("email"),
            phone=read.text("phone"),
            is_default=read.flag("isDefault"),
            id=read.uuid_or_none("id"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out."""
        parts = {"id": self.id, "name": self.name, "email": self.email, "phone": self.phone}
        return {**self.extra, "isDefault": self.is_default} | {
            key: value for key, value in parts.items() if value
        }


@dataclass(frozen=True, kw_only=True)
class CustomerDraft:
    """A customer to create, or what an existing one shall become as a whole.

    `payment_terms` is a number of days as text, or words. `customer_number` is the company's
    own, and can be looked for. `construction_reverse_charge` marks a buyer of building work who
    pays the VAT; None leaves it to Bokio. `extra` is sent as it is: fields of Bokio's that are
    not known here. Raises `Unsendable` without a name.
    """

    name: str
    type: str = CustomerType.COMPANY
    org_number: str = field(default="", repr=False)
    vat_number: str = field(default="", repr=False)
    payment_terms: str = ""
    contacts: tuple[Contact, ...] = field(default=(), repr=False)
    address: Address | None = field(default=None, repr=False)
    language: str = "sv"
    customer_number: str = ""
    construction_reverse_charge: bool | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise Unsendable("a customer has a name")

    @classmethod
    def from_customer(cls, customer: "Customer") -> Self:
        """Start from what Bokio has, so that an update changes no more than it means to."""
        return cls(
            name=customer.name,
            type=customer.type,
            org_number=customer.org_number,
            vat_number=customer.vat_number,
            payment_terms=customer.payment_terms,
            contacts=customer.contacts,
            address=customer.address,
            language=customer.language,
            customer_number=customer.customer_number,
            construction_reverse_charge=customer.construction_reverse_charge,
            extra=customer.extra,
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out."""
        required = {**self.extra, "name": self.name, "type": str(self.type)}
        optional = {
            "orgNumber": self.org_number,
            "vatNumber": self.vat_number,
            "paymentTerms": self.payment_terms,
            "contactsDetails": [each.to_json() for each in self.contacts],
            "address": self.address and self.address.to_json(),
            "language": self.language,
            "customerNumber": self.customer_number,
        }
        if self.construction_reverse_charge is not None:
            required["constructionReverseChargeEnabled"] = self.construction_reverse_charge
        return required | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True)
class Customer:
    """A customer as Bokio has it. A person's `org_number` and `vat_number` are personal."""

    id: UUID
    name: str
    type: str
    org_number: str = field(repr=False)
    vat_number: str = field(repr=False)
    payment_terms: str
    contacts: tuple[Contact, ...] = field(repr=False)
    address: Address | None = field(repr=False)
    language: str
    customer_number: str
    construction_reverse_charge: bool | None
    modified_at: datetime | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            name=read.text("name"),
            type=read.text("type"),
            org_number=read.text("orgNumber"),
            vat_number=read.text("vatNumber"),
            payment_terms=read.text("paymentTerms"),
            contacts=read.rows("contactsDetails", Contact.from_json),
            address=read.part("address", Address.from_json),
            language=read.text("language"),
            customer_number=read.identifier("customerNumber") or "",
            construction_reverse_charge=read.flag_or_none("constructionReverseChargeEnabled"),
            modified_at=read.moment_or_none("modifiedDateTime"),
            extra=read.rest(),
        )


class Customers(Resource):
    """`/customers`"""

    def create(self, draft: CustomerDraft) -> Customer:
        """Create a customer.

        Not repeatable: a second call may make a second one. After `OutcomeUnknown`, ask `find`
        for the draft's own `customerNumber`; without one by `orgNumber`, or by
        `modifiedDateTime` and compare. Needs scope `customers:write`.
        """
        return self._post("post-customer", "customers", Customer.from_json, draft.to_json())

    def get(self, customer_id: UUID) -> Customer:
        """Fetch one customer. Repeatable. Needs scope `customers:read`."""
        parse = same(Customer.from_json, customer_id)
        return self._get("get-customers-customerId", f"customers/{customer_id}", parse)

    def find(self, where: Filter | None = None) -> Found[Customer]:
        """Fetch the customers that a filter lets through, page by page as they are taken.

        Filters: `name`, `type`, `vatNumber`, `orgNumber`, `customerNumber`, `modifiedDateTime`.
        Repeatable. Needs scope `customers:read`.
        """
        return self._pages("get-customer", "customers", Customer.from_json, where=where)

    def update(self, customer_id: UUID, draft: CustomerDraft) -> Customer:
        """Replace the customer as a whole; what the draft leaves out is lost.

        Repeatable. Needs scope `customers:write`.
        """
        parse = same(Customer.from_json, customer_id)
        return self._put("put-customer", f"customers/{customer_id}", parse, draft.to_json())

    def delete(self, customer_id: UUID) -> None:
        """Delete a customer created through the API; others are refused.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `customers:write`.
        """
        self._delete("delete-customer", f"customers/{customer_id}")
