"""Bring the demo's database, files and data up to date; run by `tools.demo` in its environment."""

import hashlib
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from tools.programs import ROOT

_STAMP = "static.stamp"


def main() -> None:
    """Do what is needed; a second start finds nothing to do in a second or two."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bokio_app.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    collect_static_files()
    call_command("seed_demo")


def collect_static_files() -> None:
    """Collect and compress static files, unless none has changed since the last time."""
    stamp = Path(settings.VAR_DIR) / _STAMP
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=1)
    stamp.write_text(wanted)


def fingerprint() -> str:
    """Return a hash over our own static files and the versions of everyone else's."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
