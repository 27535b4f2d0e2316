"""Measure pages over many companies: `make bench-pages`. Prints what half of the requests took at
most, and nineteen of twenty, in ms; goals are 50 and 100, search 150, sums that load later 1000.

A PostgreSQL of its own is started, filled, measured and forgotten. Times are the server's alone:
view, queries and template, without network and browser.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import statistics
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support import services

GOALS = (50.0, 100.0)  # of the median, and of nineteen of twenty requests
SEARCH = (150.0, 150.0)
LATER = (1000.0, 1000.0)  # what a page asks for when its rows are there
BATCH = 5000
OPEN_SHARE = 20  # one of so many invoices is not paid, as in books that are looked after
STUCK_SHARE = 2000  # one of so many runs waits for a person


def main() -> int:
    """Fill, measure, print; 1 when a page misses a goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--elsewhere", type=int, help="invoices of another workspace")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--only", default="", help="pages whose name has this")
    asked = parser.parse_args()
    try:
        running = services.start()
    except services.UnavailableError as missing:
        sys.exit(str(missing))
    try:
        set_up(running.postgres_url, running.folder)
        started = time.monotonic()
        elsewhere = asked.invoices // 10 if asked.elsewhere is None else asked.elsewhere
        pages = _fill(asked.companies, asked.invoices, elsewhere=elsewhere)
        print(
            f"{asked.companies} companies, {asked.invoices} invoices "
            f"({time.monotonic() - started:.0f} s to fill)",
            flush=True,
        )
        wanted = {name: page for name, page in pages.items() if asked.only in name}
        return 0 if _measure(wanted, rounds=asked.rounds) else 1
    finally:
        running.stop()


