"""Settlements: a fee or a currency difference that closes the rest of an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from bokio_app.bokio.amounts import two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, of_invoice, same


class SettlementType(StrEnum):
    """The kinds that can be created; more are made in Bokio itself and can be read."""

    CURRENCY = "currency"
    BANK_FEE = "bankFee"
    PAYMENT_SERVICE_FEE = "paymentServiceFee"


class VatScheme(StrEnum):
    """How VAT on a payment service's fee is handled."""

    DOMESTIC = "domestic"
    EU = "eu"
    NON_EU = "nonEu"
    EXEMPT = "vatExempt"


@dataclass(frozen=True, kw_only=True)
class SettlementDraft:
    """A settlement to register. `amount` is in SEK; a positive one lowers what is owed.

    `vat_scheme` belongs to a payment service's fee and to nothing else, and such a fee is
    positive. Raises `Unsendable` when that is broken, or for more than two decimals.
    """

    type: str
    date: date
    amount: Decimal
    vat_scheme: str | None = None

    def __post_init__(self) -> None:
        two_decimals(self.amount)
        service_fee = self.type == SettlementType.PAYMENT_SERVICE_FEE
        if service_fee != (self.vat_scheme is not None):
            raise Unsendable("a VAT scheme goes with a payment service's fee, and only with it")
        if service_fee and self.amount <= 0:
            raise Unsendable("a payment service's fee is positive")

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes."""
        details: dict[str, object] = {"date": self.date, "sumBaseCurrency": self.amount}
        if self.vat_scheme is not None:
            details["vatScheme"] = str(self.vat_scheme)
        return {"type": str(self.type), "invoiceSettlementDetails": details}


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """A settlement as Bokio has it. `amount` is in SEK; `journal_entry_id` is set once recorded."""

    id: UUID
    invoice_id: UUID | None
    type: str
    date: date
    amount: Decimal
    vat_scheme: str | None
    journal_entry_id: UUID | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; its own examples name the details in two ways."""
        read = Fields(data)
        details = read.part("invoiceSettlementDetails", Fields)
        details = details or read.part("settlementDetails", Fields) or Fields({})
        return cls(
            id=read.uuid("id"),
            invoice_id=read.uuid_or_none("invoiceId"),
            type=read.word("type"),
            date=details.day("date"),
            amount=details.number("sumBaseCurrency"),
            vat_scheme=details.text_or_none("vatScheme"),
            journal_entry_id=read.ref("journalEntryRef"),
            extra=read.rest() | details.rest(),
        )


SettlementList = list[Settlement]


class Settlements(Resource):
    """`/invoices/{invoiceId}/settlements`"""

    def create(self, invoice_id: UUID, draft: SettlementDraft) -> Settlement:
        """Register a settlement on a published invoice; it is not in the books until `record`.

        **Not repeatable: a second call settles twice.** Note the ids of `list` before; after
        `OutcomeUnknown`, `list` again and look for a new one of the same type, day, amount and
        VAT scheme. Needs scope `invoices:write`.
        """
        path, parse = _all(invoice_id), of_invoice(Settlement.from_json, invoice_id)
        return self._post("post-invoice-settlement", path, parse, draft.to_json())

    def list(self, invoice_id: UUID, where: Filter | None = None) -> SettlementList:
        """Fetch all settlements of an invoice, those made in Bokio itself too.

        Filters: `date`, `sumBaseCurrency`. Repeatable. Needs scope `invoices:read`.
        """
        path, parse = _all(invoice_id), of_invoice(Settlement.from_json, invoice_id)
        return [*self._pages("get-invoice-settlements", path, parse, where=where)]

    def get(self, invoice_id: UUID, settlement_id: UUID) -> Settlement:
        """Fetch one settlement. Repeatable. Needs scope `invoices:read`."""
        path, parse = _one(invoice_id, settlement_id), same(Settlement.from_json, settlement_id)
        return self._get("get-invoice-settlement", path, parse)

    def record(self, invoice_id: UUID, settlement_id: UUID) -> Settlement:
        """Have Bokio make the journal entry of the settlement.

        Not repeatable: a second call is refused. After `OutcomeUnknown` or `StateRefused`, `get`
        the settlement: a `journal_entry_id` means that it is done. Needs scope `invoices:write`.
        """
        path, parse = _one(invoice_id, settlement_id), same(Settlement.from_json, settlement_id)
        return self._post("record-invoice-settlement-with-id", f"{path}/record", parse)

    def delete(self, invoice_id: UUID, settlement_id: UUID) -> None:
        """Take a settlement back.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `invoices:write`.
        """
        self._delete("delete-invoice-settlement", _one(invoice_id, settlement_id))


def _all(invoice_id: UUID) -> str:
    return f"invoices/{invoice_id}/settlements"


def _one(invoice_id: UUID, settlement_id: UUID) -> str:
    return f"{_all(invoice_id)}/{settlement_id}"
