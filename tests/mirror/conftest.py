"""A connected company with a past.

The product is imported inside the fixture, because this file is read before its settings are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import SandboxProcess

if TYPE_CHECKING:
    from bokio_app.connections.models import Connection
    from bokio_app.tenants.models import User


@pytest.fixture
def with_past(sandbox: SandboxProcess, person: User, settings: Any) -> Callable[[int], Connection]:
    """Connect a company that has so many invoices; nothing but its books is read."""
    from tests.support import bokio

    def connect(invoices: int) -> Connection:
        settings.FLOW_DEADLINE = 5.0  # a page of a hundred takes a busy machine its time
        sandbox.reset(companies=1, history=invoices)
        connection = bokio.connect(sandbox, by=person)
        sandbox.clear_calls()
        return connection

    return connect