def set_up(database_url: str, folder: Path, **more: str) -> None:
    """Make Django ready on a scratch database with the product's tables, `more` in its
    environment.
    """
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "bokio_app.settings",
        "DATABASE_URL": database_url,
        "DATABASE_POOL": "0",
        "REDIS_URL": "",
        "VAR_DIR": str(folder),
        "STATIC_MANIFEST": "0",
        "LOG_LEVEL": "WARNING",
        "BOKIO_CLIENT_ID": str(uuid.uuid4()),
        "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        **more,
    }
    import django  # noqa: PLC0415  settings are read from the environment made above
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(companies: int, invoices: int, *, elsewhere: int) -> dict[str, Callable[[], Any]]:
    """Make the rows and return each page as a function that fetches it."""
    from django.db import connection  # noqa: PLC0415  after Django's setup

    from tests.support import make  # noqa: PLC0415

    tenant = make.tenant()
    person = make.member(tenant)
    books = [make.connection(tenant) for _ in range(companies)]
    for each in books:
        make.fiscal_year(each)
        for number in (1510, 1930, 2611, 3001):
            make.account(each, number)
    other = make.connection()
    customers = _customers([*books, other], per_company=max(invoices // companies // 4, 1))
    _in_batches(_invoices(books, customers, invoices))
    _in_batches(_invoices([other], customers, elsewhere))
    _flows(tenant)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return _pages(tenant, person, books[0])


def _customers(books: list[Any], *, per_company: int) -> dict[Any, list[Any]]:
    from bokio_app.invoicing.models import Customer  # noqa: PLC0415

    made = {
        each.pk: [
            Customer(
                tenant_id=each.tenant_id,
                connection=each,
                remote_id=str(uuid.uuid4()),
                name=f"Kund {number} i {each.name}",
                org_number=f"5566{number % 100:02d}-{number % 10_000:04d}",
                line1="Storgatan 1",
                postal_code="111 22",
                city="Stockholm",
            )
            for number in range(per_company)
        ]
        for each in books
    }
    Customer.objects.bulk_create([row for rows in made.values() for row in rows], batch_size=BATCH)
    return made


def _invoices(books: list[Any], customers: dict[Any, list[Any]], count: int) -> Iterator[Any]:
    from bokio_app.core import clock  # noqa: PLC0415
    from bokio_app.invoicing.models import Invoice  # noqa: PLC0415

    today = clock.today()
    for number in range(count):
        amount = Decimal(1250 + number % 7919)
        company = books[number % len(books)]
        mine = customers[company.pk]
        is_open = number % OPEN_SHARE == 0
        is_draft = number % OPEN_SHARE == 1 and number % 5 == 1
        day = today - timedelta(days=number % 300)
        yield Invoice(
            tenant_id=company.tenant_id,
            connection=company,
            customer=mine[number // len(books) % len(mine)],
            invoice_date=day,
            due_date=day + timedelta(days=30),
            remote_id="" if is_draft else str(uuid.uuid4()),
            status="draft" if is_draft else "published" if is_open else "paid",
            number="" if is_draft else str(1000 + number),
            ocr="" if is_draft else f"{1000 + number}17",
            your_reference=f"Projekt {number % 9000}" if number % 3 else "",
            net=Decimal("1000.00"),
            tax=Decimal("250.00"),
            total=amount,
            open_amount=amount if is_open or is_draft else Decimal(0),
            journal_entry_id="" if is_draft else str(uuid.uuid4()),
        )


def _in_batches(rows: Iterator[Any]) -> None:
    from bokio_app.invoicing.models import Invoice  # noqa: PLC0415

    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            Invoice.objects.bulk_create(batch)
            batch = []
    Invoice.objects.bulk_create(batch)


def _flows(tenant: Any) -> None:
    """One that sent each invoice and one that read it, as a year of use leaves them."""
    from bokio_app.core import clock  # noqa: PLC0415
    from bokio_app.flows.models import Flow  # noqa: PLC0415

    now = clock.now()
    sent = tenant.invoices.exclude(status="draft").values_list("pk", "connection_id")
    flows = []
    for number, (pk, company) in enumerate(sent):
        for kind, resource in (("send_invoice", f"invoice:{pk}"), ("read_invoice", "")):
            is_stuck = bool(resource) and number % STUCK_SHARE == 0
            flows.append(
                Flow(
                    tenant=tenant,
                    connection_id=company,
                    kind=kind,
                    business_key=str(pk),
                    request_key=str(uuid.uuid4()),
                    resource_key=resource,
                    state="stuck" if is_stuck else "done",
                    not_before=now,
                )
            )
    Flow.objects.bulk_create(flows, batch_size=BATCH)


def _pages(tenant: Any, person: Any, company: Any) -> dict[str, Callable[[], Any]]:
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from tests.support import make  # noqa: PLC0415

    warnings.filterwarnings("ignore", "No directory at", UserWarning)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    oldest = tenant.invoices.order_by("created_at")[500]
    sent = tenant.invoices.filter(status="paid").first()
    draft = tenant.invoices.filter(status="draft").first()
    for each in (sent, draft):
        make.line(each)
    addresses = {
        "start": reverse("start"),
        "companies": reverse("connections:list"),
        "company": reverse("connections:detail", args=[company.pk]),
        **_lists(company, sent, oldest),
        "invoice": reverse("invoicing:detail", args=[sent.pk]),
        "editor": reverse("invoicing:edit", args=[draft.pk]),
        "runs": reverse("flows:list"),
        "runs that need you": f"{reverse('flows:list')}?view=needs",
    }
    return {name: partial(client.get, address) for name, address in addresses.items()}


def _lists(company: Any, sent: Any, oldest: Any) -> dict[str, str]:
    """The list of invoices in many ways."""
    from django.urls import reverse  # noqa: PLC0415

    from bokio_app.invoicing.listing.order import NEWEST, SORTS, place_of  # noqa: PLC0415

    invoices, later = reverse("invoicing:list"), reverse("invoicing:sums")
    of_one = reverse("invoicing:company_list", args=[company.pk])
    asked = {
        "invoices, all": "view=all",
        "invoices, open": "view=open",
        "invoices, overdue": "view=overdue",
        "invoices, not recorded": "view=unrecorded",
        "invoices, many filters": "state=overdue&state=part-paid&least=1500&recorded=yes&open=yes",
        "invoices, one week": "since=2026-03-02&until=2026-03-08&sort=-date",
        "invoices, left drafts": "left=draft",
        "invoices, deep page": urlencode({"after": place_of(oldest, NEWEST)}),
        "search, customer": "q=Kund+17+i",
        "search, many customers": "q=Kund",
        "search, one letter": "q=k",
        "search, number": f"q={sent.number}",
        "search, OCR": f"q={sent.ocr}",
        "search, reference": "q=projekt+771",
        "search, amount": "q=1.337,00",
        "search, nothing": "q=zzz",
        **{f"invoices by {name}": f"sort={name}" for name in SORTS},
    }
    return {name: f"{invoices}?{query}" for name, query in asked.items()} | {
        "invoices, one company": of_one,
        "search, one company": f"{of_one}?q=Kund+17",
        "later: sums": later,
        "later: sums of open": f"{later}?view=open",
        "later: sums of a search": f"{later}?q=Kund+1",
        "later: views": reverse("invoicing:tabs"),
    }


def _goals(name: str) -> tuple[float, float]:
    return SEARCH if name.startswith("search") else LATER if name.startswith("later") else GOALS


def _measure(pages: dict[str, Callable[[], Any]], *, rounds: int) -> bool:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    good = True
    for name, fetch in pages.items():
        response = fetch()
        if response.status_code != 200:
            sys.exit(f"{name}: {response.status_code} {response.headers.get('Location', '')}")
        times, busy = [], []
        for _ in range(rounds):
            started, worked = time.perf_counter(), time.thread_time()
            fetch()
            times.append((time.perf_counter() - started) * 1000)
            busy.append((time.thread_time() - worked) * 1000)
        with CaptureQueriesContext(connection) as queries:
            fetch()
        middle, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        goals, work = _goals(name), statistics.median(busy)
        misses = middle > goals[0] or late > goals[1]
        good &= not misses
        mark = f"  over the goal of {goals[0]:.0f} and {goals[1]:.0f}" if misses else ""
        database = sum(float(each["time"]) for each in queries) * 1000
        queried = f"{len(queries)} queries in {database:.0f} ms"
        took = f"{middle:6.0f} ms, {late:5.0f} ms"
        print(f"{name:26} {took}: {work:.0f} ms of work, {queried}{mark}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
