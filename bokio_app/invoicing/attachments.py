"""The steps that put a file on a draft, or take it off again."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.bokio.attachments import Attachment as RemoteAttachment
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F
from bokio_app.flows import held
from bokio_app.flows.operations import (
    Change,
    Done,
    Operation,
    Proof,
    StepContext,
    equal_or_unclear,
    exactly_one,
    register,
    register_kind,
)
from bokio_app.flows.patterns import Delete, remote
from bokio_app.flows.references import with_reference

from . import attaching
from .flows import invoice_of
from .models import Attachment

LONGEST_STEM: Final = 200


@register
class AttachToInvoice(Operation):
    """Put a file on a draft, its name marked with the step's reference.

    Payload: `remote_invoice`, unless an earlier step makes the draft; `file_name`, `sha256`; the
    row `file` and its `document`, or `held` (see `flows.held`). The mark is no other step's, so
    the files that are there need not be listed before.
    """

    name = "attach_to_invoice"
    scopes = ("invoices:read", "invoices:write")
    label = gettext_lazy("File attached")
    object_type = "attachment"
    sends_file = True
    referenced = True
    by_filter = True

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{invoice_of(ctx)}/attachments"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        keeper = attaching if "document" in ctx.payload else held
        file = keeper.outgoing(ctx.payload, name=_marked_name(ctx))
        return _done(bokio.attachments.create(invoice_of(ctx), file))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        marked = F("fileName").contains(ctx.reference)
        found = bokio.attachments.list(invoice_of(ctx), marked)
        return exactly_one(map(_done, found), what=str(_("file")))

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        """A person may have put the file there under its own name."""
        found = bokio.attachments.get(invoice_of(ctx), remote_id)
        equal = found.name in {_marked_name(ctx), ctx.payload["file_name"]}
        return equal_or_unclear(_done(found), equal=equal, why=_("The file has another name."))

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        if "file" not in ctx.payload:
            return []
        return [Change(Attachment, ctx.payload["file"], {"remote_id": done.remote_id})]

    def apply(self, ctx: StepContext, done: Done) -> None:
        if "held" in ctx.payload:
            held.release(ctx.payload)


@register
class DeleteAttachment(Delete):
    """Take a file off a draft. Payload: `remote_invoice`, `attachment`; the row `file`, if any."""

    name = "delete_attachment"
    scopes = ("invoices:read", "invoices:write")
    label = gettext_lazy("File taken off")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        return bokio.attachments.get(remote(ctx, "remote_invoice"), remote(ctx, "attachment"))

    def address(self, ctx: StepContext) -> str:
        return "DELETE invoices/{remote_invoice}/attachments/{attachment}".format(**ctx.payload)

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.attachments.delete(remote(ctx, "remote_invoice"), remote(ctx, "attachment"))

    def apply(self, ctx: StepContext, done: Done) -> None:
        if "file" in ctx.payload:
            attaching.forget(remote(ctx, "file"))


for _operation in (AttachToInvoice, DeleteAttachment):
    register_kind(_operation.name, _operation.label)


def _marked_name(ctx: StepContext) -> str:
    name = PurePosixPath(ctx.payload["file_name"])
    return with_reference(name.stem, ctx.reference, longest=LONGEST_STEM) + name.suffix


def _done(found: RemoteAttachment) -> Done:
    return Done({"remote_id": str(found.id), "name": found.name}, remote_id=str(found.id))
