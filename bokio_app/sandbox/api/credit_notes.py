"""Credit notes: make from an invoice, list, read, change, delete, publish, record, download."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, StrIndex

from bokio_app.sandbox import crediting, pdf, refusals
from bokio_app.sandbox.api import documents, lists, shapes
from bokio_app.sandbox.api.customers import read_address
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Answer, Context, operation
from bokio_app.sandbox.lines import LONGEST_DESCRIPTION
from bokio_app.sandbox.models import CreditNote
from bokio_app.sandbox.totals import StoredLine
from bokio_app.sandbox.wire import plain

Json = dict[str, Any]

NOTE = "/credit-notes/{creditNoteId}"
PAGE_SIZE = 20
PROPERTIES = documents.properties(customer="invoice__customer__uuid", date="credit_date")
SET_BY_BOKIO = (
    "invoiceRef",
    "customerRef",
    "contactDetailRef",
    "invoiceNumber",
    "totalAmount",
    "totalTax",
    "paidAmount",
    "status",
    "publishedDateTime",
    "billingAddress",
    "attachmentRefs",
    "journalEntryRef",
)
# Of a line only the text, the quantity and the price can differ from the invoice's line.
FROM_THE_INVOICE = (
    "itemRef",
    "itemType",
    "productType",
    "unitType",
    "taxRate",
    "bookkeepingAccountNumber",
    "taxReduction",
    "reverseChargeType",
)


def as_json(row: CreditNote) -> Json:
    """The whole credit note, without the fields that only an invoice or only a note has."""
    data = _common(row)
    data |= {
        "invoiceRef": {"id": str(row.invoice.uuid), "invoiceNumber": str(row.invoice.number)},
        "status": "draft" if row.number is None else "published",
        "creditDate": row.credit_date.isoformat(),
    }
    return data


def _common(row: CreditNote) -> Json:
    """What a note looks like wherever it appears. `invoice__customer` should be selected."""
    data: Json = {
        "id": str(row.uuid),
        "contactDetailRef": row.contact,
        "invoiceNumber": None if row.number is None else str(row.number),
        **{name: row.references.get(name) or None for name in shapes.REFERENCES},
        "currency": row.currency,
        "currencyRate": row.currency_rate,
        "totalAmount": row.total,
        "totalTax": row.tax,
        "paidAmount": 0,
        "dueDate": row.due_date.isoformat(),
        "publishedDateTime": shapes.moment(row.published_at),
        "lineItems": [shapes.line_item(line) for line in row.lines],
        "attachmentRefs": shapes.attachment_refs(row.invoice),
        "journalEntryRef": shapes.entry_ref(row.entry),
        "metadata": row.metadata,
    }
    if row.invoice.customer:
        name = row.invoice.customer_name
        data["customerRef"] = shapes.customer_ref(row.invoice.customer, name)
    if row.billing_address:
        data["billingAddress"] = row.billing_address
    if row.delivery_address:
        data["deliveryAddress"] = row.delivery_address
    return data


def _as_invoice(row: CreditNote) -> Json:
    """A published note as the list of invoices shows it: with the status `credit`."""
    data = _common(row)
    data |= {
        "type": "invoice",
        "status": "credit",
        "invoiceDate": row.credit_date.isoformat(),
        "paymentReference": None,
        "totalRoundingEnabled": row.rounding,
        "taxReduction": None,
        "creditNoteRefs": [],
    }
    return data


def _rows(context: Context) -> QuerySet[CreditNote]:
    return context.company.credit_notes.select_related("invoice__customer", "entry")


def _filtered(rows: QuerySet[CreditNote], query: str) -> QuerySet[CreditNote]:
    return lists.filtered(rows, query, PROPERTIES, _special)


def _special(name: str, operator: str, value: str) -> Q | None:
    if name.startswith(documents.METADATA_PROPERTY):
        return _metadata_condition(name, operator, value)
    return documents.fixed_condition(name, operator, value)


def _metadata_condition(name: str, operator: str, value: str) -> Q:
    """A sub-select, because a key of JSON may be called like one of Django's look-ups."""
    text = Cast(
        KeyTextTransform(name.removeprefix(documents.METADATA_PROPERTY), "metadata"), TextField()
    )
    notes = CreditNote.objects.annotate(text=text)
    if operator == "~":
        notes = notes.annotate(position=StrIndex("text", Value(value))).filter(position__gt=0)
    elif operator in ("==", "!="):
        notes = notes.filter(text=value)
    else:
        raise refusals.bad_query(f"The operator {operator} does not fit the property {name}")
    found = Q(pk__in=notes.values("pk"))
    return ~found if operator == "!=" else found


def among_invoices(context: Context, query: str) -> lists.Part[CreditNote]:
    """The published notes that pass a filter of the list of invoices."""
    rows = _rows(context).filter(number__isnull=False)
    rows = rows.annotate(status=Value("credit", output_field=CharField()))
    return lists.Part(_filtered(rows, query), _as_invoice)


@operation(
    "POST",
    "/invoices/{invoiceId}/credit",
    "post-invoices-invoiceId-credit",
    scope="invoices:write",
    creates=True,
)
def credit(context: Context) -> object:
    return as_json(crediting.create(documents.find_invoice(context)))


