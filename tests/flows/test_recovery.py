"""After a restore of the database: what it has forgotten is read at Bokio, and made once only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import transaction

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import engine
from bokio_app.flows import services as flows
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Attempt, Flow, FlowState, RemoteBinding, Step, WaitReason
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments import services as payments
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import User
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.fault

# What flows write, parents first.
KEPT: tuple[Any, ...] = (Customer, Invoice, Payment, Settlement, Flow, Step, RemoteBinding, Attempt)


class Backup:
    """What the database held of work at one moment, and the way back to it."""

    def __init__(self) -> None:
        self._rows = [serializers.serialize("json", model.objects.all()) for model in KEPT]

    def restore(self) -> None:
        """Forget what was written since; the workers are gone with it."""
        with transaction.atomic():
            for model in reversed(KEPT):
                model.objects.all().delete()
            for rows in self._rows:
                for each in serializers.deserialize("json", rows):
                    each.save()
        call_command("recover", reason="restored from backup")


@pytest.fixture(autouse=True)
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let a moment pass on the product's clock."""
    real, ahead = clock.now, [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: real() + ahead[0])

    def move() -> None:
        ahead[0] += timedelta(milliseconds=200)

    return move


def work(connection: Connection, pass_time: Callable[[], None]) -> None:
    """Be the workers until no flow moves by itself."""
    for _turn in range(300):
        if not Flow.objects.filter(connection=connection, state__in=["ready", "running"]).exists():
            return
        if flow := claim(connection.pk):
            engine.run(flow, until=clock.now() + timedelta(seconds=60))
        else:
            pass_time()
    raise AssertionError(list(Flow.objects.values_list("kind", "state", "wait_reason")))


def test_work_that_a_restore_has_forgotten_is_adopted_and_not_done_again(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    pass_time: Callable[[], None],
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(invoice, by=person)
    before_sending = Backup()
    work(connection, pass_time)
    sent = sandbox.calls()["counts"]

    before_sending.restore()
    work(connection, pass_time)

    writes = ("post-customer", "post-invoice", "post-invoices-invoiceId-publish")
    for call in (*writes, "record-invoice-with-id"):
        assert sandbox.count(call) == sent[call] == 1, call
    invoice = Invoice.objects.get(pk=invoice.pk)
    assert (invoice.status, invoice.is_recorded) == ("published", True)

    payments.register(invoice, bokio.guide_payment(), by=person, request_key=str(uuid4()))
    before_paying = Backup()
    work(connection, pass_time)
    before_paying.restore()
    work(connection, pass_time)

    assert Invoice.objects.get(pk=invoice.pk).status == "paid"
    assert_guide_is_booked(sandbox, connection)


def test_what_was_not_yet_done_is_done_once_absence_is_certain(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    pass_time: Callable[[], None],
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    flow, _started = invoicing.start_sending(invoice, by=person)
    Backup().restore()
    claimed = claim(connection.pk)
    assert claimed
    engine.run(claimed, until=clock.now() + timedelta(seconds=60))
    flow = Flow.objects.get(pk=flow.pk)

    assert (flow.state, flow.wait_reason) == (FlowState.READY, WaitReason.CHECKING)
    assert not sandbox.books(str(connection.company_id))["customers"]

    work(connection, pass_time)

    assert Invoice.objects.get(pk=invoice.pk).is_recorded
    assert sandbox.count("post-invoice") == 1


def test_new_work_of_a_company_waits_until_its_open_runs_are_read_for(
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
    pass_time: Callable[[], None],
) -> None:
    old, _started = invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    Backup().restore()
    Connection.objects.filter(pk=connection.pk).update(scopes=[])  # not known: Bokio would tell
    # The old run is not due yet, so a worker meets the new one first.
    Flow.objects.filter(pk=old.pk).update(not_before=clock.now() + timedelta(seconds=2))
    rows = [{"account": 1930, "debit": "1.00", "credit": "0"}]
    rows.append({"account": 6570, "debit": "0", "credit": "1.00"})
    payload = {"title": "Nytt", "date": str(clock.today()), "rows": rows}
    new, _started = flows.start(
        "write_journal_entry",
        connection=connection,
        steps=[flows.NewStep("write_journal_entry", payload)],
        business_key="new",
        by=person,
    )

    claimed = claim(connection.pk)
    assert claimed == new
    engine.run(claimed, until=clock.now() + timedelta(seconds=60))

    new.refresh_from_db()
    assert (new.state, new.wait_reason) == (FlowState.READY, WaitReason.RECOVERY)
    assert sandbox.count("post-journalentry") == 0
