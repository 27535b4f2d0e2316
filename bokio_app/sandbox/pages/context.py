"""What every page of the sandbox shows: who is signed in, where one can go, what is unusual."""

import uuid
from typing import Any

from django.http import HttpRequest

from bokio_app.sandbox import clock, faults, switches
from bokio_app.sandbox.models import Person
from bokio_app.sandbox.pages import menu

SESSION_KEY = "person"


def signed_in(request: HttpRequest) -> Person | None:
    """The person of the session, or None."""
    given = request.session.get(SESSION_KEY)
    return Person.objects.filter(uuid=uuid.UUID(given)).first() if given else None


def page(request: HttpRequest) -> dict[str, Any]:
    return {
        "person": signed_in(request) if hasattr(request, "session") else None,
        "areas": menu.AREAS,
        "company_menu": menu.COMPANY,
        "unusual": {
            "clock": clock.now() if clock.offset() else None,
            "faults": len(faults.ordered.all()),
            "switches": len(switches.changed()),
        },
    }
