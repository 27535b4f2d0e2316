"""Many workers, many finished flows, many minutes: what changes with size, and what must not."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.net import wait_until
from tools import children, programs
from tools.bench_flows_world import Company, World, new_company, resident, world

COMPANIES = 8
FLOWS = 30  # of each company, per measurement
LATENCY = 0.05  # seconds
LOOK = 0.2  # seconds between two looks at how far the workers are
GROWTH = 1.05  # of a worker's memory, from the first tenth of a soak to its last
COPIED = {
    "flows_flow": {
        "id": "nextval(pg_get_serial_sequence('flows_flow', 'id'))",
        "public_id": "gen_random_uuid()",
        "business_key": "gen_random_uuid()::text",
        "request_key": "gen_random_uuid()::text",
        "resource_key": "'invoice:' || gen_random_uuid()::text",
    },
    "flows_step": {
        "id": "nextval(pg_get_serial_sequence('flows_step', 'id'))",
        "op_key": "gen_random_uuid()",
    },
}


def run(place: World) -> Iterator[tuple[int, float, float]]:
    """For one, two and four workers: flows per second, and the largest one's memory in MB."""
    api_url = place.stub(latency=LATENCY)
    companies = [new_company() for _number in range(COMPANIES)]
    for count in (1, 2, 4):
        for company in companies:
            company.order(FLOWS)
        with workers(place, count, api_url) as processes:
            began = time.monotonic()
            _finish(companies)
            per_second = COMPANIES * FLOWS / (time.monotonic() - began)
            yield count, per_second, max(resident(each.pid) for each in processes)


@contextmanager
def workers(place: World, count: int, api_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many worker processes, as the Procfile starts them."""
    started = []
    for number in range(count):
        log = place.folder / f"worker-{number}-{time.monotonic_ns()}.log"
        env = os.environ | {"BOKIO_API_URL": api_url, "LOG_LEVEL": "INFO"}
        command = programs.worker(name=f"bench{number}")
        started.append((children.spawn(command, env=env, log=log, cwd=programs.ROOT), log))
    try:
        for _process, log in started:
            wait_until(lambda log=log: "ready." in log.read_text(), what="a worker", seconds=60)  # type: ignore[misc]
        yield [process for process, _log in started]
    finally:
        for process, _log in started:
            children.kill(process)


def _finish(companies: list[Company]) -> None:
    """Ring for the workers, as the scheduler does, until all ordered flows are done."""
    from bokio_app.flows import tasks  # noqa: PLC0415  after Django's setup
    from bokio_app.flows.models import Flow  # noqa: PLC0415

    mine = [company.connection.pk for company in companies]
    open_flows = Flow.objects.filter(connection__in=mine, kind="run_invoice").exclude(state="done")
    rung = 0.0
    while open_flows.exists():
        if time.monotonic() - rung > 2:
            tasks.sweep()
            rung = time.monotonic()
        if stuck := open_flows.filter(state="stuck").first():
            raise RuntimeError(f"a flow is stuck: {stuck.stuck_code}")
        time.sleep(LOOK)


def fill(company: Company, count: int) -> None:
    """Copy a finished flow of the company, with its steps, so many times."""
    from django.db import connection  # noqa: PLC0415  after Django's setup

    from bokio_app.flows.models import Flow  # noqa: PLC0415

    company.order(1)
    company.work(1)
    last = Flow.objects.filter(connection=company.connection, kind="run_invoice").latest("pk")
    with connection.cursor() as cursor, _in_bulk(cursor):
        first = _newest(cursor) + 1
        cursor.execute(
            f"INSERT INTO flows_flow ({_names(cursor, 'flows_flow')})"  # noqa: S608  names
            f" SELECT {_copies(cursor, 'flows_flow')}"
            " FROM flows_flow AS old, generate_series(1, %s) WHERE old.id = %s",
            [count, last.pk],
        )
        cursor.execute(
            f"INSERT INTO flows_step ({_names(cursor, 'flows_step')})"  # noqa: S608  names
            f" SELECT {_copies(cursor, 'flows_step', flow_id='made.id')} FROM flows_step AS old,"
            " flows_flow AS made WHERE old.flow_id = %s AND made.id >= %s",
            [last.pk, first],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE flows_flow, flows_step")


@contextmanager
def _in_bulk(cursor: Any) -> Iterator[None]:
    """Look up no foreign keys, which are copies as well, and write the plain indexes at the end."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)",
        [list(COPIED)],
    )
    indexes = cursor.fetchall()
    cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
    for name, _made in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        for _name, made in indexes:
            cursor.execute(made)
        cursor.execute("RESET session_replication_role; RESET maintenance_work_mem")


def _newest(cursor: Any) -> int:
    cursor.execute("SELECT last_value FROM flows_flow_id_seq")
    return int(cursor.fetchone()[0])


def _columns(cursor: Any, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND table_schema = 'public' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]


def _names(cursor: Any, table: str) -> str:
    return ", ".join(_columns(cursor, table))


def _copies(cursor: Any, table: str, **more: str) -> str:
    new = COPIED[table] | more
    return ", ".join(new.get(name, f"old.{name}") for name in _columns(cursor, table))


def soak(minutes: float) -> int:
    """Keep one worker busy, and watch its memory; 1 when it grows or is too large."""
    with world() as place:
        place.set_up(place.stub(latency=0))
        api_url = place.stub(latency=LATENCY)
        companies = [new_company() for _number in range(COMPANIES)]
        seen: list[float] = []
        with workers(place, 1, api_url) as [process]:
            ends = time.monotonic() + minutes * 60
            while time.monotonic() < ends:
                for company in companies:
                    company.order(FLOWS // 10)
                _finish(companies)
                seen.append(resident(process.pid))
                print(
                    f"{len(seen) * COMPANIES * (FLOWS // 10)} flows, {seen[-1]:.1f} MB", flush=True
                )
    tenth = max(len(seen) // 10, 1)
    first, last = statistics.mean(seen[tenth : 2 * tenth] or seen), statistics.mean(seen[-tenth:])
    print(f"{minutes:g} minutes: {first:.1f} MB in the second tenth, {last:.1f} MB in the last")
    return 0 if last <= first * GROWTH and max(seen) <= 90 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    sys.exit(soak(parser.parse_args().minutes))
