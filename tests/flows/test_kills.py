"""Worker processes killed with SIGKILL around every remote call: one of everything is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection as database

from bokio_app.connections.models import Connection
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.flows.books import assert_guide_is_booked
from tests.support import bokio
from tests.support.net import wait_until
from tests.support.processes import Program
from tests.support.sandbox import SandboxProcess
from tools import programs

FACTOR = "0.04"
SENDING = [
    "get-customer",
    "post-customer",
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "record-invoice-with-id",
]
PAYING = [
    "get-invoice-settlements",
    "post-invoice-settlement",
    "record-invoice-settlement-with-id",
    "get-invoice-payments",
    "post-invoice-payment",
    "record-invoice-payment-with-id",
]


@pytest.fixture
def workers(
    tmp_path: Path, sandbox: SandboxProcess, connection: Connection
) -> Iterator[list[Program]]:
    """Two real workers on the test's own database, which find work by looking at the rows."""
    database_name = str(database.settings_dict["NAME"])
    env = dict(os.environ) | {
        "TIME_FACTOR": FACTOR,
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": "",
        "BOKIO_API_URL": sandbox.api_url,
        "BOKIO_CLIENT_ID": sandbox.client_id,
        "BOKIO_CLIENT_SECRET": sandbox.client_secret,
    }
    if django_settings.EMBEDDED:
        (tmp_path / "app.sqlite3").symlink_to(database_name)
    else:
        env["DATABASE_URL"] = env["DATABASE_URL"].rpartition("/")[0] + f"/{database_name}"

    def made(name: str) -> Program:
        return Program(
            name,
            programs.worker(threads=2, name=name),
            env=env,
            log=tmp_path / f"{name}.log",
            ready=lambda it: it.said(f"{name}@", "ready."),
        )

    both = [made("one").start(wait=False), made("two").start(wait=False)]
    yield both
    for program in both:
        program.kill()


def at_work(workers: Sequence[Program], connection: Connection) -> Program:
    """The worker that has a flow of the company."""
    running = Flow.objects.get(connection=connection, state=FlowState.RUNNING)
    return next(each for each in workers if f":{each.pid}:" in running.lease_owner)


def killed_at_each(
    calls: Sequence[str],
    hold: str,
    *,
    workers: Sequence[Program],
    sandbox: SandboxProcess,
    connection: Connection,
    begin: Callable[[], object],
) -> None:
    """Hold each call in turn and kill the worker whose call it is: the other one goes on, while
    a new one starts.
    """
    for number, call in enumerate(calls):
        fault = sandbox.add_fault(call, hold)
        if number == 0:
            begin()
        sandbox.wait_held(fault)
        victim = at_work(workers, connection)
        victim.kill()
        victim.start(wait=False)


def all_done(connection: Connection) -> bool:
    return not Flow.objects.filter(connection=connection).exclude(state="done").exists()


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("hold", ["hold_before", "hold_after"])
def test_a_worker_killed_at_every_call_leaves_one_of_everything(
    hold: str,
    workers: list[Program],
    sandbox: SandboxProcess,
    connection: Connection,
    person: User,
) -> None:
    invoice = bokio.guide_draft(connection, by=person)

    killed_at_each(
        SENDING,
        hold,
        workers=workers,
        sandbox=sandbox,
        connection=connection,
        begin=lambda: invoicing.start_sending(invoice, by=person),
    )
    wait_until(lambda: all_done(connection), what="the invoice is sent and read", seconds=60)
    invoice = Invoice.objects.get(pk=invoice.pk)
    killed_at_each(
        PAYING,
        hold,
        workers=workers,
        sandbox=sandbox,
        connection=connection,
        begin=lambda: payments.register(
            invoice, bokio.guide_payment(), by=person, request_key=str(uuid4())
        ),
    )
    wait_until(lambda: all_done(connection), what="the payment is in the books", seconds=60)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.open_amount) == ("paid", 0)
    assert_guide_is_booked(sandbox, connection)
