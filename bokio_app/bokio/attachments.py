"""Attachments: files that become pages of an invoice's PDF."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Self
from uuid import UUID

from bokio_app.bokio.files import OutgoingFile, ReceivedFile, form
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, of_invoice, same

LARGEST_ATTACHMENT: Final = 4 * 1024 * 1024  # bytes; all of an invoice's together have 10 MB


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file of an invoice as Bokio has it."""

    id: UUID
    invoice_id: UUID | None
    name: str
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; in other places it calls the file's name `name`."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            invoice_id=read.uuid_or_none("invoiceId"),
            name=read.text("fileName") or read.text("name"),
            extra=read.rest(),
        )


AttachmentList = list[Attachment]


class Attachments(Resource):
    """`/invoices/{invoiceId}/attachments`"""

    def create(self, invoice_id: UUID, file: OutgoingFile) -> Attachment:
        """Add a file to a drafted invoice, after those it has.

        PDF, JPEG or PNG of at most 4 MB, 10 MB for all of an invoice's together; pictures are
        less than 7016 pixels high and 4960 wide, which only Bokio checks. Raises `Unsendable`.
        Not repeatable: a second call attaches the file twice. Give each file a name of its own;
        after `OutcomeUnknown`, `list` by `fileName`. `StateRefused` once published.
        Needs scope `invoices:write`.
        """
        body = form(file, largest=LARGEST_ATTACHMENT)
        parse = of_invoice(Attachment.from_json, invoice_id)
        return self._post("post-invoice-attachment", _all(invoice_id), parse, body)

    def list(self, invoice_id: UUID, where: Filter | None = None) -> AttachmentList:
        """Fetch what an invoice has attached, without the files themselves.

        Filters: `fileName`. Repeatable. Needs scope `invoices:read`.
        """
        path, parse = _all(invoice_id), of_invoice(Attachment.from_json, invoice_id)
        return [*self._pages("get-invoice-attachments", path, parse, where=where)]

    def get(self, invoice_id: UUID, attachment_id: UUID) -> Attachment:
        """Fetch what is known of one file. Repeatable. Needs scope `invoices:read`."""
        path, parse = _one(invoice_id, attachment_id), same(Attachment.from_json, attachment_id)
        return self._get("get-invoice-attachment", path, parse)

    def delete(self, invoice_id: UUID, attachment_id: UUID) -> None:
        """Take a file off a drafted invoice.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done. `StateRefused` once
        published. Needs scope `invoices:write`.
        """
        self._delete("delete-invoice-attachment", _one(invoice_id, attachment_id))

    def download(self, invoice_id: UUID, attachment_id: UUID) -> bytes:
        """Fetch the file itself. Repeatable. Needs scope `invoices:read`."""
        path = f"{_one(invoice_id, attachment_id)}/download"
        return self._download("download-invoice-attachment", path)

    def download_into(self, invoice_id: UUID, attachment_id: UUID, file: BinaryIO) -> ReceivedFile:
        """Like `download`, piece by piece into a binary file."""
        path = f"{_one(invoice_id, attachment_id)}/download"
        return self._download_into("download-invoice-attachment", path, file)


def _all(invoice_id: UUID) -> str:
    return f"invoices/{invoice_id}/attachments"


def _one(invoice_id: UUID, attachment_id: UUID) -> str:
    return f"{_all(invoice_id)}/{attachment_id}"
