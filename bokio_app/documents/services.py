"""Keeping and finding documents, and having one fetched."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState, Lane
from bokio_app.tenants.models import User

from .models import Document

READ_DOCUMENT = "read_document"
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
BEGINNINGS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
UNKNOWN_TYPE = "application/octet-stream"  # never shown, only saved
MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)


@dataclass(frozen=True)
class Standing:
    """What is known of a document: the row without its content, else the newest flow for it."""

    document: Document | None
    flow: Flow | None

    @property
    def is_moving(self) -> bool:
        return self.flow is not None and self.flow.is_moving

    @property
    def is_stuck(self) -> bool:
        return self.flow is not None and self.flow.state == FlowState.STUCK


def standing(connection: Connection, kind: str, remote_id: str) -> Standing:
    """Whether the document is here or on its way."""
    rows = Document.objects.filter(connection=connection, kind=kind, remote_id=remote_id)
    document = rows.defer("content").first()
    return Standing(document, None if document else _newest(connection, kind, remote_id))


def fetch(
    connection: Connection, kind: str, remote_id: str, *, name: str, by: User | None
) -> Flow | None:
    """Have a worker fetch it, unless it is here or on its way. `name` is that of the file."""
    found = standing(connection, kind, remote_id)
    if found.document:
        return None
    if found.flow and (found.is_moving or found.is_stuck):
        return found.flow
    payload = {"kind": kind, "remote_id": remote_id, "name": name}
    flow, _started = flows.start(
        READ_DOCUMENT,
        connection=connection,
        steps=[flows.NewStep(READ_DOCUMENT, payload)],
        business_key=_key(kind, remote_id) + clock.now().strftime("%y%m%d%H%M%S"),
        lane=Lane.CLICK,
        by=by,
    )
    return flow


def keep(
    connection: Connection, kind: str, remote_id: str, *, name: str, content: bytes
) -> Document:
    """Store what was fetched; what was there of it before is replaced."""
    document, _made = Document.objects.update_or_create(
        connection=connection,
        kind=kind,
        remote_id=remote_id,
        defaults={
            "tenant_id": connection.tenant_id,
            "name": name,
            "content_type": type_of(content),
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "content": content,
            "fetched_at": clock.now(),
        },
    )
    return document


def type_of(content: bytes) -> str:
    """The media type by the first bytes, whatever anybody says it is."""
    found = (kind for begins, kind in BEGINNINGS.items() if content.startswith(begins))
    return next(found, UNKNOWN_TYPE)


def _newest(connection: Connection, kind: str, remote_id: str) -> Flow | None:
    asked = Flow.objects.filter(
        tenant=connection.tenant_id,
        connection=connection,
        kind=READ_DOCUMENT,
        business_key__startswith=_key(kind, remote_id),
    )
    return asked.order_by("-pk").first()


def _key(kind: str, remote_id: str) -> str:
    """What the business keys of a document's flows begin with; the column holds 80 characters."""
    return f"{kind[:12]}:{remote_id[:50]}:"
