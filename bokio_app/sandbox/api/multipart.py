"""Reading a file, and the fields beside it, from a `multipart/form-data` body."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from bokio_app.sandbox import files, refusals
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.refusals import FieldError
from bokio_app.sandbox.wire import Call

# Bokio's schema says `file`, its sample request `File`.
FILE_PARTS = ("file", "File")


@dataclass(frozen=True)
class File:
    """A document of a kind that Bokio takes. `media_type` is what the content is."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Form:
    """The one file of a form and its text fields, of which the last of a name counts."""

    file: File
    fields: Mapping[str, str]


class _Memory(MemoryFileUploadHandler):
    """Keeps each file in memory; the server has bounded the body already."""

    def handle_raw_input(self, *_: object) -> None:
        self.activated = True


def read(call: Call, *, fields: tuple[str, ...] = ()) -> Form:
    """The form that was sent. Fields other than `fields` are counted as unknown.

    Raises a 400 `Refusal` that points at `#/file` unless there is exactly one file, and it is
    a PDF, JPEG or PNG by both its name and its content.
    """
    meta = {
        "CONTENT_TYPE": call.headers.get("content-type", ""),
        "CONTENT_LENGTH": len(call.body),
    }
    try:
        parser = MultiPartParser(meta, io.BytesIO(call.body), [_Memory()], "utf-8")
        texts, sent = parser.parse()
    except (MultiPartParserError, SuspiciousOperation, LookupError):
        raise _refused("The request body is not valid multipart/form-data") from None
    given = [file for part in FILE_PARTS for file in sent.getlist(part)]
    if len(given) != 1:
        raise _refused("The file field is required" if not given else "Send one file per call")
    if unknown := [f"#/{name}" for name in texts if name not in fields]:
        record.unknown_fields(unknown)
    name, content = given[0].name or "", given[0].read()
    kind = files.media_type(name, content)
    if kind is None:
        raise _refused("The file must be a PDF, JPEG or PNG with a name that says so")
    return Form(File(name, kind, content), {field: str(texts[field]) for field in texts})


def _refused(message: str) -> refusals.Refusal:
    return refusals.invalid([FieldError("#/file", message)])
