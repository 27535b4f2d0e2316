"""The product's settings with the sandbox in the same process, on a database of its own.

Times are the real ones (`TIME_FACTOR` 1): the clock is the harness's, so they cost nothing. The
product's database is in memory, or PostgreSQL where `DATABASE_URL` names one.
"""

import os

os.environ |= {
    "APP_URL": "http://app.inprocess",
    "BOKIO_API_URL": "http://bokio.inprocess/v1",
    "BOKIO_CLIENT_ID": "8b1f4a52-6c0e-4f65-9f0e-3f0f5c3b7a10",
    "BOKIO_CLIENT_SECRET": "secret-of-the-application",
    "DATABASE_POOL": "0",
    "STATIC_MANIFEST": "0",
    "TIME_FACTOR": "1",
}
os.environ.setdefault("LOG_LEVEL", "CRITICAL")
os.environ.pop("REDIS_URL", None)
os.environ.pop("BOKIO_AUTHORIZE_URL", None)

from bokio_app.settings import *  # noqa: F403  the environment comes first
from bokio_app.settings import BOKIO_CLIENT_ID, BOKIO_CLIENT_SECRET, DATABASES, EMBEDDED
from bokio_app.settings import INSTALLED_APPS as OF_THE_PRODUCT
from bokio_app.settings import VAR_DIR as OF_THE_RUN

# On SQLite one process executes for each folder; those of a parallel run have nothing in common.
VAR_DIR = OF_THE_RUN / os.environ.get("PYTEST_XDIST_WORKER", "main")
INSTALLED_APPS = [*OF_THE_PRODUCT, "bokio_app.sandbox.apps.SandboxConfig"]
DATABASE_ROUTERS = ["tests.inprocess.router.SandboxRouter"]
if EMBEDDED:
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
DATABASES["sandbox"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": ":memory:",
    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
}


class _NoMigrations(dict[str, None]):
    """Tables straight from the models: the ordinary run tries the migrations."""

    def __contains__(self, _app: object) -> bool:
        return True

    def __missing__(self, _app: str) -> None:
        return None


MIGRATION_MODULES = _NoMigrations()

# The sandbox's own settings, as far as its API needs them.
SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET = BOKIO_CLIENT_ID, BOKIO_CLIENT_SECRET
SANDBOX_REDIRECT_URIS = ["http://app.inprocess/bokio/callback"]
