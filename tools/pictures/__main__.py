"""Take every picture of docs/pictures/ afresh.

Everything runs on SQLite with a sandbox of its own, so the pictures show what the program does
today: every number on them was worked out by the program and by the sandbox's books.
"""

import base64
import os
import secrets
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from playwright.sync_api import sync_playwright

from tests.support.processes import Stack
from tests.support.walk import CHROMIUM
from tools import browser, valkey
from tools.pictures import palette
from tools.pictures.studio import FOLDER, Studio

COMPANIES, HISTORY = 3, 60


def main() -> None:
    """Take all pictures; those of earlier days that are no longer taken go away."""
    program = browser.find()
    if program is None:
        sys.exit(f"Chromium is missing (Debian: sudo apt-get install {browser.PACKAGE}).")
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        set_environment(Path(folder))
        with running(Path(folder)) as stack, sync_playwright() as playwright:
            window = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
            studio = Studio(window, stack, password=os.environ["DEMO_PASSWORD"])
            take_all(studio)
            blank = window.new_page()
            for path in studio.taken:
                palette.keep_smaller(path, blank)
            window.close()
    for path in set(FOLDER.glob("*.png")) - set(studio.taken):
        path.unlink()
    size = sum(path.stat().st_size for path in studio.taken)
    print(f"{len(studio.taken)} pictures, {size / 1e6:.1f} MB, in {FOLDER}")


def take_all(studio: Studio) -> None:
    """Go through the scenes in their order."""
    from tools.pictures import scenes  # noqa: PLC0415  # its models need the settings, set by now

    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in scenes.SCENES:
        scene(studio)
        print(f"{scene.__name__}: done", flush=True)


def set_environment(folder: Path) -> None:
    """Set for this process what the application's processes will have too."""
    var = folder / "own"
    (var / "static").mkdir(parents=True)
    for name in ("DATABASE_URL", "REDIS_URL", "BOKIO_API_URL", "BOKIO_AUTHORIZE_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "BOKIO_CLIENT_ID": str(uuid.uuid4()),
        "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(24),
        "DEMO_PASSWORD": secrets.token_urlsafe(24),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's sync API runs a loop in this thread
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "STATIC_MANIFEST": "0",  # files are found where they lie, without collecting them
        "TIME_FACTOR": "0.1",
        "VAR_DIR": str(var),
    }


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start the application; from then on this process reads and writes the same database."""
    with Stack(
        folder,
        embedded=True,
        broker=valkey.find() is not None,
        companies=COMPANIES,
        history=HISTORY,
    ) as stack:
        stack.start()
        stack.manage("seed_demo")
        names = ("APP_URL", "BOKIO_API_URL", "REDIS_URL", "VAR_DIR")
        os.environ |= {name: stack.env[name] for name in names}
        os.environ["DJANGO_SETTINGS_MODULE"] = "bokio_app.settings"
        django.setup()
        yield stack


if __name__ == "__main__":
    main()
