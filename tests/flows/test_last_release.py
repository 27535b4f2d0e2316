"""A deploy in mid-flow: rows of the last release, frozen as it left them, end under this code.

`frozen/release.json` holds the rows that commit 866ef05 wrote for its flows against a sandbox, with
its own schema, and what the books then held. They are put into a database of that schema and
migrated, and the same things are made in this test's sandbox.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.customers import Customer as RemoteCustomer
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.settlements import SettlementDraft
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, TokenGrant
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState, Step
from bokio_app.flows.tasks import sweep
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import User
from tests.support import bokio
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.fault

FROZEN = Path(__file__).parent / "frozen" / "release.json"
FROZEN_DAY = "2026-11-21"
RELEASE = [
    ("tenants", "0001_initial"),
    ("audit", "0002_initial"),
    ("connections", "0002_initial"),
    ("flows", "0001_initial"),
    ("ledger", "0001_initial"),
    ("invoicing", "0002_initial"),
    ("payments", "0002_initial"),
]


@pytest.fixture
def old_models(transactional_db: None) -> Iterator[Any]:
    """The database as the last release's migrations leave it; afterwards as it was."""
    executor = MigrationExecutor(database)
    executor.migrate([*RELEASE, ("batches", None)])
    yield executor.loader.project_state(RELEASE).apps
    migrate_to_this_release()


def migrate_to_this_release() -> None:
    executor = MigrationExecutor(database)
    executor.migrate(executor.loader.graph.leaf_nodes())


def put(rows: list[Any], models: Any) -> None:
    """Insert rows as they stand, with the models of their own time."""
    for row in rows:
        model = models.get_model(row["model"])
        values = {"pk": model._meta.pk.to_python(row["pk"])}
        for name, value in row["fields"].items():
            field = model._meta.get_field(name)
            if not field.many_to_many:
                is_json = field.get_internal_type() == "JSONField"
                values[field.attname] = value if is_json else field.to_python(value)
        model.objects.bulk_create([model(**values)])  # as it stands, with the times it had


def count_on() -> None:
    """Let the databases' own counters begin after the rows that were put there."""
    models = [model for model in apps.get_models() if model.__module__.startswith("bokio_app")]
    with database.cursor() as cursor:
        for statement in database.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


class Books:
    """What the frozen books held, made anew; `ids` says what each thing is called now."""

    def __init__(self, client: Bokio, books: Any) -> None:
        self.client, self.books = client, books
        self.ids: dict[str, str] = {}

    def make(self) -> None:
        for each in self.books["customers"]:
            remote = RemoteCustomer.from_json(each)
            draft = CustomerDraft(
                name=remote.name, org_number=remote.org_number, address=remote.address
            )
            self.ids[each["id"]] = str(self.client.customers.create(draft).id)
        for each in self.books["invoices"]:
            self._invoice(each)
        for each in self.books["settlements"]:
            details = each["invoiceSettlementDetails"]
            draft = SettlementDraft(
                type=each["type"], date=clock.today(), amount=Decimal(details["sumBaseCurrency"])
            )
            invoice_id = UUID(self.ids[each["invoiceId"]])
            made = self.client.settlements.create(invoice_id, draft)
            self.client.settlements.record(invoice_id, made.id)
            self.ids[each["id"]] = str(made.id)

    def _invoice(self, frozen: Any) -> None:
        known = json.dumps(frozen)
        for old, new in self.ids.items():
            known = known.replace(old, new)
        remote = RemoteInvoice.from_json({"totalAmount": 0, "currency": "SEK", **json.loads(known)})
        lines = tuple(replace(each, id=None) for each in remote.line_items)
        draft = InvoiceDraft(
            customer_id=remote.customer_id or UUID(int=0),
            invoice_date=clock.today(),
            due_date=clock.today() + timedelta(days=30),
            line_items=lines,
            metadata=remote.metadata,
        )
        made = self.client.invoices.create(draft)
        self.ids[frozen["id"]] = str(made.id)
        if remote.number:
            self.client.invoices.publish(made.id)
        if remote.journal_entry_id:
            recorded = self.client.invoices.record(made.id)
            self.ids[str(remote.journal_entry_id)] = str(recorded.journal_entry_id)


def connect(sandbox: SandboxProcess, rows: list[Any]) -> tuple[Any, dict[str, str]]:
    """Tokens of this sandbox for the frozen connection, and what the company is called here."""
    [frozen] = [row["fields"] for row in rows if row["model"] == "connections.connection"]
    tokens = sandbox.tokens_for(sandbox.companies()[0]["id"], frozen["scopes"])
    named = {frozen["company_id"]: tokens.company_id, frozen["remote_id"]: tokens.connection_id}
    return tokens, named


def test_rows_of_the_last_release_end_under_this_one(
    sandbox: SandboxProcess, old_models: Any
) -> None:
    text = FROZEN.read_text().replace(f'"{FROZEN_DAY}"', f'"{clock.today()}"')
    frozen = json.loads(text)
    tokens, ids = connect(sandbox, frozen["rows"])
    client = Bokio(
        Http(sandbox.api_url, access_token=tokens.access_token),
        UUID(tokens.company_id),
    )
    books = Books(client, frozen["books"])
    books.make()
    for old, new in {**ids, **books.ids}.items():
        text = text.replace(old, new)
    put(json.loads(text)["rows"], old_models)
    sandbox.clear_calls()

    migrate_to_this_release()
    count_on()
    connection = Connection.objects.get()
    TokenGrant.sealed(
        connection,
        generation=1,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=clock.now() + timedelta(hours=1),
    ).save()
    grants.access(connection)
    states = Counter(Flow.objects.exclude(kind__startswith="read_").values_list("state", flat=True))
    assert set(states) == {"done", "ready", "running", "parked", "stuck", "cancelled"}
    Flow.objects.filter(state=FlowState.READY).update(not_before=clock.now())
    sweep()
    bokio.work(connection)
    flows.retry(Flow.objects.get(state=FlowState.STUCK), by=User.objects.get())
    bokio.work(connection)

    assert set(Flow.objects.values_list("state", flat=True)) == {"done", "cancelled"}
    held = sandbox.books(tokens.company_id)
    assert len(held["invoices"]) == 7  # all but the cancelled one, each once
    assert {each["status"] for each in held["invoices"]} == {"published", "paid"}
    assert all(each["journalEntryRef"] for each in held["invoices"])
    assert [len(held[kind]) for kind in ("payments", "settlements")] == [1, 1]
    assert len(held["journalEntries"]) == 9
    assert sandbox.count("post-invoice") == 3  # what had been made was found, not made again
    found = Step.objects.get(flow__business_key=lost_answer(), op="create_invoice")
    assert found.resolved_by == "proof"
    done = Invoice.objects.get(number="1001")
    assert invoicing.start_sending(done, by=User.objects.get())[1] is False


def lost_answer() -> str:
    """The invoice whose answer was lost with the worker of the last release."""
    return str(Invoice.objects.get(customer__name="sent AB").pk)
