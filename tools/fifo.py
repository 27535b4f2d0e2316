"""Workers that take the oldest flow of all, for comparison: `bokio_app.worker --app tools.fifo`.

This is what one queue for everybody amounts to. The product itself has no such switch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import django

from bokio_app.celery import app

if TYPE_CHECKING:
    from uuid import UUID

    from bokio_app.flows.models import Flow

__all__ = ["app"]


def _take_the_oldest() -> None:
    from bokio_app.flows import crew  # noqa: PLC0415  after Django's setup
    from bokio_app.flows.claim import claim, due_flows, held_elsewhere  # noqa: PLC0415

    def claim_the_oldest(connection_id: UUID, *, urgent: bool = False) -> Flow | None:
        """A flow of the connection only if none of any other has waited longer."""
        oldest = due_flows().exclude(held_elsewhere()).order_by("pk").first()
        if oldest is None or oldest.connection_id != connection_id:
            return None
        return claim(connection_id, urgent=urgent)

    crew.claim = claim_the_oldest


django.setup()
_take_the_oldest()
