"""Files as the tests send them, and what Bokio tells of them."""

import io
from uuid import uuid4

INVOICE, FILE, ENTRY = uuid4(), uuid4(), uuid4()
ATTACHMENT_BODY = {"id": str(FILE), "invoiceId": str(INVOICE), "fileName": "Följesedel 7.pdf"}
UPLOAD_BODY = {
    "id": str(FILE),
    "description": "Kvitto",
    "contentType": "image/png",
    "journalEntryId": str(ENTRY),
}

PDF = b"%PDF-1.7 \0\xff\r\n--" + b"content " * 20_000


class Tape(io.BytesIO):
    """A file that notes how it is read, and can break or change while it is."""

    def __init__(self, content, *, breaks_at=None, ends_at=None, last=b"", error=None):
        super().__init__(content)
        self.largest_read = 0
        self._breaks_at, self._ends_at, self._last = breaks_at, ends_at, last
        self._error = error or OSError("/mnt/secret-share: stale file handle")

    def read(self, size=-1):
        at = self.tell()
        if self._breaks_at is not None and at >= self._breaks_at:
            raise self._error
        if self._ends_at is not None and at >= self._ends_at:
            return self._last
        self.largest_read = max(self.largest_read, size)
        return super().read(size)


class Unseekable(io.BytesIO):
    def seek(self, *_):
        raise io.UnsupportedOperation("a pipe")
