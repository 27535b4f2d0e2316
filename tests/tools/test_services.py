"""The test run's own servers: found wherever they are, named when missing, gone with the run."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support import services
from tests.support.net import wait_until
from tools import valkey
from tools.programs import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def only_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without PostgreSQL of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(services, "DEBIAN", tmp_path)
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)


@pytest.mark.usefixtures("only_wheels")
def test_a_machine_without_postgresql_gets_it_from_the_wheel() -> None:
    running = services.start()
    try:
        with psycopg.connect(running.postgres_url) as connection:
            folder = connection.execute("SHOW data_directory").fetchone()
            encoding = connection.execute("SHOW server_encoding").fetchone()
        assert folder == (str(running.folder / "postgres" / "data"),)
        assert encoding == ("UTF8",)
    finally:
        running.stop()

    assert not running.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running.postgres_url)


@pytest.mark.usefixtures("only_wheels")
def test_a_postgresql_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = valkey.find()
    monkeypatch.setattr(valkey, "find", lambda: program)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(services.UnavailableError, match="PostgreSQL: none on PATH"):
        services.start()


def test_a_valkey_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "find", lambda: None)

    with pytest.raises(services.UnavailableError, match="Valkey: no wheel"):
        services.start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills for us")
def test_killing_the_test_run_leaves_no_server_and_the_next_run_sweeps_its_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    code = (
        "from tests.support import services\n"
        "s = services.start()\n"
        "print(s.folder, s.postgres_url, s.redis_url.split(':')[2].split('/')[0], flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        name, url, port = run.stdout.readline().split()
        folder = Path(name)
        assert services._accepts(url)
        assert valkey.answers(int(port))

        run.kill()
        run.wait()

    wait_until(lambda: not services._accepts(url), what="PostgreSQL is gone")
    wait_until(lambda: not valkey.answers(int(port)), what="Valkey is gone")
    assert folder.exists()
    os.utime(folder, (0, 0))
    later, lock = services.make_folder()
    services.remove_folder(later, lock)
    assert not folder.exists()
