"""What the settings promise: documented variables, named mistakes, and no sandbox."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver

ROOT = Path(settings.BASE_DIR)
PRODUCTION = {
    "DATABASE_URL": "postgres://app:pw@db.example/app",
    "SECRET_KEY": "x" * 50,
    "FIELD_ENCRYPTION_KEYS": base64.b64encode(b"k" * 32).decode(),
    "BOKIO_CLIENT_ID": "00000000-0000-4000-8000-000000000000",
    "BOKIO_CLIENT_SECRET": "secret",
    "APP_URL": "https://bokio-app.example",
}


def start_with(**changes: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, in a production environment so changed."""
    env = {"PATH": os.environ["PATH"], **PRODUCTION, **changes}
    code = "import bokio_app.settings as s; print(s.EMBEDDED)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={name: value for name, value in env.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_keys_of_its_own() -> None:
    assert start_with().stdout.strip() == "False"


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "BOKIO_CLIENT_ID", "BOKIO_CLIENT_SECRET"]
)
def test_production_refuses_to_start_without_a_secret_and_names_it(missing: str) -> None:
    refused = start_with(**{missing: ""})

    assert refused.returncode != 0
    assert re.search(rf"{missing} is not set\. Example: ", refused.stderr)


@pytest.mark.parametrize(
    "name, value",
    [
        ("FIELD_ENCRYPTION_KEYS", "c2hvcnQ="),
        ("FIELD_ENCRYPTION_KEYS", "not base64"),
        ("APP_URL", "bokio-app.example"),
        ("BOKIO_API_URL", "ftp://api.example"),
        ("FLOW_DEADLINE", "soon"),
        ("TIME_FACTOR", "0"),
        ("DATABASE_URL", "mysql://app:pw@db.example/app"),
    ],
)
def test_a_malformed_variable_is_named_with_an_example(name: str, value: str) -> None:
    refused = start_with(**{name: value})

    assert refused.returncode != 0
    assert name in refused.stderr.splitlines()[-1]
    assert "xample: " in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr.splitlines()[-1]


def test_every_variable_is_documented() -> None:
    source = (ROOT / "bokio_app/settings.py").read_text()
    reading = r'(?:required|http_url|number|env\.\w+|environ\.get)\(\s*"([A-Z_]+)"'
    read = set(re.findall(reading, source))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text()))

    assert len(read) > 15
    assert read <= documented


def test_the_product_neither_installs_nor_routes_the_sandbox() -> None:
    assert not [app for app in settings.INSTALLED_APPS if "sandbox" in app]
    modules = {getattr(callback, "__module__", "") for callback in get_resolver().reverse_dict} | {
        str(pattern.pattern) for pattern in get_resolver().url_patterns
    }
    assert not [name for name in modules if "sandbox" in name]
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import django, sys; django.setup(); import bokio_app.urls;"
                "print([m for m in sys.modules if 'sandbox' in m])"
            ),
        ],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "[]"


def test_cookies_of_app_and_sandbox_cannot_meet() -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME)"
    )
    sandbox = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
    }

    assert len(sandbox) == 3
    assert not ours & set(sandbox)
