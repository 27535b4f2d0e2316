"""Everything killed at once, as by a power cut: queued work goes on when it is started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bokio_app.connections.services import SCOPES
from tests.support.net import wait_until
from tests.support.processes import Stack
from tests.support.sandbox import Tokens

QUEUED = 8
PATIENCE = 120

CONNECT_AND_QUEUE = """
from uuid import UUID
from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State
from bokio_app.core import clock
from bokio_app.invoicing import services
from tests.support import bokio, make

person = make.member()
connection = Connection.objects.create(
    tenant=person.memberships.get().tenant, company_id=UUID("{company}"),
    remote_id=UUID("{connection}"), state=State.BROKEN, name="Bolaget",
)
tokens = Tokens(
    access_token="{access}", refresh_token="{refresh}", expires_in=3600,
    company_id=connection.company_id, connection_id=connection.remote_id,
)
grants.store(connection, tokens, after=0)
Connection.objects.update(state=State.ACTIVE)
make.fiscal_year(connection)
for _ in range({queued}):
    services.start_sending(bokio.guide_draft(connection, by=person), by=person)
"""


def queue(stack: Stack, tokens: Tokens) -> None:
    """Connect the company and start so many flows, in a process of the stack."""
    code = CONNECT_AND_QUEUE.format(
        company=tokens.company_id,
        connection=tokens.connection_id,
        access=tokens.access_token,
        refresh=tokens.refresh_token,
        queued=QUEUED,
    )
    stack.manage("shell", "--no-imports", "-c", code)


@pytest.mark.fault
@pytest.mark.slow
def test_queued_flows_survive_a_kill_of_every_process_and_happen_once(tmp_path: Path) -> None:
    with Stack(tmp_path, companies=1, env={"TIME_FACTOR": "0.05"}) as stack:
        stack.start()
        company = stack.sandbox.companies()[0]["id"]
        # The second invoice is created at Bokio, and everything dies before its answer is read.
        hold = stack.sandbox.add_fault("post-invoice", "hold_after", nth=2)
        stack.worker.kill()
        queue(stack, stack.sandbox.tokens_for(company, SCOPES))
        stack.worker.start(wait=False)
        stack.sandbox.wait_held(hold)

        everything = [stack.worker, stack.beat, stack.web, stack.broker]
        for program in everything:
            assert program is not None
            program.kill()
        stack.sandbox.stop(kill=True)
        stack.sandbox.start()
        for program in reversed(everything):
            assert program is not None
            program.start()

        def recorded() -> int:
            return len(stack.sandbox.books(company)["journalEntries"])

        wait_until(lambda: recorded() >= QUEUED, what="all is recorded", seconds=PATIENCE)
        books = stack.sandbox.books(company)
        assert recorded() == QUEUED
        assert len(books["invoices"]) == QUEUED
        assert {each["totalAmount"] for each in books["invoices"]} == {64625}
