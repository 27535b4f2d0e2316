"""Uploads: documents of the books, with the entry or supplier invoice they belong to."""

import uuid

from django.db.models import QuerySet

from bokio_app.sandbox import files, refusals, switches
from bokio_app.sandbox.api import lists, multipart, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import JournalEntry, Upload
from bokio_app.sandbox.refusals import FieldError
from bokio_app.sandbox.wire import Answer

PROPERTIES = {
    "description": lists.text("description"),
    "journalEntryId": lists.identity("entry__uuid"),
}
LONGEST_DESCRIPTION = 255


@operation("POST", "/uploads", "add-upload", scope="uploads:write", creates=True)
def add(context: Context) -> object:
    form = multipart.read(context.call, fields=("description", "journalEntryId"))
    size, largest = len(form.file.content), switches.current().largest_upload_bytes
    if largest and size > largest:
        raise refusals.Refusal(400, "limit-exceeded", f"The file may have at most {largest} bytes")
    body = Reader(form.fields)
    description = body.text("description", longest=LONGEST_DESCRIPTION)
    entry = _entry(context, body)
    body.finish()
    row = Upload.objects.create(
        company=context.company,
        description=description or form.file.name[:LONGEST_DESCRIPTION],
        content_type=form.file.media_type,
        size=size,
        content=form.file.content,
        entry=entry,
    )
    return _shape(row)


def _entry(context: Context, body: Reader) -> JournalEntry | None:
    entry_id = body.identity("journalEntryId")
    if entry_id is None:
        return None
    row = context.company.entries.filter(uuid=entry_id).first()
    if row is None:
        body.note("journalEntryId", f"There is no journal entry {entry_id}")
    return row


@operation("GET", "/uploads", "get-uploads", scope="uploads:read")
def uploads(context: Context) -> object:
    rows = lists.filtered(_rows(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, _shape)


def _rows(context: Context) -> QuerySet[Upload]:
    return context.company.uploads.select_related("entry").defer("content")


@operation("GET", "/uploads/{uploadId}", "get-upload", scope="uploads:read")
def upload(context: Context) -> object:
    return _shape(_find(context))


@operation("GET", "/uploads/{uploadId}/download", "download-upload", scope="uploads:read")
def download(context: Context) -> Answer:
    """The bytes alone: what they are is said by the upload itself."""
    row = _find(context)
    return Answer(200, bytes(row.content), {"Content-Type": files.OCTETS})


def _find(context: Context) -> Upload:
    upload_id = context.id("uploadId", "upload")
    row = _rows(context).filter(uuid=upload_id).first()
    if row is None:
        raise refusals.not_found("upload", upload_id)
    return row


def find_free(context: Context, upload_id: uuid.UUID, pointer: str) -> Upload:
    """The upload if nothing is connected to it yet. `pointer` is where the request names it."""
    row = _rows(context).filter(uuid=upload_id).first()
    if row is None:
        raise refusals.not_found("upload", upload_id)
    if row.entry_id is not None or row.supplier_invoice_id is not None:
        raise refusals.invalid(
            [FieldError(pointer, f"The upload {upload_id} is connected to something else")]
        )
    return row


def _shape(row: Upload) -> shapes.Json:
    return {
        "id": str(row.uuid),
        "description": row.description,
        "contentType": row.content_type,
        "journalEntryId": str(row.entry.uuid) if row.entry else None,
    }
