"""Time a large file of orders through `run_invoices`: `make bench-bulk LINES=100000`.

On PostgreSQL with fsync, without worker or Bokio: the file is checked, its beginning is taken, and
given once more. Each is a process of its own. Goals for checking: 1,000 lines in a second, and no
more memory for a longer file than what tells its references apart.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.processes import Stack
from tools import programs
from tools.bench_limit import servers
from tools.load import CUSTOMER, SHELL

FEW = 1000
MOST_TAKEN = 5000  # lines; a minute or two, however long the file
CHECKED = 1000.0  # lines a second
PER_LINE = 400  # bytes of memory that a line may leave behind
MB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One call of the command: seconds as a person waits for it, those of them that it computed
    (the database not counted), and the most memory it had.
    """

    seconds: float
    computed: float
    rss: int  # bytes


def make(slug: str) -> None:
    """A company with its books, in a workspace of this name. Runs in the stack."""
    from bokio_app.tenants.models import Tenant  # noqa: PLC0415  Django is set up only there
    from tests.support import make  # noqa: PLC0415

    connection = make.connection(Tenant.objects.create(name=slug, slug=slug))
    make.fiscal_year(connection)
    for number in (1930, 1940, 3041, 3730):
        make.account(connection, number)
    print(json.dumps(str(connection.company_id)))


def orders(company: str, count: int) -> Iterator[dict[str, Any]]:
    """Orders of seven steps and two rows; one customer in a hundred is new."""
    today = date.today().isoformat()  # noqa: DTZ011  our day is the machine's
    rows = [
        {"description": "Advice", "quantity": 180, "unitType": "hour", "unitPrice": "290.00"},
        {"description": "Discount", "unitPrice": -500, "bookkeepingAccountNumber": 3730},
    ]
    for number in range(count):
        yield {
            "reference": f"{count}-{number}",
            "company": company,
            "customer": {**CUSTOMER, "name": f"Kunden {number // 100} AB"},
            "invoice": {"invoiceDate": today, "lineItems": rows},
            "publish": True,
            "record": True,
            "settlements": [{"type": "bankFee", "date": today, "amount": "15.50", "record": True}],
            "payments": [{"date": today, "amount": "64609.50", "account": 1940, "record": True}],
        }


def write(path: Path, company: str, count: int) -> Path:
    """A file of so many orders."""
    with path.open("w") as file:
        for order in orders(company, count):
            file.write(json.dumps(order) + "\n")
    return path


def call(stack: Stack, file: Path, slug: str, *options: str) -> Run:
    """The command as a person gives it."""
    command = programs.manage("run_invoices", str(file), "--tenant", slug, *options)
    began = time.monotonic()
    child = subprocess.Popen(command, env=stack.env, cwd=programs.ROOT)
    _pid, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{options}: ended with {child.returncode}")
    computed = used.ru_utime + used.ru_stime
    return Run(time.monotonic() - began, computed, used.ru_maxrss * 1024)


def measure(stack: Stack, folder: Path, *, count: int) -> bool:
    """Print a row for each way; whether the goals are met."""
    slug = uuid.uuid4().hex
    company = json.loads(
        stack.manage(*SHELL, f"from tools import bench_bulk as b; b.make({slug!r})")
    )
    met, few = True, write(folder / "few", company, FEW)
    for name, options in (("checked", ["--dry-run"]), ("taken", []), ("taken before", [])):
        lines = count if name == "checked" else min(count, MOST_TAKEN)
        many = write(folder / "many", company, lines)
        small, large = call(stack, few, slug, *options), call(stack, many, slug, *options)
        seconds = max(large.seconds - small.seconds, 0.001)  # without the start of the process
        milliseconds = (large.computed - small.computed) * 1000 / (lines - FEW)
        rate, grown = (lines - FEW) / seconds, max(large.rss - small.rss, 0)
        per_line = grown / (lines - FEW)
        met = met and (name != "checked" or (per_line <= PER_LINE and rate >= CHECKED))
        print(
            f"{lines:,} lines {name}: {large.seconds:.1f} s, {rate:,.0f} lines/s,"
            f" {milliseconds:.2f} ms of computing for each,"
            f" RSS {large.rss / MB:.0f} MB ({small.rss / MB:.0f} MB for {FEW:,} lines,"
            f" {per_line:.0f} bytes for each line more)"
        )
    return met


def main() -> int:
    """Measure; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    asked = parser.parse_args()
    with servers() as folder, Stack(folder / "bulk", embedded=False, broker=False) as stack:
        return 0 if measure(stack, folder, count=max(asked.lines, 2 * FEW)) else 1


if __name__ == "__main__":
    sys.exit(main())
