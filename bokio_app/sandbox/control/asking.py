"""What every action of the control API is handed, and how it says no."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bokio_app.sandbox.models import Company
from bokio_app.sandbox.wire import Call

UUID = "([0-9a-fA-F-]{36})"


@dataclass(frozen=True)
class Ask:
    """A control call: its JSON body, and the parts of the path that vary."""

    call: Call
    body: Mapping[str, Any]
    parts: tuple[str, ...]

    def flag(self, name: str) -> bool:
        return bool(self.body.get(name, False))

    def text(self, name: str) -> str:
        return str(self.body.get(name) or "")

    def texts(self, name: str) -> list[str]:
        return [str(one) for one in self.body.get(name) or ()]


Action = Callable[[Ask], object]
Routes = tuple[tuple[str, str, Action], ...]
"""Method, pattern of the path below `/_sandbox/`, action."""


class Wrong(Exception):
    """400 with this message."""


class Missing(Exception):
    """404."""


def company(company_id: str) -> Company:
    """The company of this id. Raises `Missing`."""
    row = Company.objects.filter(uuid=uuid.UUID(company_id)).first()
    if row is None:
        raise Missing
    return row
