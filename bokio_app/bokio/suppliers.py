"""Suppliers: whom the company buys from, and how they are paid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.payees import PayeeAccount, account_from_json
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """A supplier as Bokio has it. A sole trader's two numbers are a person's.

    `currency` is the one its invoices are made in.
    """

    id: UUID
    name: str
    org_number: str = field(repr=False)
    vat_number: str = field(repr=False)
    currency: str
    address: Address | None = field(repr=False)
    account: PayeeAccount | None = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            name=read.text("name"),
            org_number=read.text("orgNumber"),
            vat_number=read.text("vatNumber"),
            currency=read.text("currency") or "SEK",
            address=read.part("address", Address.from_json),
            account=read.part("paymentDetails", account_from_json),
            extra=read.rest(),
        )


@dataclass(frozen=True, kw_only=True)
class SupplierDraft:
    """A supplier to create, or what an existing one shall become as a whole.

    `currency` (ISO 4217) is decided for all its invoices; which ones Bokio takes depends on
    whether the company has an account at Bokio (`Company.has_business_account`).
    Raises `Unsendable` without a name.
    """

    name: str
    org_number: str = field(default="", repr=False)
    vat_number: str = field(default="", repr=False)
    currency: str = "SEK"
    address: Address | None = field(default=None, repr=False)
    account: PayeeAccount | None = field(default=None, repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise Unsendable("a supplier has a name")

    @classmethod
    def from_supplier(cls, supplier: Supplier) -> Self:
        """Start from what Bokio has, so that an update loses nothing, not even what is new."""
        return cls(
            name=supplier.name,
            org_number=supplier.org_number,
            vat_number=supplier.vat_number,
            currency=supplier.currency,
            address=supplier.address,
            account=supplier.account,
            extra=supplier.extra,
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; empty parts are left out."""
        optional = {
            "orgNumber": self.org_number,
            "vatNumber": self.vat_number,
            "currency": self.currency,
            "address": self.address and _address(self.address),
            "paymentDetails": self.account and self.account.to_json(),
        }
        return {**self.extra, "name": self.name} | {
            key: value for key, value in optional.items() if value
        }


class Suppliers(Resource):
    """`/suppliers`"""

    def create(self, draft: SupplierDraft) -> Supplier:
        """Create a supplier.

        Not repeatable: a second call may make a second one. After `OutcomeUnknown`, ask `find` by
        `orgNumber`, `vatNumber` or `name` and compare. Needs scope `suppliers:write`.
        """
        return self._post("post-supplier", "suppliers", Supplier.from_json, draft.to_json())

    def get(self, supplier_id: UUID) -> Supplier:
        """Fetch one supplier. Repeatable. Needs scope `suppliers:read`."""
        parse = same(Supplier.from_json, supplier_id)
        return self._get("get-supplier-by-id", f"suppliers/{supplier_id}", parse)

    def find(self, where: Filter | None = None) -> Iterator[Supplier]:
        """Fetch the suppliers that a filter lets through, page by page as they are taken.

        Filters: `name`, `vatNumber`, `orgNumber`. Repeatable. Needs scope `suppliers:read`.
        """
        return self._pages("get-suppliers", "suppliers", Supplier.from_json, where=where)

    def update(self, supplier_id: UUID, draft: SupplierDraft) -> Supplier:
        """Replace the supplier as a whole; what the draft leaves out is lost.

        Repeatable. Needs scope `suppliers:write`.
        """
        parse = same(Supplier.from_json, supplier_id)
        return self._put("put-supplier", f"suppliers/{supplier_id}", parse, draft.to_json())

    def delete(self, supplier_id: UUID) -> None:
        """Delete a supplier created through the API; `StateRefused` while it has invoices.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `suppliers:write`.
        """
        self._delete("delete-supplier", f"suppliers/{supplier_id}")


def _address(address: Address) -> dict[str, object]:
    """An address of a supplier has no subdivision, and every other part may be missing."""
    return {
        key: value
        for key, value in address.to_json().items()
        if value and key != "countrySubdivision"
    }
