"""What becomes of a company's timetable when its workspace is erased."""

from __future__ import annotations

from bokio_app.connections import closing
from bokio_app.connections.models import Connection

from .models import Mirror


def erase(connection: Connection) -> None:
    """Erase the timetable: nothing is read again."""
    closing.erase_rows(Mirror.objects.filter(connection=connection))


closing.ERASERS.insert(0, erase)
