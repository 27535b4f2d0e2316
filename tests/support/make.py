"""Rows for tests, one small function per kind: `make.tenant()`, `make.invoice(connection)`.

What a test is about is given by name; everything else is filled in. Numbers rise from row to
row, so rows of one kind never collide.
"""

from __future__ import annotations

import itertools
import secrets
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bokio_app.connections.models import Connection, State, TokenGrant
from bokio_app.connections.services import SCOPES
from bokio_app.core import clock
from bokio_app.flows.models import Attempt, Flow, FlowState, Step, StepState
from bokio_app.invoicing.models import Customer, Invoice, Item, LineItem
from bokio_app.ledger.models import Account, FiscalYear
from bokio_app.tenants.models import Member, Tenant, User

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def tenant(name: str = "") -> Tenant:
    """A workspace."""
    number = next(_numbers)
    return Tenant.objects.create(name=name or f"Byrå {number}", slug=f"agency-{number}")


def user(email: str = "", *, password: str = "", **fields: Any) -> User:
    """A person. Without a password (hashing one takes time) use `client.force_login`."""
    number = next(_numbers)
    fields.setdefault("name", f"Person {number}")
    return User.objects.create_user(
        email or f"person{number}@example.com", password or None, **fields
    )


def member(of: Tenant | None = None, **fields: Any) -> User:
    """A person who is a member of the tenant, or of a new one."""
    person = user(**fields)
    Member.objects.create(tenant=of or tenant(), user=person)
    return person


def connection(of: Tenant | None = None, *, state: str = State.ACTIVE, **fields: Any) -> Connection:
    """A company of the tenant, with one pair of tokens that lasts an hour."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "company_id": uuid.uuid4(),
        "remote_id": uuid.uuid4(),
        "scopes": list(SCOPES),
        "generation": 1,
        "name": f"Bolaget {number} AB",
        "org_number": f"556677-{number:04d}",
        "read_at": clock.now(),
    }
    made = Connection.objects.create(tenant=of or tenant(), state=state, **(values | fields))
    grant(made)
    return made


def grant(of: Connection, *, lasts: timedelta = timedelta(hours=1)) -> TokenGrant:
    """Tokens of the connection's present generation."""
    row = TokenGrant.sealed(
        of,
        generation=of.generation,
        access_token=f"access-{secrets.token_hex(16)}",
        refresh_token=f"refresh-{secrets.token_hex(16)}",
        expires_at=clock.now() + lasts,
    )
    row.save()
    return row


def fiscal_year(
    of: Connection, year: int | None = None, *, method: str = "accrual", status: str = "open"
) -> FiscalYear:
    """A calendar year of the company's books; this year unless told."""
    year = year or clock.today().year
    return FiscalYear.objects.create(
        connection=of,
        remote_id=str(uuid.uuid4()),
        start=date(year, 1, 1),
        end=date(year, 12, 31),
        method=method,
        status=status,
    )


def account(of: Connection, number: int, name: str = "") -> Account:
    """An account of the company's chart."""
    return Account.objects.create(connection=of, number=number, name=name or f"Konto {number}")


def customer(of: Connection, **fields: Any) -> Customer:
    """A company with a full address, which Bokio does not have yet."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "name": f"Kund {number} AB",
        "org_number": f"556688-{number:04d}",
        "line1": "Storgatan 1",
        "postal_code": "111 22",
        "city": "Stockholm",
    }
    return Customer.objects.create(tenant_id=of.tenant_id, connection=of, **(values | fields))


def item(of: Connection, description: str = "", **fields: Any) -> Item:
    """An item that Bokio has: an hour of 1 000,00 with 25 % VAT."""
    values: dict[str, Any] = {
        "remote_id": str(uuid.uuid4()),
        "type": LineItem.Type.SALES,
        "product": LineItem.Product.SERVICES,
        "description": description or f"Timme {next(_numbers)}",
        "unit": LineItem.Unit.HOUR,
        "unit_price": Decimal("1000.00"),
    }
    return Item.objects.create(tenant_id=of.tenant_id, connection=of, **(values | fields))


def line(of: Invoice, **fields: Any) -> LineItem:
    """One sales row, 1 000,00 and 25 % VAT unless told; the caller's totals stay as they are."""
    values: dict[str, Any] = {
        "position": of.lines.count(),
        "description": "Rådgivning",
        "unit_price": Decimal("1000.00"),
    }
    return LineItem.objects.create(invoice=of, **(values | fields))


def invoice(
    of: Connection,
    *,
    lines: Sequence[dict[str, Any]] = ({},),
    by: User | None = None,
    **fields: Any,
) -> Invoice:
    """A draft with one row of 1 000,00. A status beyond draft brings the marks of being sent."""
    values: dict[str, Any] = {"created_by": by, "status": Invoice.Status.DRAFT} | fields
    values.setdefault("due_date", clock.today() + timedelta(days=30))
    if "customer" not in values:
        values["customer"] = customer(of)
    if values["status"] != Invoice.Status.DRAFT:
        number = next(_numbers)
        sent = {"remote_id": str(uuid.uuid4()), "number": str(number), "ocr": f"{number}17"}
        values = sent | {"published_at": clock.now()} | values
    made = Invoice.objects.create(tenant_id=of.tenant_id, connection=of, **values)
    for row in lines:
        line(made, **row)
    sums = made.totals()
    totals = {"net": sums.net, "tax": sums.tax, "total": sums.total, "open_amount": sums.total}
    for name, amount in totals.items():
        setattr(made, name, fields.get(name, amount))
    made.save()
    return made


def flow(
    of: Connection,
    *,
    kind: str = "send_invoice",
    ops: Sequence[str] = ("ensure_customer", "create_invoice", "publish_invoice", "record_invoice"),
    state: str = FlowState.READY,
    **fields: Any,
) -> Flow:
    """A flow with a pending step for each of `ops`; nothing rings for a worker."""
    values: dict[str, Any] = {
        "business_key": str(uuid.uuid4()),
        "request_key": str(uuid.uuid4()),
        "not_before": clock.now(),
    }
    made = Flow.objects.create(
        tenant_id=of.tenant_id, connection=of, kind=kind, state=state, **(values | fields)
    )
    done = state == FlowState.DONE
    Step.objects.bulk_create(
        Step(
            flow=made,
            pos=pos,
            op=op,
            payload={},
            state=StepState.DONE if done else StepState.PENDING,
        )
        for pos, op in enumerate(ops)
    )
    return made


def attempt(of: Step, *, outcome: str = Attempt.Outcome.SUCCESS, **fields: Any) -> Attempt:
    """One call for the step."""
    values: dict[str, Any] = {"number": of.attempts.count() + 1, "fence": 1, "status": 200}
    return Attempt.objects.create(step=of, outcome=outcome, **(values | fields))
