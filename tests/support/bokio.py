"""The product against a running sandbox, with workers that a test turns by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from bokio_app.bokio.http import Call
from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State
from bokio_app.connections.services import SCOPES
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.sync import start_reading
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.support import make
from tests.support.sandbox import SandboxProcess

PATIENCE = 60
PAUSE = 0.01  # seconds between two looks for work that is not due yet


def uncounted(_method: str, _path: str) -> Callable[[Call], None]:
    """Let a call of the test's own pass the limiter by: somebody else's, so to speak."""
    return lambda _call: None


def connect(
    sandbox: SandboxProcess, *, by: User, company: int = 0, scopes: Sequence[str] = SCOPES
) -> Connection:
    """Connect one of the sandbox's companies by consent and exchange, and read its books."""
    tenant = by.memberships.get().tenant
    found = sandbox.tokens_for(sandbox.companies()[company]["id"], scopes)
    connection = Connection.objects.create(
        tenant=tenant,
        company_id=UUID(found.company_id),
        remote_id=UUID(found.connection_id),
        state=State.BROKEN,
        scopes=list(scopes),
        created_by=by,
    )
    tokens = Tokens(
        access_token=found.access_token,
        refresh_token=found.refresh_token,
        expires_in=3600,
        company_id=UUID(found.company_id),
        connection_id=UUID(found.connection_id),
    )
    grants.store(connection, tokens, after=0)
    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
    connection.refresh_from_db()
    start_reading(connection, by=by, occasion="test")
    work(connection)
    return connection


def pause() -> None:
    """Wait a moment for what is not due yet."""
    time.sleep(PAUSE)


def work(connection: Connection, *, patience: float = PATIENCE) -> None:
    """Be the workers of this connection until no flow of it can move by itself."""
    ends = timezone.now() + timedelta(seconds=patience)
    open_flows = Flow.objects.filter(connection=connection, state__in=["ready", "running"])
    while open_flows.exists():
        assert timezone.now() < ends, [
            (flow.kind, flow.state, flow.wait_reason) for flow in open_flows
        ]
        if flow := claim(connection.pk):
            engine.run(flow, until=clock.now() + timedelta(seconds=60))
        else:
            pause()


def work_until(connection: Connection, reached: Callable[[], bool]) -> None:
    """Be the workers of this connection until something has come about, and no longer."""
    ends = timezone.now() + timedelta(seconds=PATIENCE)
    while not reached():
        assert timezone.now() < ends
        if flow := claim(connection.pk):
            engine.run(flow, until=clock.now() + timedelta(seconds=60))
        else:
            pause()


def guide_draft(connection: Connection, *, by: User) -> Invoice:
    """The invoice of Bokio's own guide: 180 h × 290 at 25 %, less 500 on account 3730."""
    lines = [
        invoicing.LineInput(
            description="Consultancy services",
            product="goods",
            quantity=Decimal(180),
            unit="hour",
            unit_price=Decimal(290),
        ),
        invoicing.LineInput(
            description="New user discount",
            product="goods",
            unit_price=Decimal(-500),
            account=3730,
        ),
    ]
    draft = invoicing.DraftInput(
        customer=make.customer(connection, name="John Doe", org_number="556016-0680"),
        invoice_date=clock.today(),
        due_date=None,
        your_reference="Jane Doe",
        lines=lines,
    )
    return invoicing.create_draft(connection, draft, by=by)


def guide_payment(day: date | None = None) -> payments.PaymentInput:
    """The guide's payment: 64,609.50 on account 1940, of which the bank had kept 15.50."""
    return payments.PaymentInput(
        date=day or clock.today(),
        amount=Decimal("64609.50"),
        account=1940,
        fee=Decimal("15.50"),
    )
