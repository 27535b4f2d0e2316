"""The command as a process of its own: killed within a file, interrupted while waiting."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection as database
from django.db import transaction

from bokio_app.batches.models import BulkLine
from bokio_app.connections.models import Connection
from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.payments.models import Payment
from tests.batches import lines
from tests.support import bokio
from tests.support.net import wait_until
from tests.support.sandbox import SandboxProcess
from tools import children, programs


@pytest.fixture
def env(tmp_path: Path, sandbox: SandboxProcess, connection: Connection) -> Mapping[str, str]:
    """The environment of a process that works on this test's own database."""
    name = str(database.settings_dict["NAME"])
    values = dict(os.environ) | {
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": "",
        "BOKIO_API_URL": sandbox.api_url,
        "BOKIO_CLIENT_ID": sandbox.client_id,
        "BOKIO_CLIENT_SECRET": sandbox.client_secret,
    }
    if django_settings.EMBEDDED:
        (tmp_path / "app.sqlite3").symlink_to(name)
    else:
        values["DATABASE_URL"] = values["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    return values


class Command:
    """`manage.py run_invoices` as a process."""

    def __init__(self, folder: Path, env: Mapping[str, str], *arguments: str) -> None:
        self.log = folder / "command.log"
        command = programs.manage("run_invoices", *arguments)
        self.process = children.spawn(command, env=env, log=self.log, cwd=programs.ROOT)

    def ended(self) -> int:
        return self.process.wait(60)


@pytest.fixture
def started() -> Iterator[list[Command]]:
    commands: list[Command] = []
    yield commands
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait(10)


@contextmanager
def _nothing_is_kept() -> Iterator[None]:
    """Whoever writes the last row of a line waits (on SQLite: whoever writes)."""
    with transaction.atomic(), database.cursor() as cursor:
        if not django_settings.EMBEDDED:
            cursor.execute(f'LOCK TABLE "{BulkLine._meta.db_table}" IN SHARE MODE')
        yield


def _wait_for_its_last_write() -> None:
    """Until the command has written all but the last row, and waits with it. SQLite does not tell
    who waits.
    """
    if django_settings.EMBEDDED:
        return
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"

    def is_there() -> bool:
        with database.cursor() as cursor:
            cursor.execute(waiting, [BulkLine._meta.db_table])
            return bool(cursor.fetchone()[0])

    wait_until(is_there, what="it waits with its last write", seconds=60)


@pytest.mark.fault
@pytest.mark.slow
def test_a_command_killed_in_the_middle_loses_nothing_and_completes_when_run_again(
    env: Mapping[str, str],
    started: list[Command],
    sandbox: SandboxProcess,
    connection: Connection,
    tmp_path: Path,
) -> None:
    paid = lines.guide(connection)["payments"][0] | {"amount": "1250.00"}
    orders = [lines.small(connection, f"A-{n}", payments=[paid]) for n in range(60)]
    path = lines.write(tmp_path / "orders.jsonl", *orders)
    first, *rest = path.read_text().splitlines(keepends=True)
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)

    command = Command(tmp_path, env, str(pipe), "--tenant", connection.tenant.slug)
    started.append(command)
    with pipe.open("w") as file:
        file.writelines([first, *rest[:49]])
        file.flush()
        wait_until(lambda: BulkLine.objects.count() == 50, what="some are accepted", seconds=60)
        with _nothing_is_kept():
            file.writelines(rest[49:])
            file.close()
            _wait_for_its_last_write()
            command.process.kill()
            command.ended()
    taken = BulkLine.objects.count()

    assert taken == 50
    assert Flow.objects.filter(kind="run_invoice").count() == taken
    assert Invoice.objects.count() == Payment.objects.count() == taken

    assert lines.run(path, connection).status == 0
    bokio.work(connection, patience=180)

    books = sandbox.books(str(connection.company_id))
    assert {each["metadata"]["externalId"] for each in books["invoices"]} == {
        each["reference"] for each in orders
    }
    assert len(books["invoices"]) == len(books["payments"]) == 60
    assert len(books["customers"]) == 1
    assert lines.run(path, connection, "--wait").status == 0


@pytest.mark.fault
def test_an_interrupted_wait_says_that_the_work_goes_on(
    env: Mapping[str, str],
    started: list[Command],
    sandbox: SandboxProcess,
    connection: Connection,
    tmp_path: Path,
) -> None:
    path = lines.write(tmp_path / "orders.jsonl", lines.guide(connection))
    fault = sandbox.add_fault("post-invoice", "hold_before")
    command = Command(tmp_path, env, str(path), "--tenant", connection.tenant.slug, "--wait")
    started.append(command)
    wait_until(
        lambda: "Lines to wait for: 1." in command.log.read_text(), what="it waits", seconds=60
    )
    if django_settings.EMBEDDED:  # there the command itself is the worker
        sandbox.wait_held(fault)

    command.process.send_signal(signal.SIGINT)
    sandbox.release(fault)

    assert command.ended() == 130
    assert "The work is kept, and workers go on with it." in command.log.read_text()
    bokio.work(connection)
    assert lines.run(path, connection, "--wait").status == 0
    assert len(sandbox.books(str(connection.company_id))["invoices"]) == 1


def test_the_objects_come_out_as_lines_of_their_own(
    env: Mapping[str, str], connection: Connection, tmp_path: Path
) -> None:
    path = lines.write(tmp_path / "orders.jsonl", lines.small(connection, "A-1"), "nothing")
    options = ("--tenant", connection.tenant.slug, "--json", "--dry-run")
    ended = subprocess.run(
        programs.manage("run_invoices", str(path), *options),
        env=env,
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert [json.loads(line)["state"] for line in ended.stdout.splitlines()] == [
        "accepted",
        "refused",
    ]
    assert "1 refused" in ended.stderr


@pytest.mark.parametrize("arguments", [("--nothing",), ("missing.jsonl",)])
def test_a_call_that_cannot_be_understood_ends_with_two(
    arguments: tuple[str, ...], env: Mapping[str, str], connection: Connection
) -> None:
    ended = subprocess.run(
        programs.manage("run_invoices", *arguments),
        env=env,
        cwd=programs.ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
