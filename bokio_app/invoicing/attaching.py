"""What people can do with the files of a draft: attach one, take one off again."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from bokio_app.audit.services import record
from bokio_app.bokio.attachments import LARGEST_ATTACHMENT
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.files import OutgoingFile
from bokio_app.connections.models import State
from bokio_app.documents import services as documents
from bokio_app.documents.models import Document
from bokio_app.flows import services as flows
from bokio_app.flows.decisions import HANDLED
from bokio_app.flows.models import Flow, Step
from bokio_app.tenants.models import User

from .attached import Attachment
from .models import Invoice
from .pictures import pixels
from .queries import OPEN_STATES

ATTACH, DETACH = "attach_to_invoice", "delete_attachment"
LARGEST_TOGETHER: Final = 10 * 1024 * 1024  # bytes of all files of one invoice
TOO_WIDE, TOO_HIGH = 4960, 7016  # pixels
ENDINGS: Final = {
    documents.PDF: (".pdf",),
    documents.JPEG: (".jpg", ".jpeg"),
    documents.PNG: (".png",),
}
LONGEST_STEM: Final = 180  # leaves room for a step's mark
WHY: Final = {
    "none": _("Choose a file first."),
    "empty": _("The file is empty. Nothing was kept."),
    "too_large": _("The file is larger than 4 MB, more than Bokio takes. Nothing was kept."),
    "too_much": _("The invoice's files would be more than 10 MB together. Nothing was kept."),
    "type": _("The file is no PDF, JPEG or PNG, whatever its name says. Nothing was kept."),
    "broken": _("The picture cannot be read: it may be cut off. Nothing was kept."),
    "pixels": _(
        "The picture has too many pixels: Bokio takes less than 4960 across and 7016 down. "
        "Nothing was kept."
    ),
    "published": _("Bokio takes files only while the invoice is a draft."),
    "ended": _("The company is disconnected: its files can be read but not changed."),
    "busy": _(
        "A run works on the invoice. Its files can be changed when the run has ended or is "
        "cancelled."
    ),
}
UNFIT: Final = re.compile(r'["\\/]')  # a form has no one way to write these in a name


class NotAttachable(Exception):
    """The file is not taken, or the invoice takes none. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def attach(
    invoice: Invoice, *, name: str, content: bytes, by: User, request_key: str
) -> Attachment:
    """Keep a file for a draft. What Bokio has not yet gets it as a step of its sending; what it
    has, by a flow at once.

    The same file sent again by the same form is kept once. Raises `NotAttachable`, and then
    nothing is kept.
    """
    media_type = require_fit(content)
    digest = sha256(content).hexdigest()
    pk = uuid5(invoice.pk, f"{request_key}:{digest}")
    with transaction.atomic():
        invoice = _locked(invoice)
        if found := Attachment.objects.filter(pk=pk).first():
            return found
        if code := hindrance(invoice):
            raise NotAttachable(code)
        of_invoice = Document.objects.filter(attachment__invoice=invoice)
        held: int = of_invoice.aggregate(sum=Sum("size"))["sum"] or 0
        if held + len(content) > LARGEST_TOGETHER:
            raise NotAttachable("too_much")
        document = documents.keep(
            invoice.connection,
            Document.Kind.ATTACHMENT,
            str(pk),
            name=_fit_name(name, media_type),
            content=content,
        )
        made = Attachment.objects.create(pk=pk, invoice=invoice, document=document, added_by=by)
        _record("invoice.file_added", invoice, by=by)
        if not invoice.is_ours:
            [step] = steps_of(invoice, only=pk)
            _start(ATTACH, invoice, step, key=pk, by=by)
    return made


def detach(invoice: Invoice, attachment_id: UUID, *, by: User) -> Flow | None:
    """Take a file off a draft: at once while it is ours alone, else by the flow returned.

    One that is gone already is what was wanted. Raises `NotAttachable`.
    """
    with transaction.atomic():
        invoice = _locked(invoice)
        row = invoice.attachments.filter(pk=attachment_id).first()
        if row is None:
            return None
        if code := hindrance(invoice):
            raise NotAttachable(code)
        if not row.is_at_bokio:
            _record("invoice.file_removed", invoice, by=by)
            Document.objects.filter(attachment=row).delete()
            return None
        payload = {
            "file": str(row.pk),
            "remote_invoice": invoice.remote_id,
            "attachment": row.remote_id,
        }
        return _start(DETACH, invoice, flows.NewStep(DETACH, payload), key=row.pk, by=by)


