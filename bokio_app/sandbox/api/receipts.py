"""Payments and settlements of an invoice: list, read, register, delete, record."""

from django.db.models import QuerySet

from bokio_app.sandbox import invoicing, refusals
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.documents import find_invoice
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Payment, Settlement

PROPERTIES = {"date": lists.day("date"), "sumBaseCurrency": lists.number("amount")}
WRITABLE_TYPES = ("currency", "bankFee", "paymentServiceFee")
VAT_SCHEMES = ("domestic", "eu", "nonEu", "vatExempt")
PAYMENTS = "/invoices/{invoiceId}/payments"
PAYMENT = "/invoices/{invoiceId}/payments/{paymentId}"
SETTLEMENTS = "/invoices/{invoiceId}/settlements"
SETTLEMENT = "/invoices/{invoiceId}/settlements/{settlementId}"


def _payments(context: Context) -> QuerySet[Payment]:
    return find_invoice(context).payments.select_related("entry", "invoice__company")


def _payment(context: Context) -> Payment:
    payment_id = context.id("paymentId", "invoice payment")
    row = _payments(context).filter(uuid=payment_id).first()
    if row is None:
        raise refusals.not_found("invoice payment", payment_id)
    return row


@operation("GET", PAYMENTS, "get-invoice-payments", scope="invoices:read")
def payments(context: Context) -> object:
    rows = lists.filtered(_payments(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, shapes.payment)


@operation("GET", PAYMENT, "get-invoice-payment", scope="invoices:read")
def payment(context: Context) -> object:
    return shapes.payment(_payment(context))


@operation("POST", PAYMENTS, "post-invoice-payment", scope="invoices:write", creates=True)
def pay(context: Context) -> object:
    invoice = find_invoice(context)
    invoicing.require_payable(invoice)
    body = Reader(context.body())
    body.read_only("id", "invoiceId", "journalEntryRef")
    day = body.day("date", required=True)
    amount = body.number("sumBaseCurrency", required=True, decimals=2)
    if body.sound("sumBaseCurrency") and amount <= 0:
        body.note("sumBaseCurrency", "The sum base currency must be more than 0")
    account = body.integer("bookkeepingAccountNumber", required=True)
    if account is not None and not _receives_payments(context, account):
        body.note("bookkeepingAccountNumber", f"The account {account} takes no payments")
    body.finish()
    if day is None or account is None:
        raise AssertionError("The reader refuses a missing date or account")
    return shapes.payment(invoicing.pay(invoice, day=day, amount=amount, account=account))


def _receives_payments(context: Context, account: int) -> bool:
    rows = context.company.accounts.filter(number=account, receives_payments=True)
    return 0 < account < 10_000 and rows.exists()


@operation("DELETE", PAYMENT, "delete-invoice-payment", scope="invoices:write")
def delete_payment(context: Context) -> None:
    invoicing.delete_payment(_payment(context))


@operation("POST", f"{PAYMENT}/record", "record-invoice-payment-with-id", scope="invoices:write")
def record_payment(context: Context) -> object:
    row = _payment(context)
    invoicing.record_payment(row)
    return shapes.payment(row)


def _settlements(context: Context) -> QuerySet[Settlement]:
    return find_invoice(context).settlements.select_related("entry", "invoice__company")


def _settlement(context: Context) -> Settlement:
    settlement_id = context.id("settlementId", "invoice settlement")
    row = _settlements(context).filter(uuid=settlement_id).first()
    if row is None:
        raise refusals.not_found("invoice settlement", settlement_id)
    return row


@operation("GET", SETTLEMENTS, "get-invoice-settlements", scope="invoices:read")
def settlements(context: Context) -> object:
    rows = lists.filtered(_settlements(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, shapes.settlement)


@operation("GET", SETTLEMENT, "get-invoice-settlement", scope="invoices:read")
def settlement(context: Context) -> object:
    return shapes.settlement(_settlement(context))


@operation("POST", SETTLEMENTS, "post-invoice-settlement", scope="invoices:write", creates=True)
def settle(context: Context) -> object:
    invoice = find_invoice(context)
    invoicing.require_payable(invoice)
    body = Reader(context.body())
    body.read_only("id", "invoiceId", "journalEntryRef")
    kind = body.choice("type", WRITABLE_TYPES, required=True)
    details = body.object("invoiceSettlementDetails", required=True) or Reader(
        {}, pointer="#/invoiceSettlementDetails"
    )
    details.read_only("reason")
    day = details.day("date", required=True)
    amount = details.number("sumBaseCurrency", required=True, decimals=2)
    if details.sound("sumBaseCurrency") and (amount == 0 or (amount < 0 and kind != "currency")):
        details.note("sumBaseCurrency", "The sum base currency does not fit the type")
    fee = kind == "paymentServiceFee"
    vat_scheme = details.choice("vatScheme", VAT_SCHEMES, required=fee)
    details.done()
    body.finish()
    if day is None:
        raise AssertionError("The reader refuses a missing date")
    row = invoicing.settle(
        invoice, kind=kind, day=day, amount=amount, vat_scheme=vat_scheme if fee else ""
    )
    return shapes.settlement(row)


@operation("DELETE", SETTLEMENT, "delete-invoice-settlement", scope="invoices:write")
def delete_settlement(context: Context) -> None:
    invoicing.delete_settlement(_settlement(context))


@operation(
    "POST",
    f"{SETTLEMENT}/record",
    "record-invoice-settlement-with-id",
    scope="invoices:write",
)
def record_settlement(context: Context) -> object:
    row = _settlement(context)
    invoicing.record_settlement(row)
    return shapes.settlement(row)
