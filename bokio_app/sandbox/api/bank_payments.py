"""Payments from the company's bank account: order one or many, list and read one's own.

What is ordered waits until a person signs it in Bokio, which no operation of the API can do.
"""

import datetime as dt

from django.db.models import QuerySet

from bokio_app.sandbox import bank_numbers, clock, refusals, switches
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import BankPayment

PROPERTIES = {
    "amount": lists.number("amount"),
    "status": lists.choice("status"),
    # A day, even where the value has a time of day, as the published type of the property allows.
    "paymentDate": lists.Property(
        "payment_date", lambda value: dt.date.fromisoformat(value.split("T")[0]), ordered=True
    ),
    "createdDateTime": lists.moment("created_at"),
}
PAYMENTS = "/bank-payments"
MOST_AT_ONCE = 100
LONGEST_NAME = 200
LONGEST_TEXT = 255


@operation("POST", PAYMENTS, "post-bank-payment", scope="bank-payments:write", creates=True)
def create(context: Context) -> object:
    _require_account(context)
    body = Reader(context.body())
    row = _read(context, body)
    body.finish()
    row.save()
    return _shape(row)


@operation(
    "POST", f"{PAYMENTS}/bulk", "post-bank-payments-bulk", scope="bank-payments:write", creates=True
)
def create_many(context: Context) -> object:
    """All or none. The answer is a bare array in the order of the request."""
    _require_account(context)
    body = Reader(context.body())
    rows: list[BankPayment] = []
    for one in body.objects("payments", required=True):
        rows.append(_read(context, one))
        one.done()
    if len(rows) > MOST_AT_ONCE:
        body.note("payments", f"At most {MOST_AT_ONCE} payments can be ordered at once")
    body.finish()
    return [_shape(row) for row in BankPayment.objects.bulk_create(rows)]


@operation("GET", PAYMENTS, "get-bank-payments-limited", scope="bank-payments:read-limited")
def bank_payments(context: Context) -> object:
    rows = lists.filtered(_own(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, _shape)


@operation(
    "GET",
    PAYMENTS + "/{bankPaymentId}",
    "get-bank-payments-bank-payment-id",
    scope="bank-payments:read-limited",
)
def bank_payment(context: Context) -> object:
    payment_id = context.id("bankPaymentId", "bank payment")
    row = _own(context).filter(uuid=payment_id).first()
    if row is None:
        raise refusals.not_found("bank payment", payment_id)
    return _shape(row)


def _own(context: Context) -> QuerySet[BankPayment]:
    return context.company.bank_payments.filter(made_by=context.application)


def _require_account(context: Context) -> None:
    if switches.current().bank_payment_needs_account and not context.company.has_bank_account:
        raise refusals.not_allowed("The company has no Bokio business account")


def _read(context: Context, body: Reader) -> BankPayment:
    body.read_only("id", "status", "createdDateTime")
    amount = body.number("amount", required=True, decimals=2)
    if body.sound("amount") and amount <= 0:
        body.note("amount", "The amount must be more than 0")
    day = body.day("paymentDate", required=True) or clock.today()
    if day < clock.today() and not switches.current().past_bank_payments:
        body.note("paymentDate", "The payment date has passed")
    return BankPayment(
        company=context.company,
        made_by=context.application,
        amount=amount,
        payment_date=day,
        own_note=body.text("ownNote", longest=LONGEST_TEXT),
        recipient=_recipient(body),
        created_at=clock.now(),
    )


def _recipient(body: Reader) -> dict[str, str]:
    inner = body.object("recipientRef", required=True)
    if inner is None:
        return {}
    kind = inner.choice("kind", ("bankgiro", "transfer"), required=True)
    recipient = {
        "kind": kind,
        "recipientName": inner.text("recipientName", required=True, longest=LONGEST_NAME),
    }
    if inner.sound("kind"):
        recipient |= _bankgiro(inner) if kind == "bankgiro" else _transfer(inner)
        inner.done()
    return recipient


def _bankgiro(inner: Reader) -> dict[str, str]:
    part = {"bankgiroNumber": bank_numbers.read(inner, "bankgiroNumber")}
    message = inner.text("message", longest=LONGEST_TEXT)
    ocr = bank_numbers.read(inner, "ocr") if inner.data.get("ocr") else inner.text("ocr")
    if bool(ocr) == bool(message):
        inner.note("ocr", "Either an OCR reference or a message is required, and not both")
    return part | ({"ocr": ocr} if ocr else {"message": message})


def _transfer(inner: Reader) -> dict[str, str]:
    part = {name: bank_numbers.read(inner, name) for name in ("clearingNumber", "accountNumber")}
    reference = inner.text("recipientReference", longest=LONGEST_TEXT)
    return part | ({"recipientReference": reference} if reference else {})


def _shape(row: BankPayment) -> shapes.Json:
    return {
        "id": str(row.uuid),
        "status": row.status,
        "createdDateTime": shapes.moment(row.created_at),
        "amount": row.amount,
        "paymentDate": row.payment_date.isoformat(),
        "ownNote": row.own_note,
        "recipientRef": row.recipient,
    }
