"""Lines of files for `run_invoices`, and the command as a test calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from bokio_app.connections.models import Connection
from bokio_app.core import clock


def guide(connection: Connection, reference: str = "A-1", **changes: Any) -> dict[str, Any]:
    """The invoice of Bokio's own guide, from a new customer to the last öre."""
    today = clock.today().isoformat()
    return {
        "reference": reference,
        "company": str(connection.company_id),
        "customer": {
            "name": "John Doe",
            "orgNumber": "556016-0680",
            "address": {"line1": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm"},
        },
        "invoice": {
            "invoiceDate": today,
            "lineItems": [
                {
                    "description": "Consultancy services",
                    "productType": "goods",
                    "quantity": 180,
                    "unitType": "hour",
                    "unitPrice": "290.00",
                    "taxRate": 25,
                },
                {
                    "description": "New user discount",
                    "productType": "goods",
                    "unitPrice": -500,
                    "taxRate": 25,
                    "bookkeepingAccountNumber": 3730,
                },
            ],
        },
        "publish": True,
        "record": True,
        "settlements": [{"type": "bankFee", "date": today, "amount": "15.50", "record": True}],
        "payments": [{"date": today, "amount": 64609.50, "account": 1940, "record": True}],
    } | changes


def small(connection: Connection, reference: str, **changes: Any) -> dict[str, Any]:
    """One row of 1 000,00 for the guide's customer, published and recorded."""
    line = {"description": "Advice", "unitPrice": "1000.00"}
    invoice = {"invoiceDate": clock.today().isoformat(), "lineItems": [line]}
    return guide(connection, reference, invoice=invoice, settlements=[], payments=[]) | changes


def write(path: Path, *lines: object) -> Path:
    """A file of these lines; a text is written as it stands."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


@dataclass(frozen=True)
class Called:
    """What a call printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(path: Path, connection: Connection, *options: str, tenant: str = "") -> Called:
    """Call `run_invoices` on the file, for the company's workspace unless told."""
    out, err, status = StringIO(), StringIO(), 0
    slug = tenant or connection.tenant.slug
    try:
        call_command("run_invoices", str(path), "--tenant", slug, *options, stdout=out, stderr=err)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except CommandError as error:
        return Called(error.returncode, out.getvalue(), str(error))
    return Called(status, out.getvalue(), err.getvalue())
