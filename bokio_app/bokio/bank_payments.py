"""Bank payments: money to be sent, once somebody at the company has signed with BankID.

Elevated: only for integrations under contract with Bokio, after a security review.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from bokio_app.bokio.amounts import two_decimals
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.payees import Recipient, recipient_from_json
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, plain_list, same
from bokio_app.bokio.wire import BodyError

MOST_AT_ONCE: Final = 100


class BankPaymentStatus(StrEnum):
    """Known states. Bokio may add others, so `BankPayment.status` is any text."""

    READY_TO_SIGN = "readyToSign"
    ON_THE_WAY = "onTheWay"
    SCHEDULED = "scheduled"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class BankPaymentDraft:
    """A payment to prepare; `amount` in SEK. `note` is the company's own, and carries our mark.

    Raises `Unsendable` unless the amount is positive with at most two decimals, and for a
    recipient that is not complete.
    """

    amount: Decimal
    date: date
    recipient: Recipient
    note: str = ""

    def __post_init__(self) -> None:
        if two_decimals(self.amount) <= 0:
            raise Unsendable("a bank payment has a positive amount")
        self.recipient.to_json()

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; an empty note is left out."""
        body: dict[str, object] = {
            "amount": self.amount,
            "paymentDate": self.date,
            "recipientRef": self.recipient.to_json(),
        }
        return body | ({"ownNote": self.note} if self.note else {})


@dataclass(frozen=True, kw_only=True)
class BankPayment:
    """A payment as Bokio has it."""

    id: UUID
    amount: Decimal
    date: date
    recipient: Recipient
    note: str
    status: str
    created_at: datetime | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends. An answer without recipient or state is no payment."""
        read = Fields(data)
        recipient = read.part("recipientRef", recipient_from_json)
        if recipient is None:
            raise BodyError("recipientRef is missing")
        return cls(
            id=read.uuid("id"),
            amount=read.number("amount"),
            date=read.day("paymentDate"),
            recipient=recipient,
            note=read.text("ownNote"),
            status=read.word("status"),
            created_at=read.moment_or_none("createdDateTime"),
            extra=read.rest(),
        )


class BankPayments(Resource):
    """`/bank-payments`; only those that this integration prepared are seen."""

    def create(self, draft: BankPaymentDraft) -> BankPayment:
        """Prepare one payment; no money moves before somebody signs it in Bokio.

        **Not repeatable: a second call prepares the money twice**, and Bokio does not notice.
        Put a mark of your own into the note; after `OutcomeUnknown`, ask `find` by `amount` and
        `paymentDate` and compare the notes. Needs scope `bank-payments:write`.
        """
        body = draft.to_json()
        return self._post("post-bank-payment", "bank-payments", BankPayment.from_json, body)

    def create_many(self, drafts: Sequence[BankPaymentDraft]) -> list[BankPayment]:
        """Prepare 1 to 100 payments, all or none; a refused one is named by its place.

        **Not repeatable**, as `create`: after `OutcomeUnknown`, one of them found proves them
        all. Raises `Unsendable` for another number. Needs scope `bank-payments:write`.
        """
        if not 1 <= len(drafts) <= MOST_AT_ONCE:
            raise Unsendable(f"1 to {MOST_AT_ONCE} bank payments go together")
        read_all = plain_list(BankPayment.from_json)

        def parse(data: object) -> list[BankPayment]:
            if len(found := read_all(data)) != len(drafts):
                raise BodyError("the answer is about another number of payments")
            return found

        body = {"payments": [each.to_json() for each in drafts]}
        return self._post("post-bank-payments-bulk", "bank-payments/bulk", parse, body)

    def get(self, payment_id: UUID) -> BankPayment:
        """Fetch one payment. Repeatable. Needs scope `bank-payments:read-limited`."""
        parse = same(BankPayment.from_json, payment_id)
        path = f"bank-payments/{payment_id}"
        return self._get("get-bank-payments-bank-payment-id", path, parse)

    def find(self, where: Filter | None = None) -> Iterator[BankPayment]:
        """Fetch the payments that a filter lets through, page by page as they are taken.

        Filters: `amount`, `status`, `paymentDate`, `createdDateTime`.
        Repeatable. Needs scope `bank-payments:read-limited`.
        """
        operation, parse = "get-bank-payments-limited", BankPayment.from_json
        return self._pages(operation, "bank-payments", parse, where=where)
