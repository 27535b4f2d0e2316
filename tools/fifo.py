"""Workers that take the oldest flow of all, for comparison: `bokio_app.worker --app tools.fifo`.

This is what one queue for everybody amounts to. The product itself has no such switch.
"""

from __future__ import annotations

from uuid import UUID

from bokio_app.celery import app
from bokio_app.flows import crew
from bokio_app.flows.claim import claim, due_flows, held_elsewhere
from bokio_app.flows.models import Flow

__all__ = ["app"]


def claim_the_oldest(connection_id: UUID, *, urgent: bool = False) -> Flow | None:
    """A flow of the connection only if none of any other has waited longer."""
    oldest = due_flows().exclude(held_elsewhere()).order_by("pk").first()
    if oldest is None or oldest.connection_id != connection_id:
        return None
    return claim(connection_id, urgent=urgent)


crew.claim = claim_the_oldest
