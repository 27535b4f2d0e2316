"""Companies with work to do, for benchmarks: made in a process of the stack that is measured.

busy, quiet = load.companies(stack, [300, 0])   # rows only: nothing is called for them
load.add_orders(stack, busy, 100)
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tests.support.processes import Stack
from tests.support.sandbox import SandboxProcess

SHELL = ("shell", "--no-imports", "-c")
CHUNK = 500  # orders per transaction
PATIENCE = 1800.0  # seconds; so many orders take minutes
CUSTOMER = {
    "name": "Kunden AB",
    "orgNumber": "556016-0680",
    "address": {
        "line1": "Storgatan 1",
        "postalCode": "111 22",
        "city": "Stockholm",
        "country": "SE",
    },
}


@dataclass(frozen=True)
class Company:
    """A connected company: at Bokio, here, and the customer of it that Bokio has."""

    remote_id: str
    connection_id: str
    tenant: str
    customer: str


def companies(
    stack: Stack, orders: Sequence[int], *, known: Sequence[bool] | None = None
) -> list[Company]:
    """Connect so many of the sandbox's companies, each with a token that nothing was called by,
    and give them orders: for a customer that Bokio has, or (`known` False) each for a new one.
    """
    sandbox = stack.sandbox
    wanted = []
    for company, count, has in zip(
        sandbox.companies(), orders, known or [True] * len(orders), strict=False
    ):
        remote_id = str(company["id"])
        tokens = asdict(sandbox.tokens_for(remote_id))
        customer = _customer_at_bokio(sandbox, remote_id)
        wanted.append({**tokens, "customer": customer, "count": count, "known": has})
    return [Company(**row) for row in _run(stack, "_make", wanted)]


def add_orders(stack: Stack, company: Company, count: int) -> None:
    """Further orders of seven calls each."""
    _run(stack, "_add_orders", {**asdict(company), "count": count, "known": True})


def _customer_at_bokio(sandbox: SandboxProcess, company: str) -> str:
    """A customer whom Bokio has, made with another token than ours."""
    made = sandbox.request(
        "POST",
        f"/v1/companies/{company}/customers",
        token=sandbox.private_token(company),
        json_body={**CUSTOMER, "type": "company"},
    )
    if made.status >= 300:
        raise RuntimeError(f"no customer: {made.status} {made.body!r}")
    return str(made.json["id"])


def _run(stack: Stack, function: str, values: object) -> Any:
    code = f"from tools import load; load.{function}({values!r})"
    return json.loads(stack.manage(*SHELL, code, seconds=PATIENCE).splitlines()[-1])


# --- Within the stack ------------------------------------------------------------------------
def _make(wanted: list[dict[str, Any]]) -> None:
    made = [connected(values) for values in wanted]
    for company, values in zip(made, wanted, strict=True):
        _keep_orders({**asdict(company), **values})
    print(json.dumps([asdict(company) for company in made]))


def connected(values: dict[str, Any]) -> Company:
    """Keep a connection with these tokens, in a workspace of its own."""
    from bokio_app.bokio.oauth import Tokens  # noqa: PLC0415  Django is set up only there
    from bokio_app.connections import grants  # noqa: PLC0415
    from bokio_app.connections.models import Connection, State  # noqa: PLC0415
    from bokio_app.tenants.models import Tenant  # noqa: PLC0415
    from tests.support import make  # noqa: PLC0415

    slug = uuid.uuid4().hex
    tenant = Tenant.objects.create(name=slug, slug=slug)
    connection = Connection.objects.create(
        tenant=tenant,
        company_id=uuid.UUID(values["company_id"]),
        remote_id=uuid.UUID(values["connection_id"]),
        state=State.BROKEN,
        name=f"Bolaget {slug}",
    )
    tokens = Tokens(
        access_token=values["access_token"],
        refresh_token=values["refresh_token"],
        expires_in=3600,
        company_id=connection.company_id,
        connection_id=connection.remote_id,
    )
    grants.store(connection, tokens, after=0)
    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
    make.fiscal_year(connection)
    make.customer(connection, remote_id=values["customer"])
    return Company(values["company_id"], str(connection.pk), slug, values["customer"])


def _add_orders(values: dict[str, Any]) -> None:
    _keep_orders(values)
    print(json.dumps({"orders": values["count"]}))


def _keep_orders(values: dict[str, Any]) -> None:
    from django.db import transaction  # noqa: PLC0415

    from bokio_app.batches.orders import parse  # noqa: PLC0415
    from bokio_app.batches.services import accept  # noqa: PLC0415
    from bokio_app.tenants.models import Tenant  # noqa: PLC0415

    tenant = Tenant.objects.get(slug=values["tenant"])
    lines = [_order(values) for _ in range(values["count"])]
    for start in range(0, len(lines), CHUNK):
        with transaction.atomic():
            for line in lines[start : start + CHUNK]:
                accept(tenant, parse(json.dumps(line).encode()))


def _order(values: dict[str, Any]) -> dict[str, Any]:
    """The guide's order: draft, publish, record, a fee and a payment, both recorded."""
    today = date.today().isoformat()  # noqa: DTZ011  the sandbox's day and ours are the machine's
    known = {"id": values["customer"]}
    new = {**CUSTOMER, "name": f"Kunden {uuid.uuid4()} AB", "orgNumber": new_number()}
    return {
        "reference": str(uuid.uuid4()),
        "company": values["remote_id"],
        "customer": known if values["known"] else new,
        "invoice": {
            "invoiceDate": today,
            "lineItems": [{"description": "Advice", "unitPrice": 1000, "taxRate": 25}],
        },
        "publish": True,
        "record": True,
        "settlements": [{"type": "bankFee", "date": today, "amount": "15.50", "record": True}],
        "payments": [{"date": today, "amount": "1234.50", "account": 1930, "record": True}],
    }


def new_number() -> str:
    """An organisation number with its check digit, which nobody else has."""
    digits = f"55{60 + uuid.uuid4().int % 30}{uuid.uuid4().int % 100_000:05d}"
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    total = sum(each // 10 + each % 10 for each in doubled)
    return f"{digits[:6]}-{digits[6:]}{-total % 10}"
