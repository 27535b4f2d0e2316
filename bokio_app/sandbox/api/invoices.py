"""Invoices: list, read, draft, change, delete, add a line, publish, record, download."""

import datetime as dt
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from bokio_app.sandbox import clock, invoicing, pdf, refusals, switches, tax_reductions
from bokio_app.sandbox.api import credit_notes, customers, documents, lists, shapes
from bokio_app.sandbox.api.customers import read_address
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Answer, Context, operation
from bokio_app.sandbox.lines import LineRules, read_line
from bokio_app.sandbox.models import Customer, Invoice, InvoiceMetadata

PROPERTIES = documents.properties(customer="customer__uuid", date="invoice_date")
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
)


@operation("GET", "/invoices", "get-invoice", scope="invoices:read")
def invoices(context: Context) -> object:
    """The invoices, and after them, as was seen of Bokio, the published credit notes."""
    rows = documents.invoices(context)
    query = context.call.query.get("query", "")
    if "status" in query:
        rows = invoicing.with_status(rows, clock.today())

    def special(name: str, operator: str, value: str) -> Q | None:
        if name.startswith(documents.METADATA_PROPERTY):
            return _metadata_condition(context, name, operator, value)
        return documents.fixed_condition(name, operator, value)

    rows = lists.filtered(rows, query, PROPERTIES, special)
    show = partial(shapes.invoice, reader=context.application)
    parts: list[lists.Part[Any]] = [lists.Part(rows, show)]
    if switches.current().credit_notes_among_invoices:
        parts.append(credit_notes.among_invoices(context, query))
    return lists.page_of(parts, context.call.query)


def _metadata_condition(context: Context, name: str, operator: str, value: str) -> Q:
    key = name.removeprefix(documents.METADATA_PROPERTY)
    rows = InvoiceMetadata.objects.filter(company=context.company, key=key)
    if lag := switches.current().metadata_lag_seconds:
        # Real time, because a lag of Bokio's own index has nothing to do with its calendar.
        visible = timezone.now() - dt.timedelta(seconds=lag * settings.TIME_FACTOR)
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
    row = Invoice(company=context.company, made_by=context.application)
    _fill(context, row, Reader(context.body()))
    row.save()
    _save_metadata(row)
    return shapes.invoice(row, context.application)


@operation("GET", "/invoices/{invoiceId}", "get-invoices-invoiceId", scope="invoices:read")
def invoice(context: Context) -> object:
    return shapes.invoice(documents.find_invoice(context), context.application)


@operation("PUT", "/invoices/{invoiceId}", "put-invoice", scope="invoices:write")
def replace(context: Context) -> object:
    row = documents.find_invoice(context)
    invoicing.require_draft(row)
    _fill(context, row, Reader(context.body()))
    row.save()
    InvoiceMetadata.objects.filter(invoice=row).delete()
    _save_metadata(row)
    return shapes.invoice(row, context.application)


@operation("DELETE", "/invoices/{invoiceId}", "delete-invoice-with-id", scope="invoices:write")
def delete(context: Context) -> None:
    invoicing.delete_draft(documents.find_invoice(context))


@operation(
    "POST",
    "/invoices/{invoiceId}/line-items",
    "post-invoice-lineItem",
    scope="invoices:write",
    creates=True,
)
def add_line(context: Context) -> object:
    row = documents.find_invoice(context)
    invoicing.require_draft(row)
    body = Reader(context.body())
    allowed = tax_reductions.reductions(row, context.application)
    line = read_line(body, LineRules(context.company, row.customer, allowed))
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
    row = documents.find_invoice(context)
    invoicing.publish(row)
    return shapes.invoice(row, context.application)


@operation("POST", "/invoices/{invoiceId}/record", "record-invoice-with-id", scope="invoices:write")
def record(context: Context) -> object:
    row = documents.find_invoice(context)
    invoicing.record_invoice(row)
    return shapes.invoice(row, context.application)


@operation("GET", "/invoices/{invoiceId}/download", "download-invoice", scope="invoices:read")
def download(context: Context) -> Answer:
    row = documents.find_invoice(context)
    invoicing.require_published(row)
    return Answer(200, pdf.invoice(row), {"Content-Type": "application/pdf"})


def _fill(context: Context, row: Invoice, body: Reader) -> None:
    """Take every field from the body, which replaces the whole draft."""
    body.read_only(*SET_BY_BOKIO)
    body.choice("type", ("invoice",))
    row.customer = _customer(context, body)
    row.customer_name = row.customer.name if row.customer else ""
    row.contact = _contact(row.customer, body)
    _fill_dates(context, row, body)
    row.currency, row.currency_rate = documents.read_currency(body)
    row.references = documents.read_references(body)
    row.delivery_address = read_address(body, "deliveryAddress", complete=False)
    row.rounding = body.flag("totalRoundingEnabled", default=context.company.whole_krona_rounding)
    row.tax_reduction = tax_reductions.read(body, row, context.application)
    allowed = tax_reductions.reductions(row, context.application)
    rules = LineRules(context.company, row.customer, allowed, row.lines)
    row.lines = [read_line(line, rules) for line in body.objects("lineItems", required=True)]
    row.metadata = documents.read_metadata(body)
    body.finish()
    invoicing.recalculate(row)


def _fill_dates(context: Context, row: Invoice, body: Reader) -> None:
    invoice_date = body.day("invoiceDate", required=True)
    row.invoice_date = invoice_date or clock.today()
    due_date = body.day("dueDate")
    row.due_date = due_date or _due_date(row, context)
    if due_date and invoice_date and due_date < invoice_date:
        body.note("dueDate", "The due date must not be before the invoice date")


def _due_date(row: Invoice, context: Context) -> dt.date:
    """By the customer's payment terms where they are a number of days, else the company's."""
    terms = row.customer.payment_terms if row.customer else ""
    days = int(terms) if terms.isascii() and terms.isdecimal() and len(terms) < 4 else None
    days = context.company.payment_days if days is None else days
    latest = (dt.date.max - row.invoice_date).days
    return row.invoice_date + dt.timedelta(days=min(days, latest))


def _customer(context: Context, body: Reader) -> Customer | None:
    customer_id = body.reference("customerRef")
    if customer_id is None:
        return None
    row = customers.by_id(context.company, customer_id)
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


def _save_metadata(row: Invoice) -> None:
    InvoiceMetadata.objects.bulk_create(
        InvoiceMetadata(company=row.company, invoice=row, key=key, value=value)
        for key, value in row.metadata.items()
    )
