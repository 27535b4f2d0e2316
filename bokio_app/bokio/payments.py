"""Payments: money received for an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from bokio_app.bokio.amounts import two_decimals
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, of_invoice, same


@dataclass(frozen=True, kw_only=True)
class PaymentDraft:
    """Money to register. `amount` is in SEK whatever the invoice's currency; `account` such as
    1930 must be a payment account. Raises `Unsendable` for more than two decimals."""

    date: date
    amount: Decimal
    account: int

    def __post_init__(self) -> None:
        two_decimals(self.amount)

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes."""
        return {
            "date": self.date,
            "sumBaseCurrency": self.amount,
            "bookkeepingAccountNumber": self.account,
        }


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment as Bokio has it. `amount` is in SEK; `journal_entry_id` is set once recorded."""

    id: UUID
    invoice_id: UUID | None
    date: date
    amount: Decimal
    account: int
    journal_entry_id: UUID | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            invoice_id=read.uuid_or_none("invoiceId"),
            date=read.day("date"),
            amount=read.number("sumBaseCurrency"),
            account=read.integer("bookkeepingAccountNumber"),
            journal_entry_id=read.ref("journalEntryRef"),
            extra=read.rest(),
        )


PaymentList = list[Payment]


class Payments(Resource):
    """`/invoices/{invoiceId}/payments`"""

    def create(self, invoice_id: UUID, draft: PaymentDraft) -> Payment:
        """Register a payment on a published invoice; it is not in the books until `record`.

        **Not repeatable: a second call doubles the money**, and no field can carry a mark of
        ours. Note the ids of `list` before; after `OutcomeUnknown`, `list` again and look for a
        new one of the same day, amount and account. Needs scope `invoices:write`.
        """
        path, parse = f"invoices/{invoice_id}/payments", of_invoice(Payment.from_json, invoice_id)
        return self._post("post-invoice-payment", path, parse, draft.to_json())

    def list(self, invoice_id: UUID, where: Filter | None = None) -> PaymentList:
        """Fetch all payments of an invoice.

        Filters: `date`, `sumBaseCurrency`. Repeatable. Needs scope `invoices:read`.
        """
        path, parse = f"invoices/{invoice_id}/payments", of_invoice(Payment.from_json, invoice_id)
        return [*self._pages("get-invoice-payments", path, parse, where=where)]

    def get(self, invoice_id: UUID, payment_id: UUID) -> Payment:
        """Fetch one payment. Repeatable. Needs scope `invoices:read`."""
        path, parse = _one(invoice_id, payment_id), same(Payment.from_json, payment_id)
        return self._get("get-invoice-payment", path, parse)

    def record(self, invoice_id: UUID, payment_id: UUID) -> Payment:
        """Have Bokio make the journal entry of the payment.

        Not repeatable: a second call is refused. After `OutcomeUnknown` or `StateRefused`, `get`
        the payment: a `journal_entry_id` means that it is done. Needs scope `invoices:write`.
        """
        path, parse = _one(invoice_id, payment_id), same(Payment.from_json, payment_id)
        return self._post("record-invoice-payment-with-id", f"{path}/record", parse)

    def delete(self, invoice_id: UUID, payment_id: UUID) -> None:
        """Take a payment back.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `invoices:write`.
        """
        self._delete("delete-invoice-payment", _one(invoice_id, payment_id))


def _one(invoice_id: UUID, payment_id: UUID) -> str:
    return f"invoices/{invoice_id}/payments/{payment_id}"
