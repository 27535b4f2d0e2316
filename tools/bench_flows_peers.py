"""The same seven calls under Absurd, DBOS and a plain Celery chain, measured beside the engine.

Their packages are installed into an environment that this makes and throws away. This module
runs there as well (`python -m tools.bench_flows_peers NAME …`), without Django.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft

if TYPE_CHECKING:
    from tools.bench_flows_world import Cost, World

PACKAGES = {
    "Celery chain": ["celery[redis]"],
    "Absurd": ["absurd-sdk", "absurdctl"],
    "DBOS": ["dbos"],
}
CLIENT = ["httpx2", "psycopg[binary]"]
DAY = date(2026, 1, 15)
LONGEST = 600  # seconds for one peer

_workers = contextlib.ExitStack()  # of this process: one that nothing held would stop at once

Made = dict[str, str]
CallOfStep = Callable[[Made], Made]


@dataclass(frozen=True)
class Measured:
    """What a peer took, or why it is left out."""

    name: str
    steps: int = 0
    cost: Cost | None = None
    why: str = ""


def calls(api_url: str) -> list[CallOfStep]:
    """The seven calls; each is told what those before it made, and tells what it has made."""
    bokio = Bokio(Http(api_url, access_token="x" * 40), UUID(int=7))
    lines = (
        LineItem(
            description="Consultancy services", quantity=Decimal(180), unit_price=Decimal(290)
        ),
        LineItem(description="New user discount", unit_price=Decimal(-500)),
    )
    draft = InvoiceDraft(customer_id=UUID(int=8), invoice_date=DAY, line_items=lines)
    fee = SettlementDraft(type="bankFee", date=DAY, amount=Decimal("15.50"))
    money = PaymentDraft(date=DAY, amount=Decimal("64609.50"), account=1940)

    def of(made: Made) -> UUID:
        return UUID(made["invoice"])

    def done(found: object) -> Made:
        return {} if found else {"failed": "yes"}

    return [
        lambda _made: {"invoice": str(bokio.invoices.create(draft).id)},
        lambda made: done(bokio.invoices.publish(of(made))),
        lambda made: done(bokio.invoices.record(of(made))),
        lambda made: {"fee": str(bokio.settlements.create(of(made), fee).id)},
        lambda made: done(bokio.settlements.record(of(made), UUID(made["fee"]))),
        lambda made: {"payment": str(bokio.payments.create(of(made), money).id)},
        lambda made: done(bokio.payments.record(of(made), UUID(made["payment"]))),
    ]


def measure(place: World, api_url: str, *, flows: int) -> list[Measured]:
    """Run each peer in a process of its own, after as many flows that warm it up as it needs."""
    python = place.folder / "peers" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
    _install(str(python), CLIENT)
    found = []
    for name, packages in PACKAGES.items():
        if why := _install(str(python), packages):
            found.append(Measured(name, why=why))
            continue
        found.append(_measure(place, str(python), name, api_url, flows=flows))
    return found


def _install(python: str, packages: list[str]) -> str:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no registry carries {' and '.join(packages)}"


def _measure(place: World, python: str, name: str, api_url: str, *, flows: int) -> Measured:
    from tools.bench_flows_world import Cost  # noqa: PLC0415  needs the tests' own packages

    place_of = {"postgres": place.running.postgres_url, "redis": place.running.redis_url}
    command = [python, "-m", "tools.bench_flows_peers", name, api_url, str(flows)]
    process = subprocess.Popen(
        command,
        env=_without_django() | {"PEERS_PLACE": json.dumps(place_of)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(place.folder / "peers.log").open("w"),
        text=True,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a peer has no pipes")
    threading.Timer(LONGEST, process.kill).start()
    told: list[Any] = []

    def run() -> None:
        process.stdin.write("go\n")
        process.stdin.flush()
        told.append(json.loads(_answer(process)))

    try:
        _answer(process)  # it is warm
        cost = place.measure(run)
    except (RuntimeError, BrokenPipeError):
        process.kill()
        end = (place.folder / "peers.log").read_text()[-300:]
        return Measured(name, why=f"it did not run here: {' '.join(end.split())}")
    process.wait()
    own = told[0]["cpu"]
    return Measured(name, flows * len(calls(api_url)), Cost(told[0]["wall"], own, cost.servers))


def _without_django() -> dict[str, str]:
    """The peers' packages do not hold it, and Celery looks for it where its settings are named."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def _answer(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("the peer has ended")
    return line


# --- In the peers' own environment -----------------------------------------------------------
def _cpu() -> float:
    times = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in times)


def _absurd(api_url: str, place: dict[str, str]) -> Callable[[int], None]:
    import psycopg  # noqa: PLC0415  of the peers' environment

    sdk, control = importlib.import_module("absurd_sdk"), importlib.import_module("absurdctl")
    with psycopg.connect(place["postgres"], autocommit=True) as connection:
        connection.execute(control.BUNDLED_SCHEMA_SQL)
    app = sdk.Absurd(place["postgres"], queue_name="bench")
    app.create_queue("bench")
    steps = calls(api_url)

    def flow(_params: object, ctx: Any) -> Made:
        made: Made = {}
        for number, call in enumerate(steps):
            made |= ctx.step(f"step {number}", partial(call, dict(made)))
        return made

    app.register_task(name="flow")(flow)

    def run(flows: int) -> None:
        for _number in range(flows):
            app.spawn("flow", {})
            app.work_batch(batch_size=1)

    return run


def _dbos(api_url: str, place: dict[str, str]) -> Callable[[int], None]:
    dbos = importlib.import_module("dbos")
    url = place["postgres"].replace("postgres://", "postgresql://")
    dbos.DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False})
    steps = calls(api_url)

    @dbos.DBOS.step()  # type: ignore[untyped-decorator]
    def step(number: int, made: Made) -> Made:
        return steps[number](made)

    @dbos.DBOS.workflow()  # type: ignore[untyped-decorator]
    def flow() -> Made:
        made: Made = {}
        for number in range(len(steps)):
            made |= step(number, made)
        return made

    dbos.DBOS.launch()

    def run(flows: int) -> None:
        for _number in range(flows):
            flow()

    return run


def _celery(api_url: str, place: dict[str, str]) -> Callable[[int], None]:
    celery, testing = (
        importlib.import_module("celery"),
        importlib.import_module("celery.contrib.testing.worker"),
    )
    app = celery.Celery("bench", broker=place["redis"], backend=place["redis"])
    app.conf.task_default_queue = f"bench-{uuid4()}"
    steps = calls(api_url)

    @app.task(name="step")  # type: ignore[untyped-decorator]
    def step(made: Made, number: int) -> Made:
        return made | steps[number](made)

    _workers.enter_context(testing.start_worker(app, pool="solo", perform_ping_check=False))

    def run(flows: int) -> None:
        rest = [step.s(number) for number in range(1, len(steps))]
        for _number in range(flows):
            celery.chain(step.s({}, 0), *rest).apply_async().get(timeout=60)

    return run


def serve(name: str, api_url: str, flows: int) -> None:
    """Be one of the peers: warm up, wait for the word, and tell what the flows took."""
    place = json.loads(os.environ["PEERS_PLACE"])
    run = {"Absurd": _absurd, "DBOS": _dbos, "Celery chain": _celery}[name](api_url, place)
    run(5)
    print("warm", flush=True)
    sys.stdin.readline()
    began, busy = time.perf_counter(), _cpu()
    run(flows)
    print(json.dumps({"wall": time.perf_counter() - began, "cpu": _cpu() - busy}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