@operation("GET", "/credit-notes", "list-credit-notes-v1", scope="credit-notes:read")
def credit_notes(context: Context) -> object:
    status = Case(
        When(number=None, then=Value("draft")),
        default=Value("published"),
        output_field=CharField(),
    )
    rows = _filtered(_rows(context).annotate(status=status), context.call.query.get("query", ""))
    return lists.page(rows, context.call.query, as_json, page_size=PAGE_SIZE)


@operation("GET", NOTE, "get-credit-note-v1", scope="credit-notes:read")
def credit_note(context: Context) -> object:
    return as_json(_find(context))


@operation("PUT", NOTE, "update-credit-note-v1", scope="credit-notes:write")
def replace(context: Context) -> object:
    row = _find(context)
    crediting.require_draft(row)
    _fill(row, Reader(context.body()))
    row.save()
    return as_json(row)


@operation("DELETE", NOTE, "delete-credit-note-with-id", scope="credit-notes:write")
def delete(context: Context) -> None:
    crediting.delete_draft(_find(context))


@operation("POST", f"{NOTE}/publish", "publish-credit-note-v1", scope="credit-notes:write")
def publish(context: Context) -> object:
    row = _find(context)
    crediting.publish(row)
    return as_json(row)


@operation("POST", f"{NOTE}/record", "record-credit-note-with-id", scope="credit-notes:write")
def record(context: Context) -> object:
    row = _find(context)
    crediting.record(row)
    return as_json(row)


@operation("GET", f"{NOTE}/download", "download-credit-note", scope="credit-notes:read")
def download(context: Context) -> Answer:
    row = _find(context)
    if row.number is None:
        raise refusals.not_allowed("The credit note is not published")
    return Answer(200, pdf.credit_note(row), {"Content-Type": "application/pdf"})


def _find(context: Context) -> CreditNote:
    note_id = context.id("creditNoteId", "credit note")
    row = _rows(context).filter(uuid=note_id).first()
    if row is None:
        raise refusals.not_found("credit note", note_id)
    return row


def _fill(row: CreditNote, body: Reader) -> None:
    """Take every field from the body, which replaces the whole draft."""
    body.read_only(*SET_BY_BOKIO)
    if body.text("id", required=True).lower() != str(row.uuid) and body.sound("id"):
        body.note("id", "The id must be that of the credit note")
    row.references = documents.read_references(body)
    _check_currency(row, body)
    row.credit_date = body.day("creditDate", required=True) or row.credit_date
    row.due_date = body.day("dueDate", required=True) or row.due_date
    if body.sound("creditDate") and body.sound("dueDate") and row.due_date < row.credit_date:
        body.note("dueDate", "The due date must not be before the credit date")
    row.delivery_address = read_address(body, "deliveryAddress", complete=False)
    row.lines = _read_lines(row, body)
    row.metadata = documents.read_metadata(body)
    body.finish()
    crediting.recalculate(row)


def _check_currency(row: CreditNote, body: Reader) -> None:
    """What is taken back is taken back in the money, and at the rate, of the invoice."""
    currency = body.text("currency", required=True)
    if body.sound("currency") and currency != row.currency:
        body.note("currency", "The currency must be that of the invoice")
    rate = body.number("currencyRate", default=row.currency_rate, decimals=8)
    if body.sound("currencyRate") and rate != row.currency_rate:
        body.note("currencyRate", "The currency rate must be that of the invoice")


def _read_lines(row: CreditNote, body: Reader) -> list[Json]:
    left = crediting.left_to_credit(row.invoice)
    originals = {line["id"]: line for line in row.invoice.lines}
    lines: list[Json] = []
    for reader in body.objects("lineItems", required=True):
        line_id = reader.integer("id", required=True)
        original = originals.pop(line_id, None) if line_id is not None else None
        if original is not None:
            lines.append(_read_line(reader, original, left))
        elif reader.sound("id"):
            reader.note("id", "The invoice has no such line, or it is here already")
        reader.read_only(*FROM_THE_INVOICE, "description", "quantity", "unitPrice")
        reader.done()
    return lines


def _read_line(body: Reader, original: StoredLine, left: Mapping[int, Decimal]) -> Json:
    """The invoice's line with the text, the quantity and the price that are credited."""
    text = body.text("description", required=True, longest=LONGEST_DESCRIPTION)
    line = {**original, "description": text}
    if body.choice("itemType", (original["itemType"],), required=True) != "salesItem":
        return line
    quantity = body.number("quantity", required=True)
    rest = left[original["id"]]
    if body.sound("quantity") and not crediting.within(quantity, rest):
        body.note("quantity", f"The quantity that is left to credit is {plain(rest)}")
    price, full = body.number("unitPrice", required=True), Decimal(original["unitPrice"])
    if body.sound("unitPrice") and not (0 <= price <= full or full <= price <= 0):
        body.note("unitPrice", f"The price on the invoice is {plain(full)}")
    rate = body.number("taxRate", required=True)
    if body.sound("taxRate") and rate != Decimal(original["taxRate"]):
        body.note("taxRate", "The tax rate must be that of the invoice")
    return {**line, "quantity": plain(quantity), "unitPrice": plain(price)}
