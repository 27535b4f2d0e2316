"""What our own copy of a company's books says against an order, before anything is kept."""

from __future__ import annotations

from datetime import date

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import problems_of
from bokio_app.ledger.queries import fiscal_year_of

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


def check(order: Order, invoice: Invoice) -> None:
    """Hold the order, and its invoice as written, against our copy. Raises `Refused`."""
    _check_invoice(invoice)
    connection = invoice.connection
    for number, settlement in enumerate(order.settlements):
        _check_day(connection, settlement.date, f"settlements[{number}].date")
    for number, payment in enumerate(order.payments):
        _check_day(connection, payment.date, f"payments[{number}].date")
    known = set(connection.accounts.values_list("number", flat=True)) if order.payments else set()
    for number, payment in enumerate(order.payments):
        if known and payment.account not in known:
            raise Refused(f"payments[{number}].account: {UNKNOWN_ACCOUNT}")
    if order.credit:
        if not set(CREDIT_SCOPES) <= set(connection.scopes):
            raise Refused("credit: the connection does not include credit notes; renew it")
        _check_day(connection, clock.today(), "credit: today")


def _check_invoice(invoice: Invoice) -> None:
    for field, code in problems_of(invoice):
        if field == "customer.address" and invoice.customer and invoice.customer.remote_id:
            continue  # Bokio has the customer, and with it perhaps an address
        raise Refused(f"{_place(field)}: {REASONS[code]}")


def _place(field: str) -> str:
    """A field of the invoice in the words of the file: `lines.0.account` is one of a line."""
    if field.startswith("lines."):
        position = field.split(".")[1]
        return f"invoice.lineItems[{position}].bookkeepingAccountNumber"
    return PLACES.get(field, field)


def _check_day(connection: Connection, day: date, place: str) -> None:
    year = fiscal_year_of(connection, day)
    if year is None or not year.is_open:
        raise Refused(f"{place}: {CLOSED_YEAR if year else NO_YEAR}")
