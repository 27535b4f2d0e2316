"""Supplier invoices: list, read, create, replace, delete, add a document."""

import uuid
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, TextField
from django.db.models.functions import Cast

from bokio_app.sandbox import refusals, switches
from bokio_app.sandbox.api import lists, shapes, uploads
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Supplier, SupplierInvoice, Upload
from bokio_app.sandbox.wire import plain

PROPERTIES = {
    "supplierRef.id": lists.identity("supplier__uuid"),
    "invoiceNumber": lists.text("invoice_number"),
    "totalAmount": lists.number("total"),
    "currency": lists.text("currency"),
    "invoiceDate": lists.day("invoice_date"),
    "dueDate": lists.day("due_date"),
}
INVOICES = "/supplier-invoices"
INVOICE = "/supplier-invoices/{supplierInvoiceId}"
LONGEST_NUMBER = 60
LONGEST_TEXT = 500


@operation("GET", INVOICES, "get-supplier-invoices", scope="supplier-invoices:read")
def supplier_invoices(context: Context) -> object:
    rows = _rows(context).alias(lines_as_text=Cast("lines", TextField()))
    rows = lists.filtered(rows, context.call.query.get("query", ""), PROPERTIES, _by_project)
    return lists.page(rows, context.call.query, _shape)


def _by_project(name: str, operator: str, value: str) -> Q | None:
    """Invoices of which some line belongs to the project, or none does."""
    if name != "projectId" or operator not in ("==", "!="):
        return None
    try:
        project = uuid.UUID(value)
    except ValueError:
        raise refusals.bad_query(f"{value!r} does not fit the property projectId") from None
    found = Q(lines_as_text__contains=f'"projectId": "{project}"')
    return found if operator == "==" else ~found


def _rows(context: Context) -> QuerySet[SupplierInvoice]:
    documents = Prefetch("uploads", Upload.objects.defer("content").order_by("id"))
    rows = context.company.supplier_invoices.select_related("supplier", "entry")
    return rows.prefetch_related(documents)


@operation("GET", INVOICE, "get-supplier-invoice-by-id", scope="supplier-invoices:read")
def supplier_invoice(context: Context) -> object:
    return _shape(_find(context))


@operation("POST", INVOICES, "post-supplier-invoice", scope="supplier-invoices:write", creates=True)
def create(context: Context) -> object:
    row = SupplierInvoice(
        company=context.company, made_by=context.application, total=0, remaining=0
    )
    body = Reader(context.body())
    upload_id = body.reference("uploadRef")
    _fill(row, body)
    upload = uploads.find_free(context, upload_id, "#/uploadRef/id") if upload_id else None
    row.save()
    if upload:
        _connect(row, upload)
    return _shape(row)


@operation("PUT", INVOICE, "put-supplier-invoice", scope="supplier-invoices:write")
def replace(context: Context) -> object:
    """Replace all but the documents. What has been paid stays paid."""
    row = _find_own(context)
    _fill(row, Reader(context.body()))
    row.save()
    return _shape(row)


@operation("DELETE", INVOICE, "delete-supplier-invoice", scope="supplier-invoices:write")
def delete(context: Context) -> None:
    """Its documents are free again."""
    _find_own(context).delete()


@operation(
    "POST",
    f"{INVOICE}/uploads",
    "post-supplier-invoice-upload",
    scope="supplier-invoices:write",
    creates=True,
)
def add_upload(context: Context) -> object:
    row = _find_own(context)
    body = Reader(context.body())
    upload_id = body.identity("id", required=True)
    body.finish()
    if upload_id is None:
        raise AssertionError("The reader refuses a missing id")
    upload = uploads.find_free(context, upload_id, "#/id")
    _connect(row, upload)
    return {"id": str(upload.uuid)}


def _connect(row: SupplierInvoice, upload: Upload) -> None:
    upload.supplier_invoice = row
    upload.save(update_fields=["supplier_invoice"])


def _find(context: Context) -> SupplierInvoice:
    invoice_id = context.id("supplierInvoiceId", "supplier invoice")
    row = _rows(context).filter(uuid=invoice_id).first()
    if row is None:
        raise refusals.not_found("supplier invoice", invoice_id)
    return row


def _find_own(context: Context) -> SupplierInvoice:
    row = _find(context)
    if row.made_by_id != context.application.pk:
        raise refusals.not_allowed(
            "Only the integration that added a supplier invoice can change it"
        )
    return row


def _fill(row: SupplierInvoice, body: Reader) -> None:
    body.read_only("id", "remainingAmount", "currency", "currencyRate")
    body.read_only("journalEntryRef", "uploadRefs")
    supplier = _supplier(row, body)
    row.invoice_number = body.text("invoiceNumber", longest=LONGEST_NUMBER)
    invoice_date = body.day("invoiceDate", required=True)
    due_date = body.day("dueDate", required=True)
    total = body.number("totalAmount", required=True, decimals=2)
    accounts = frozenset(row.company.accounts.values_list("number", flat=True))
    row.lines = [_line(line, accounts) for line in body.objects("lineItems")]
    body.finish()
    if supplier is None or invoice_date is None or due_date is None:
        raise AssertionError("The reader refuses what is missing")
    row.invoice_date, row.due_date = invoice_date, due_date
    row.remaining += total - row.total
    row.total = total
    if row.supplier_id != supplier.pk:
        row.supplier, row.currency = supplier, supplier.currency
        home = supplier.currency == "SEK"
        row.currency_rate = Decimal(1 if home else switches.FOREIGN_CURRENCY_RATE)


def _supplier(row: SupplierInvoice, body: Reader) -> Supplier | None:
    inner = body.object("supplierRef") or Reader({}, pointer="#/supplierRef", errors=body.errors)
    inner.read_only("name")
    supplier_id = inner.identity("id", required=True)
    inner.done()
    if supplier_id is None:
        return None
    supplier = row.company.suppliers.filter(uuid=supplier_id).first()
    if supplier is None:
        inner.note("id", f"There is no supplier {supplier_id}")
    return supplier


def _line(body: Reader, accounts: frozenset[int]) -> dict[str, Any]:
    """A line with those fields that were given.

    Bokio takes lines since September 2026 without publishing their shape. These are the fields of
    an invoice's line that make sense here, none required and nothing added up.
    """
    line: dict[str, Any] = {
        name: body.text(name, longest=LONGEST_TEXT)
        for name in ("description", "unitType")
        if body.given(name)
    }
    line |= {
        name: plain(body.number(name)) for name in shapes.NUMBERS_OF_A_LINE if body.given(name)
    }
    account = body.integer("bookkeepingAccountNumber")
    if account is not None:
        line["bookkeepingAccountNumber"] = account
        if account not in accounts:
            body.note("bookkeepingAccountNumber", f"The account {account} does not exist")
    if project := body.identity("projectId"):
        line["projectId"] = str(project)
    body.done()
    return line


def _shape(row: SupplierInvoice) -> shapes.Json:
    return {
        "id": str(row.uuid),
        "supplierRef": {"id": str(row.supplier.uuid), "name": row.supplier.name},
        "invoiceNumber": row.invoice_number,
        "invoiceDate": row.invoice_date.isoformat(),
        "dueDate": row.due_date.isoformat(),
        "totalAmount": row.total,
        "remainingAmount": row.remaining,
        "currency": row.currency,
        "currencyRate": row.currency_rate,
        "lineItems": [shapes.line_item(line) for line in row.lines],
        "journalEntryRef": shapes.entry_ref(row.entry),
        "uploadRefs": [{"id": str(upload.uuid)} for upload in row.uploads.all()],
    }
