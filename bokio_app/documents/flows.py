"""The step that fetches a document. It changes nothing at Bokio, and can be repeated."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind

from . import services
from .models import Document
from .services import READ_DOCUMENT

register_kind(READ_DOCUMENT, _("Fetch document"))


@register
class ReadDocument(Operation):
    """Fetch a file and keep it. Payload: `kind`, `remote_id`, `name`."""

    name = READ_DOCUMENT
    scopes = ()
    label = _("Document fetched")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        remote_id = UUID(ctx.payload["remote_id"])
        if ctx.payload["kind"] == Document.Kind.CREDIT_NOTE:
            content = bokio.credit_notes.download(remote_id)
        else:
            content = bokio.invoices.download(remote_id)
        return Done({"name": ctx.payload["name"]}, read=content)

    def apply(self, ctx: StepContext, done: Done) -> None:
        payload = ctx.payload
        services.keep(
            ctx.flow.connection,
            payload["kind"],
            payload["remote_id"],
            name=payload["name"],
            content=done.read,
        )
