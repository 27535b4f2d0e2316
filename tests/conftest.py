"""The environment of every test, set before Django reads its settings.

On PostgreSQL and Valkey by default; `TEST_EMBEDDED=1` selects the embedded default instead:
SQLite in a file, and no broker. `TEST_INPROCESS=1` is for `tests/inprocess` alone: there the
sandbox runs in the tests' own process.
"""

import base64
import os
import secrets
import uuid
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support import services
from tests.support.net import ClosedPort

EMBEDDED = os.environ.get("TEST_EMBEDDED") == "1"
INPROCESS = os.environ.get("TEST_INPROCESS") == "1"

# What takes longest, the longest first; beside the first, which times what people wait for, begin
# those that leave it the processor.
LONGEST = (
    "test_storm.py",
    "test_bells.py",
    "test_kills.py",
    "test_restore.py",
    "test_process.py",
    "test_power_cut.py",
    "test_guide.py",
    "test_stack.py",
    "test_procfile.py",
    "test_bootstrap.py",
    "test_run_invoices.py",
    "test_saturation.py",
)

pytest_plugins = ["tests.support.fixtures"]

# How fast a busy machine makes examples, and tries them, says nothing of the product.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

_IN_WORKER = "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once for the whole run; workers of xdist inherit the environment."""
    if not _IN_WORKER:
        _start_servers(config)
    # pytest-django sets Django up in its own hook, after this one, if settings are loaded.
    from django.conf import settings

    assert settings.SECRET_KEY
    if not INPROCESS:
        _suit(settings)


def _suit(settings: Any) -> None:
    """Make the product's settings fit for tests that share a machine with others."""
    # On SQLite one process executes for each folder; those of a parallel run share nothing.
    settings.VAR_DIR = Path(os.environ["VAR_DIR"]) / _worker()
    # Every `Client` loads the middleware anew, which would list all static files each time.
    settings.WHITENOISE_AUTOREFRESH = True
    # A tenth of a second between an intent and its call is soon over on a busy machine, and what
    # is late is not sent. Absence counts as early as it does by `TIME_FACTOR`.
    more = 4 * settings.FLOW_SEND_GUARD
    settings.FLOW_SEND_GUARD += more
    settings.FLOW_SETTLE -= more


def _start_servers(config: pytest.Config) -> None:
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: the tests choose the settings")
    if EMBEDDED:
        folder, lock = services.make_folder()
        config.add_cleanup(lambda: services.remove_folder(folder, lock))
        addresses = {"DATABASE_URL": "", "DURABLE_DATABASE_URL": "", "REDIS_URL": ""}
    else:
        try:
            running = services.start(quick=not INPROCESS)
        except services.UnavailableError as missing:
            raise pytest.UsageError(str(missing)) from missing
        config.add_cleanup(running.stop)
        folder = running.folder
        addresses = {
            "DATABASE_URL": running.quick_url,
            "DURABLE_DATABASE_URL": running.postgres_url,
            "REDIS_URL": running.redis_url,
        }
    nobody = ClosedPort()
    config.add_cleanup(nobody.close)
    _set_environment(folder, addresses, bokio=f"http://127.0.0.1:{nobody.number}/v1")


def _set_environment(folder: Path, addresses: dict[str, str], *, bokio: str) -> None:
    var_dir = folder / "var"
    var_dir.mkdir(mode=0o700)
    (var_dir / "static").mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.inprocess.settings" if INPROCESS else "bokio_app.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's sync API runs a loop in this thread
        "APP_URL": "http://127.0.0.1:8000",
        "BOKIO_API_URL": bokio,
        "BOKIO_CLIENT_ID": str(uuid.uuid4()),
        "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "STATIC_MANIFEST": "0",  # files are found where they lie, without collecting them
        "TIME_FACTOR": "0.02",
        "VAR_DIR": str(var_dir),
    }
    os.environ.pop("BOKIO_AUTHORIZE_URL", None)
    for name, value in addresses.items():
        os.environ.pop(name, None)
        if value:
            os.environ[name] = value


def _worker() -> str:
    """Which of the processes of a parallel run this is."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes, so that no process is left alone with one at the end.

    `--no-loadscope-reorder` keeps this order when files are shared out.
    """
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Begin with a database that is migrated already.

    On SQLite keep it in a file: its locks and its journal are what the app has. A test that
    commits leaves it empty, on either database.
    """
    from django.conf import settings

    from tests.support import emptying, templates

    emptying.install()
    if INPROCESS:
        return  # tables straight from the models
    database: dict[str, Any] = settings.DATABASES["default"]
    if EMBEDDED:
        file = Path(os.environ["VAR_DIR"]) / f"test-{_worker()}" / "app.sqlite3"
        file.parent.mkdir()
        templates.on_sqlite(file)
        database.setdefault("TEST", {})["NAME"] = str(file)
        # As PostgreSQL's quick server: what most tests look at needs no disk.
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("=FULL", "=OFF")
    else:
        template = templates.on_postgres(os.environ["DATABASE_URL"])
        database.setdefault("TEST", {})["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Django would remove the copy on SQLite, and migrate another."""
    return django_db_keepdb or EMBEDDED
