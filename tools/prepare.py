"""Bring the demo's database, files and data up to date; run by `tools.demo` in its environment."""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from tools import stamps

_STAMP = "static.stamp"


def main() -> None:
    """Do what is needed, and leave alone what is as it should be."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bokio_app.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    collect_static_files()
    call_command("seed_demo")


def collect_static_files() -> None:
    """Collect and compress static files, unless none has changed since the last time."""
    stamp = Path(settings.VAR_DIR) / _STAMP
    wanted = stamps.of_files("static")
    if stamp.is_file() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=1)
    stamp.write_text(wanted)


if __name__ == "__main__":
    main()
