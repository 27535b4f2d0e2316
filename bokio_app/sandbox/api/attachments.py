"""Attachments of an invoice: list, add, read, delete, download."""

from typing import Any

from django.db.models import QuerySet, Sum

from bokio_app.sandbox import files, invoicing, refusals
from bokio_app.sandbox.api import lists, multipart
from bokio_app.sandbox.api.documents import find_invoice
from bokio_app.sandbox.api.registry import Answer, Context, operation
from bokio_app.sandbox.models import Attachment, Invoice
from bokio_app.sandbox.refusals import FieldError, Refusal

Json = dict[str, Any]

ATTACHMENTS = "/invoices/{invoiceId}/attachments"
ATTACHMENT = "/invoices/{invoiceId}/attachments/{attachmentId}"
PROPERTIES = {"fileName": lists.text("file_name")}
LARGEST_FILE = 4 * 1024 * 1024
LARGEST_TOGETHER = 10 * 1024 * 1024
TOO_WIDE, TOO_HIGH = 4960, 7016


def as_json(row: Attachment) -> Json:
    """The attachment as the API shows it. `invoice` should be selected with the row."""
    return {
        "id": str(row.uuid),
        "invoiceId": str(row.invoice.uuid),
        "fileName": row.file_name,
    }


def _attachments(context: Context) -> QuerySet[Attachment]:
    """The attachments without their content, which is large."""
    rows = find_invoice(context).attachments
    return rows.select_related("invoice").defer("content")


def _find(context: Context) -> Attachment:
    attachment_id = context.id("attachmentId", "attachment")
    row = _attachments(context).filter(uuid=attachment_id).first()
    if row is None:
        raise refusals.not_found("attachment", attachment_id)
    return row


@operation("GET", ATTACHMENTS, "get-invoice-attachments", scope="invoices:read")
def attachments(context: Context) -> object:
    rows = lists.filtered(_attachments(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, as_json)


@operation("POST", ATTACHMENTS, "post-invoice-attachment", scope="invoices:write", creates=True)
def attach(context: Context) -> object:
    invoice = find_invoice(context)
    invoicing.require_draft(invoice)
    sent = multipart.read(context.call).file
    _check_limits(invoice, sent.content)
    row = Attachment.objects.create(
        invoice=invoice,
        file_name=sent.name,
        content_type=sent.media_type,
        size=len(sent.content),
        content=sent.content,
    )
    _refer(invoice)
    return as_json(row)


def _check_limits(invoice: Invoice, content: bytes) -> None:
    held: int = invoice.attachments.aggregate(sum=Sum("size"))["sum"] or 0
    if len(content) > LARGEST_FILE:
        raise _too_large("The file is larger than 4 MB")
    if held + len(content) > LARGEST_TOGETHER:
        raise _too_large("The files of an invoice must not exceed 10 MB together")
    size = files.pixels(content)
    if size and (size.width >= TOO_WIDE or size.height >= TOO_HIGH):
        message = f"The picture must be less than {TOO_WIDE} wide and {TOO_HIGH} high"
        raise refusals.invalid([FieldError("#/file", message)])


def _too_large(message: str) -> Refusal:
    return Refusal(400, "limit-exceeded", message)


def _refer(invoice: Invoice) -> None:
    rows = invoice.attachments.order_by("id").values_list("uuid", "file_name")
    invoice.attachment_refs = [{"id": str(row_id), "name": name} for row_id, name in rows]
    invoice.save(update_fields=["attachment_refs"])


@operation("GET", ATTACHMENT, "get-invoice-attachment", scope="invoices:read")
def attachment(context: Context) -> object:
    return as_json(_find(context))


@operation("DELETE", ATTACHMENT, "delete-invoice-attachment", scope="invoices:write")
def delete(context: Context) -> None:
    row = _find(context)
    invoicing.require_draft(row.invoice)
    row.delete()
    _refer(row.invoice)


@operation("GET", f"{ATTACHMENT}/download", "download-invoice-attachment", scope="invoices:read")
def download(context: Context) -> Answer:
    row = _find(context)
    return Answer(200, bytes(row.content), {"Content-Type": files.OCTETS})