def require_fit(content: bytes) -> str:
    """The media type of what Bokio takes, told by the content alone. Raises `NotAttachable`."""
    if not content:
        raise NotAttachable("empty")
    if len(content) > LARGEST_ATTACHMENT:
        raise NotAttachable("too_large")
    media_type = documents.type_of(content)
    if media_type not in ENDINGS:
        raise NotAttachable("type")
    if media_type != documents.PDF:
        size = pixels(content)
        if size is None:
            raise NotAttachable("broken")
        if size.width >= TOO_WIDE or size.height >= TOO_HIGH:
            raise NotAttachable("pixels")
    return media_type


def hindrance(invoice: Invoice) -> str:
    """Why the invoice takes no files now; empty if it does. `connection` is at hand."""
    if not invoice.is_draft or invoice.is_gone:
        return "published"
    if invoice.connection.state == State.ENDED:
        return "ended"
    at_work = Flow.objects.filter(
        tenant_id=invoice.tenant_id, resource_key=invoice.resource_key, state__in=OPEN_STATES
    )
    return "busy" if at_work.exists() else ""


def steps_of(invoice: Invoice, *, only: UUID | None = None) -> list[flows.NewStep]:
    """The steps that send the files that Bokio does not have yet, in the order of their coming.
    One that a person has seen to in Bokio itself is not sent again to that draft.
    """
    rows = invoice.attachments.filter(remote_id="", **({"pk": only} if only else {}))
    return [
        flows.NewStep(
            ATTACH,
            {
                "file": str(row.pk),
                "remote_invoice": invoice.remote_id,
                "document": str(row.document.pk),
                "file_name": row.document.name,
                "sha256": row.document.sha256,
            },
        )
        for row in rows.exclude(pk__in=_handled(invoice))
        .select_related("document")
        .defer("document__content")
    ]


def _handled(invoice: Invoice) -> list[str]:
    """The files that a person has put on this very draft in Bokio, after a run had stopped."""
    if invoice.is_ours:
        return []
    steps = Step.objects.filter(
        flow__connection_id=invoice.connection_id,
        flow__resource_key=invoice.resource_key,
        op=ATTACH,
        skip_reason=HANDLED,
    )
    payloads = steps.values_list("payload", flat=True)
    return [each["file"] for each in payloads if each["remote_invoice"] == invoice.remote_id]


def outgoing(payload: dict[str, Any], *, name: str) -> OutgoingFile:
    """The document that a payload names, as it goes to Bokio. Raises `Unsendable`."""
    row = Document.objects.filter(pk=payload["document"]).first()
    if row is None:
        raise Unsendable("The file to send is no longer kept.", code="file-gone")
    if row.sha256 != payload["sha256"]:
        raise Unsendable("The file to send is not the one that was chosen.", code="file-changed")
    return OutgoingFile(name, bytes(row.content))


def forget(attachment_id: UUID) -> None:
    """Bokio no longer has the file: ours goes too."""
    Document.objects.filter(attachment=attachment_id).delete()


def forget_all(invoice: Invoice) -> None:
    """Erase the files of a draft that is deleted, in the caller's transaction."""
    Document.objects.filter(attachment__invoice=invoice).delete()


def _locked(invoice: Invoice) -> Invoice:
    rows = Invoice.objects.select_for_update(of=("self",))
    return rows.select_related("connection").get(pk=invoice.pk)


def _start(kind: str, invoice: Invoice, step: flows.NewStep, *, key: UUID, by: User) -> Flow:
    flow, _new = flows.start(
        kind,
        connection=invoice.connection,
        steps=[step],
        business_key=str(key),
        resource_key=invoice.resource_key,
        by=by,
    )
    return flow


def _fit_name(name: str, media_type: str) -> str:
    """The file's name, without folders, as Bokio takes it: its ending is that of its type."""
    last = name.replace("\\", "/").rpartition("/")[2]
    path = PurePosixPath("".join(each for each in UNFIT.sub("", last) if each.isprintable()))
    endings = ENDINGS[media_type]
    suffix = path.suffix if path.suffix.lower() in endings else endings[0]
    return f"{path.stem.strip()[:LONGEST_STEM] or 'file'}{suffix}"


def _record(action: str, invoice: Invoice, *, by: User) -> None:
    record(action, tenant=invoice.tenant_id, subject="invoice", subject_id=invoice.pk, actor=by)
