"""A database of five minutes ago, restored while Bokio went on: nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.batches import lines
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio
from tests.support.copies import DatabaseCopy
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.fault


def work(connection: Connection, pass_time: Callable[[timedelta], None]) -> None:
    """Be the workers until no flow of the company moves by itself."""
    for _turn in range(600):
        moving = Flow.objects.filter(connection=connection, state__in=["ready", "running"])
        if not moving.exists():
            return
        if flow := claim(connection.pk):
            engine.run(flow, until=clock.now() + timedelta(seconds=60))
        else:
            pass_time(timedelta(milliseconds=200))
    raise AssertionError(list(Flow.objects.values_list("kind", "state", "wait_reason")))


def stop_at(sandbox: SandboxProcess, operation: str, connection: Connection) -> None:
    """Have the next flow wait at this operation, as if Bokio asked it to."""
    told = {"status": 403, "code": "quota-exceeded", "headers": {"Retry-After": "3000"}}
    sandbox.add_fault(operation, "status", **told)
    before = sandbox.count(operation)
    bokio.work_until(connection, lambda: sandbox.count(operation) > before)
    Connection.objects.update(blocked_until=None)


def order(connection: Connection, number: int, **changes: Any) -> dict[str, Any]:
    """An invoice with two equal payments on purpose, and, every third time, a credit note."""
    day = clock.today().isoformat()
    payment = {"date": day, "amount": "100.00", "account": 1940, "record": True}
    fee = {"type": "bankFee", "date": day, "amount": "5.00", "record": True}
    unpaid = number % 3 == 0
    return lines.small(
        connection,
        f"A-{number}",
        settlements=[] if unpaid else [fee],
        payments=[] if unpaid else [payment, payment],
        credit={"publish": True, "record": True} if unpaid else None,
        **changes,
    )


def test_a_database_of_five_minutes_ago_doubles_nothing_when_bokio_went_on(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    pass_time: Callable[[timedelta], None],
    tmp_path: Path,
) -> None:
    first = [order(connection, number) for number in range(6)]
    old = lines.write(tmp_path / "old.jsonl", *first)
    new = lines.write(tmp_path / "new.jsonl", *(order(connection, n) for n in range(6, 10)))
    lines.run(old, connection)
    for operation in ("post-invoices-invoiceId-publish", "post-invoice-payment"):
        stop_at(sandbox, operation, connection)
    mine = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(mine, by=person)
    states = Counter(Flow.objects.values_list("cursor", flat=True))
    assert len(states) >= 3, states  # some have not begun, some are on their way

    with DatabaseCopy() as copy:
        Flow.objects.update(not_before=clock.now())
        work(connection, pass_time)
        lines.run(new, connection)
        work(connection, pass_time)
        mine.refresh_from_db()
        payments.register(mine, bokio.guide_payment(), by=person, request_key=str(uuid4()))
        work(connection, pass_time)
        went_on = facts(sandbox, connection)
        pass_time(timedelta(minutes=5))
        copy.restore()

    assert not Flow.objects.filter(bulk_line__reference="A-7").exists()
    call_command("recover", reason="The database of five minutes ago was restored.")
    Flow.objects.filter(state=FlowState.READY).update(not_before=clock.now())
    work(connection, pass_time)
    for path in (old, new):
        assert lines.run(path, connection).status == 0
    work(connection, pass_time)

    assert not Flow.objects.exclude(state=FlowState.DONE).exists()
    assert facts(sandbox, connection) == went_on
    assert Invoice.objects.exclude(remote_id="").count() == 11
    assert Invoice.objects.get(pk=mine.pk).status == "paid"


def test_a_payment_that_is_registered_again_after_a_restore_is_found_and_not_made_twice(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    pass_time: Callable[[timedelta], None],
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    work(connection, pass_time)
    invoice.refresh_from_db()
    with DatabaseCopy() as copy:
        payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
        work(connection, pass_time)
        copy.restore()

    call_command("recover", reason="The database of five minutes ago was restored.")
    payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    work(connection, pass_time)

    assert_guide_is_booked(sandbox, connection)
    assert Invoice.objects.get(pk=invoice.pk).status == "paid"


def facts(sandbox: SandboxProcess, connection: Connection) -> dict[str, Any]:
    """Everything of the books that doubled work would change."""
    books = sandbox.books(str(connection.company_id))
    kinds = ("customers", "invoices", "payments", "settlements", "journalEntries", "creditNotes")
    balances = {number: Decimal(amount) for number, amount in books["balances"].items()}
    references = Counter(each["metadata"].get("externalId") for each in books["invoices"])
    return {kind: len(books[kind]) for kind in kinds} | {"of": references, "at": balances}
