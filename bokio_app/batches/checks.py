"""What our own copy of a company's books says against an order, before anything is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from bokio_app.core import clock
from bokio_app.invoicing.problems import Sendable, problems
from bokio_app.ledger.queries import Books

from .orders import Order

CREDIT_SCOPES = ("credit-notes:read", "credit-notes:write")
NO_YEAR = "is in no fiscal year that we have read of the company"
CLOSED_YEAR = "is in a fiscal year that is closed"
UNKNOWN_ACCOUNT = "is not in the company's chart of accounts"
REASONS = {
    "missing": "is missing",
    "no_fiscal_year": NO_YEAR,
    "closed_year": CLOSED_YEAR,
    "before_invoice_date": "is before the invoice date",
    "unknown_account": UNKNOWN_ACCOUNT,
    "not_positive": "come to nothing, or to less",
}
PLACES = {
    "customer.address": "customer.address",
    "lines": "invoice.lineItems",
    "invoice_date": "invoice.invoiceDate",
    "due_date": "invoice.dueDate",
}


class Refused(Exception):
    """The order is not taken; the message says where and why, and quotes no value."""


def check(order: Order, draft: Sendable, books: Books, *, scopes: Collection[str]) -> None:
    """Hold the order, and what becomes a draft of it, against our copy. Raises `Refused`.

    `scopes` are what the connection may do at Bokio.
    """
    _check_draft(draft, books)
    for number, settlement in enumerate(order.settlements):
        _check_day(books, settlement.date, f"settlements[{number}].date")
    for number, payment in enumerate(order.payments):
        _check_day(books, payment.date, f"payments[{number}].date")
    for number, payment in enumerate(order.payments):
        if not books.may_have(payment.account):
            raise Refused(f"payments[{number}].account: {UNKNOWN_ACCOUNT}")
    if order.credit:
        if not set(CREDIT_SCOPES) <= set(scopes):
            raise Refused("credit: the connection does not include credit notes; renew it")
        _check_day(books, clock.today(), "credit: today")


def _check_draft(draft: Sendable, books: Books) -> None:
    for field, code in problems(draft, books):
        if field == "customer.address" and draft.customer and draft.customer.remote_id:
            continue  # Bokio has the customer, and with it perhaps an address
        raise Refused(f"{_place(field)}: {REASONS[code]}")


def _place(field: str) -> str:
    """A field of the invoice in the words of the file: `lines.0.account` is one of a line."""
    if field.startswith("lines."):
        position = field.split(".")[1]
        return f"invoice.lineItems[{position}].bookkeepingAccountNumber"
    return PLACES.get(field, field)


def _check_day(books: Books, day: date, place: str) -> None:
    if problem := books.problem_of(day):
        raise Refused(f"{place}: {REASONS[problem]}")
