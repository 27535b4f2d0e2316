"""Companies with work to do, for benchmarks: made in a process of the stack that is measured.

company = load.connect(stack, token=…)   # rows only: no call is made through the limiter
load.add_orders(stack, company, 300)
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tests.support.processes import Stack

SHELL = ("shell", "--no-imports", "-c")
CHUNK = 500  # orders per transaction
PATIENCE = 1800.0  # seconds; so many orders take minutes
CUSTOMER = {
    "name": "Kunden AB",
    "orgNumber": "556016-0680",
    "address": {"line1": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm"},
}


@dataclass(frozen=True)
class Company:
    """A connected company: at Bokio, here, and the customer of it that Bokio has."""

    remote_id: str
    connection_id: str
    tenant: str
    customer: str


def connect(stack: Stack, number: int, *, tenant: str = "") -> Company:
    """Connect the sandbox's company of this number by a grant without any calls counted on it."""
    sandbox = stack.sandbox
    remote_id = str(sandbox.companies()[number]["id"])
    address = {**CUSTOMER["address"], "country": "SE"}  # type: ignore[dict-item]
    made = sandbox.request(
        "POST",
        f"/v1/companies/{remote_id}/customers",
        token=sandbox.private_token(remote_id),
        json_body={**CUSTOMER, "type": "company", "address": address},
    )
    if made.status >= 300:
        raise RuntimeError(f"no customer: {made.status} {made.body!r}")
    tokens = sandbox.tokens_for(remote_id)
    known = {"customer": made.json["id"], "tenant": tenant or f"tenant-{number}"}
    row = _run(stack, "_connect", {**asdict(tokens), **known})
    return Company(remote_id, row["connection"], row["tenant"], known["customer"])


def add_orders(stack: Stack, company: Company, count: int, *, known: bool = True) -> None:
    """Orders of seven calls each for a customer that Bokio has, or of nine each for a new one."""
    _run(stack, "_add_orders", {**asdict(company), "count": count, "known": known})


def _run(stack: Stack, function: str, values: dict[str, Any]) -> Any:
    code = f"from tools import load; load.{function}({values!r})"
    return json.loads(stack.manage(*SHELL, code, seconds=PATIENCE).splitlines()[-1])


# --- Within the stack ------------------------------------------------------------------------
def _connect(values: dict[str, Any]) -> None:
    from bokio_app.bokio.oauth import Tokens  # noqa: PLC0415  Django is set up only there
    from bokio_app.connections import grants  # noqa: PLC0415
    from bokio_app.connections.models import Connection, State  # noqa: PLC0415
    from bokio_app.tenants.models import Tenant  # noqa: PLC0415
    from tests.support import make  # noqa: PLC0415

    slug = values["tenant"]
    tenant, _ = Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})
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
    print(json.dumps({"connection": str(connection.pk), "tenant": slug}))


def _add_orders(values: dict[str, Any]) -> None:
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
    print(json.dumps({"orders": len(lines)}))


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
