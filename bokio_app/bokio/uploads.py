"""Uploads: receipts and other vouchers, to be connected to journal entries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Self
from uuid import UUID

from bokio_app.bokio.files import OutgoingFile, ReceivedFile, form
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same

LARGEST_UPLOAD: Final = 25 * 1024 * 1024  # bytes; our own, because Bokio publishes none


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A voucher as Bokio has it. `media_type` is Bokio's word for it, such as `image/png`;
    `journal_entry_id` is None until it is connected to an entry."""

    id: UUID
    description: str
    media_type: str
    journal_entry_id: UUID | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            description=read.text("description"),
            media_type=read.text("contentType"),
            journal_entry_id=read.uuid_or_none("journalEntryId"),
            extra=read.rest(),
        )


class Uploads(Resource):
    """`/uploads`"""

    def create(
        self, file: OutgoingFile, *, description: str = "", journal_entry_id: UUID | None = None
    ) -> Upload:
        """Send a voucher, to stand by itself or under a journal entry.

        PDF, JPEG or PNG of at most 25 MB; without a `description` Bokio takes the file's name.
        Raises `Unsendable`. Not repeatable: a second call makes a second voucher. Put a mark of
        your own into the description; after `OutcomeUnknown`, ask `find` for it.
        Needs scope `uploads:write`.
        """
        entry = str(journal_entry_id) if journal_entry_id else ""
        fields = {"description": description, "journalEntryId": entry}
        body = form(file, largest=LARGEST_UPLOAD, fields=fields)
        return self._post("add-upload", "uploads", Upload.from_json, body)

    def get(self, upload_id: UUID) -> Upload:
        """Fetch what is known of one voucher. Repeatable. Needs scope `uploads:read`."""
        parse = same(Upload.from_json, upload_id)
        return self._get("get-upload", f"uploads/{upload_id}", parse)

    def find(self, where: Filter | None = None) -> Iterator[Upload]:
        """Fetch the vouchers that a filter lets through, page by page as they are taken.

        Filters: `description`, `journalEntryId`. Repeatable. Needs scope `uploads:read`.
        """
        return self._pages("get-uploads", "uploads", Upload.from_json, where=where)

    def download(self, upload_id: UUID) -> bytes:
        """Fetch the file itself. Repeatable. Needs scope `uploads:read`."""
        return self._download("download-upload", f"uploads/{upload_id}/download")

    def download_into(self, upload_id: UUID, file: BinaryIO) -> ReceivedFile:
        """Like `download`, piece by piece into a binary file.

        The media type of the answer says little; `Upload.media_type` says more.
        """
        return self._download_into("download-upload", f"uploads/{upload_id}/download", file)
