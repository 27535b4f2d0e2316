"""What a payment's own rows hold when a reading meets it at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection as database
from django.db import connections, transaction

from bokio_app.core import clock
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Step, StepState
from bokio_app.flows.operations import Done
from bokio_app.flows.turn import Turn
from bokio_app.invoicing.models import Invoice
from bokio_app.payments.models import Payment, Settlement
from tests.support import make
from tests.support.net import wait_until

PATIENCE = 30.0


def wanted(kind: str, invoice: Invoice, **fields: str) -> Payment | Settlement:
    facts = {"invoice": invoice, "date": clock.today(), "amount": Decimal(100), **fields}
    if kind == "payment":
        return Payment.objects.create(account=1930, **facts)
    return Settlement.objects.create(type=Settlement.Type.BANK_FEE, **facts)


def answered(kind: str, invoice: Invoice, mine: Payment | Settlement) -> Turn:
    """A worker whose first step has been answered with `r1`, and is not yet committed."""
    ops = [f"create_{kind}", f"record_{kind}"]
    made = make.flow(invoice.connection, ops=ops, resource_key=invoice.resource_key)
    made.steps.update(payload={"invoice": str(invoice.pk), kind: str(mine.pk)})
    flow = claim(invoice.connection_id)
    assert flow
    turn = Turn.begin(flow)
    turn.intend(turn.steps[0])
    turn.learn(turn.steps[0], Done({"remote_id": "r1"}, remote_id="r1"), by="response")
    return turn


def somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["payment", "settlement"])
def test_a_copy_that_a_reading_has_made_gives_way_to_our_own_row(kind: str) -> None:
    invoice = make.invoice(make.connection())
    mine = wanted(kind, invoice)
    turn = answered(kind, invoice, mine)
    wanted(kind, invoice, remote_id="r1", journal_entry_id="e1")

    turn.intend(turn.steps[1])

    [kept] = type(mine).objects.filter(invoice=invoice)
    assert (kept.pk, kept.remote_id) == (mine.pk, "r1")


@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["payment", "settlement"])
def test_a_copy_that_a_reading_makes_while_the_answer_is_written_gives_way_too(kind: str) -> None:
    invoice = make.invoice(make.connection())
    mine = wanted(kind, invoice)
    turn = answered(kind, invoice, mine)
    holds = Barrier(2, timeout=PATIENCE)

    def read() -> None:
        try:
            with transaction.atomic():
                Invoice.objects.select_for_update().get(pk=invoice.pk)
                wanted(kind, invoice, remote_id="r1", journal_entry_id="e1")
                holds.wait()
                wait_until(somebody_waits, what="the step waits", seconds=PATIENCE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read)
        holds.wait()
        turn.intend(turn.steps[1])
        reading.result()

    [kept] = type(mine).objects.filter(invoice=invoice)
    assert (kept.pk, kept.remote_id) == (mine.pk, "r1")
    states = [step.state for step in Step.objects.order_by("pos")]
    assert states == [StepState.DONE, StepState.SENT]
