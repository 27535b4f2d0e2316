"""Files that wait in the database until a step has sent them to Bokio."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.files import OutgoingFile

from .models import HeldFile


def hold(content: bytes, *, name: str, tenant_id: Any) -> dict[str, str]:
    """Keep a file in the caller's transaction and return what a payload says of it:
    `held` (the row), `file_name` and `sha256`.
    """
    digest = sha256(content).hexdigest()
    row = HeldFile.objects.create(tenant_id=tenant_id, name=name, sha256=digest, content=content)
    return {"held": str(row.pk), "file_name": name, "sha256": digest}


def outgoing(payload: dict[str, Any], *, name: str = "") -> OutgoingFile:
    """The file that a payload names, under its own or another name.

    Raises `Unsendable` when it is gone or no longer what it was.
    """
    row = HeldFile.objects.filter(pk=payload["held"]).first()
    if row is None:
        raise Unsendable("The file to send is no longer kept.", code="file-gone")
    content = bytes(row.content)
    if sha256(content).hexdigest() != payload["sha256"]:
        raise Unsendable("The file to send is not the one that was chosen.", code="file-changed")
    return OutgoingFile(name or payload["file_name"], content)


def release(payload: dict[str, Any]) -> None:
    """Bokio has the file: ours is no longer needed."""
    HeldFile.objects.filter(pk=payload["held"]).delete()
