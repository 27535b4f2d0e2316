"""Invoices: list, read, draft, change, delete, add a line, publish, record, download."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from bokio_app.sandbox import clock, invoicing, pdf, refusals, switches
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.customers import read_address
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Answer, Context, operation
from bokio_app.sandbox.lines import read_line, rules
from bokio_app.sandbox.models import Customer, Invoice, InvoiceMetadata

PROPERTIES = {
    "customerRef": lists.identity("customer__uuid"),
    "orderNumberReference": lists.text("references__orderNumberReference"),
    "projectReference": lists.text("references__projectReference"),
    "buyerReference": lists.text("references__buyerReference"),
    "contractReference": lists.text("references__contractReference"),
    "currency": lists.text("currency"),
    "totalAmount": lists.number("total"),
    "status": lists.choice("status"),
    "invoiceDate": lists.day("invoice_date"),
    "dueDate": lists.day("due_date"),
}
MOST_METADATA = 10
LONGEST_METADATA_VALUE = 250
METADATA_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,24}\Z")
METADATA_PROPERTY = "metadata."
CURRENCY = re.compile(r"[A-Z]{3}\Z")
SET_BY_BOKIO = (
    "id",
    "invoiceNumber",
    "paymentReference",
    "totalAmount",
    "totalTax",
    "paidAmount",
    "status",
    "publishedDateTime",
    "billingAddress",
    "attachmentRefs",
    "journalEntryRef",
    "creditNoteRefs",
    "taxReduction",
)


def _rows(context: Context) -> QuerySet[Invoice]:
    return context.company.invoices.select_related("customer", "entry")


def find(context: Context) -> Invoice:
    """The invoice of the path, or a 404 `Refusal`."""
    invoice_id = context.id("invoiceId", "invoice")
    row = _rows(context).filter(uuid=invoice_id).first()
    if row is None:
        raise refusals.not_found("invoice", invoice_id)
    return row


@operation("GET", "/invoices", "get-invoice", scope="invoices:read")
def invoices(context: Context) -> object:
    rows = _rows(context).prefetch_related("credit_notes")
    query = context.call.query.get("query", "")
    if "status" in query:
        rows = invoicing.with_status(rows, clock.today())

    def special(name: str, operator: str, value: str) -> Q | None:
        if name.startswith(METADATA_PROPERTY):
            return _metadata_condition(context, name, operator, value)
        return _type_condition(name, operator, value)

    rows = lists.filtered(rows, query, PROPERTIES, special)
    return lists.page(rows, context.call.query, shapes.invoice)


def _type_condition(name: str, operator: str, value: str) -> Q | None:
    """Every invoice made here is of the type `invoice`."""
    if name != "type" or operator not in ("==", "!="):
        return None
    everything = ~Q(pk=None)
    return everything if (value == "invoice") == (operator == "==") else ~everything


def _metadata_condition(context: Context, name: str, operator: str, value: str) -> Q:
    key = name.removeprefix(METADATA_PROPERTY)
    rows = InvoiceMetadata.objects.filter(company=context.company, key=key)
    if lag := switches.current().metadata_lag_seconds:
        # Real time, because a lag of Bokio's own index has nothing to do with its calendar.
        visible = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lag * settings.TIME_FACTOR)
        rows = rows.filter(written_at__lte=visible)
    if operator == "~":
        rows = rows.annotate(position=lists.contains("value", value)).filter(position__gt=0)
    elif operator in ("==", "!="):
        rows = rows.filter(value=value)
    else:
        raise refusals.bad_query(f"The operator {operator} does not fit the property {name}")
    found = Q(pk__in=rows.values("invoice_id"))
    return ~found if operator == "!=" else found


@operation("POST", "/invoices", "post-invoice", scope="invoices:write", creates=True)
def create(context: Context) -> object:
    row = Invoice(company=context.company)
    _fill(context, row, Reader(context.body()))
    row.save()
    _save_metadata(row)
    return shapes.invoice(row)


@operation("GET", "/invoices/{invoiceId}", "get-invoices-invoiceId", scope="invoices:read")
def invoice(context: Context) -> object:
    return shapes.invoice(find(context))


@operation("PUT", "/invoices/{invoiceId}", "put-invoice", scope="invoices:write")
def replace(context: Context) -> object:
    row = find(context)
    invoicing.require_draft(row)
    _fill(context, row, Reader(context.body()))
    row.save()
    InvoiceMetadata.objects.filter(invoice=row).delete()
    _save_metadata(row)
    return shapes.invoice(row)


@operation("DELETE", "/invoices/{invoiceId}", "delete-invoice-with-id", scope="invoices:write")
def delete(context: Context) -> None:
    invoicing.delete_draft(find(context))


@operation(
    "POST",
    "/invoices/{invoiceId}/line-items",
    "post-invoice-lineItem",
    scope="invoices:write",
    creates=True,
)
def add_line(context: Context) -> object:
    row = find(context)
    invoicing.require_draft(row)
    body = Reader(context.body())
    line = read_line(body, rules(context.company, row.customer))
    body.finish()
    row.lines = [*row.lines, line]
    invoicing.recalculate(row)
    row.save(update_fields=["lines", "total", "tax", "outstanding"])
    return shapes.line_item(line)


@operation(
    "POST",
    "/invoices/{invoiceId}/publish",
    "post-invoices-invoiceId-publish",
    scope="invoices:write",
)
def publish(context: Context) -> object:
    row = find(context)
    invoicing.publish(row)
    return shapes.invoice(row)


@operation("POST", "/invoices/{invoiceId}/record", "record-invoice-with-id", scope="invoices:write")
def record(context: Context) -> object:
    row = find(context)
    invoicing.record_invoice(row)
    return shapes.invoice(row)


@operation("GET", "/invoices/{invoiceId}/download", "download-invoice", scope="invoices:read")
def download(context: Context) -> Answer:
    row = find(context)
    invoicing.require_published(row)
    return Answer(200, pdf.invoice(row), {"Content-Type": "application/pdf"})


def _fill(context: Context, row: Invoice, body: Reader) -> None:
    """Take every field from the body, which replaces the whole draft."""
    body.read_only(*SET_BY_BOKIO)
    body.choice("type", ("invoice",))
    row.customer = _customer(context, body)
    row.customer_name = row.customer.name if row.customer else ""
    row.contact = _contact(row.customer, body)
    invoice_date = body.day("invoiceDate", required=True)
    row.invoice_date = invoice_date or clock.today()
    due_date = body.day("dueDate", default=row.invoice_date + _terms(row.customer, context))
    row.due_date = due_date or row.invoice_date
    if body.given("dueDate") and invoice_date and row.due_date < row.invoice_date:
        body.note("dueDate", "The due date must not be before the invoice date")
    row.currency = body.text("currency", default="SEK", longest=3)
    if not CURRENCY.match(row.currency):
        body.note("currency", "The currency must be three capital letters")
    row.currency_rate = body.number("currencyRate", default=Decimal(1), decimals=8)
    if row.currency_rate <= 0 or (row.currency == "SEK" and row.currency_rate != 1):
        body.note("currencyRate", "The currency rate does not fit the currency")
    row.references = {name: body.text(name, longest=200) or None for name in shapes.REFERENCES}
    row.delivery_address = read_address(body, "deliveryAddress")
    row.rounding = body.flag("totalRoundingEnabled", default=context.company.whole_krona_rounding)
    checked = rules(context.company, row.customer, row.lines)
    row.lines = [read_line(line, checked) for line in body.objects("lineItems", required=True)]
    row.metadata = _metadata(body)
    body.finish()
    invoicing.recalculate(row)


def _customer(context: Context, body: Reader) -> Customer | None:
    customer_id = body.reference("customerRef")
    if customer_id is None:
        return None
    row = context.company.customers.filter(uuid=customer_id).first()
    if row is None:
        body.note("customerRef/id", "The customer does not exist")
    return row


def _contact(customer: Customer | None, body: Reader) -> dict[str, Any] | None:
    contact_id = body.reference("contactDetailRef")
    if contact_id is None:
        return None
    for contact in customer.contacts if customer else ():
        if contact["id"] == str(contact_id):
            return {name: contact[name] for name in ("id", "email", "phone")}
    body.note("contactDetailRef/id", "The customer has no such contact")
    return None


def _terms(customer: Customer | None, context: Context) -> dt.timedelta:
    """The customer's payment terms where they are a number of days, else the company's."""
    terms = customer.payment_terms if customer else ""
    days = int(terms) if terms.isascii() and terms.isdecimal() and len(terms) < 4 else None
    return dt.timedelta(days=context.company.payment_days if days is None else days)


def _metadata(body: Reader) -> dict[str, str]:
    inner = body.object("metadata")
    if inner is None:
        return {}
    if len(inner.data) > MOST_METADATA:
        body.note("metadata", f"At most {MOST_METADATA} keys are allowed")
    values: dict[str, str] = {}
    for key in inner.data:
        if not METADATA_KEY.match(key):
            inner.note(key, "A key has at most 25 letters, digits and underscores")
        values[key] = inner.text(key, longest=LONGEST_METADATA_VALUE)
    return values


def _save_metadata(row: Invoice) -> None:
    InvoiceMetadata.objects.bulk_create(
        InvoiceMetadata(company=row.company, invoice=row, key=key, value=value)
        for key, value in row.metadata.items()
    )
