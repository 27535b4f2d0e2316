"""Collect the texts of product and sandbox, and see to it that none lacks its Swedish.

    tools.messages update     rewrite the .po files from the source, and compile them
    tools.messages check      change nothing; fail on a text that is missing, fuzzy or not compiled

Each of the two programs is copied into a folder of its own first, since their templates lie side
by side and gettext sorts texts by folder.
"""

import gettext
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.programs import ROOT

LANGUAGE = "sv"
_PO = f"{LANGUAGE}/LC_MESSAGES/django.po"


class MissingToolError(Exception):
    """A program of GNU gettext is not installed."""


@dataclass(frozen=True)
class Catalogue:
    """The texts of one program: the folders they stand in, and the folder of their translations."""

    name: str
    sources: tuple[str, ...]
    without: tuple[str, ...]
    locale: str


CATALOGUES = (
    Catalogue(
        name="product",
        sources=("bokio_app", "templates"),
        without=("bokio_app/sandbox", "templates/sandbox"),
        locale="locale",
    ),
    Catalogue(
        name="sandbox",
        sources=("bokio_app/sandbox", "templates/sandbox"),
        without=(),
        locale="bokio_app/sandbox/locale",
    ),
)


def main() -> None:
    """Update or check both catalogues."""
    updating = sys.argv[1:] == ["update"]
    problems = []
    try:
        for catalogue in CATALOGUES:
            if updating:
                update(catalogue)
            else:
                problems += check(catalogue)
    except MissingToolError as missing:
        sys.exit(str(missing))
    if problems:
        sys.exit("\n".join([*problems, "make messages collects texts; then translate them."]))


def update(catalogue: Catalogue) -> None:
    """Rewrite and compile the catalogue's files."""
    target = ROOT / catalogue.locale / _PO
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(collected(catalogue, Path(folder)), target)
    compile_to(target.with_suffix(".mo"), target)
    print(f"{target.relative_to(ROOT)}: {len(texts(target, '--untranslated'))} untranslated")


def check(catalogue: Catalogue) -> list[str]:
    """Return what is wrong with the catalogue, one line for each text."""
    committed = ROOT / catalogue.locale / _PO
    compiled = committed.with_suffix(".mo")
    if not committed.exists() or not compiled.exists():
        return [f"{catalogue.name}: {committed.relative_to(ROOT)} and its .mo must both exist"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fresh = collected(catalogue, folder)
        problems = [
            f"{catalogue.name}: {fault}: {text}"
            for fault, selection in (("no Swedish", "--untranslated"), ("fuzzy", "--only-fuzzy"))
            for text in texts(fresh, selection)
        ]
        compile_to(folder / "expected.mo", committed)
        if entries(folder / "expected.mo") != entries(compiled):
            problems.append(f"{catalogue.name}: the .mo file is older than the .po file")
    return problems


def collected(catalogue: Catalogue, folder: Path) -> Path:
    """Copy the sources into the folder, collect their texts there; return the .po file made."""
    excluded = {ROOT / part for part in (*catalogue.without, catalogue.locale)}

    def ignored(directory: str, names: list[str]) -> Iterable[str]:
        return [n for n in names if n == "__pycache__" or Path(directory, n) in excluded]

    for source in catalogue.sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, ignore=ignored)
    committed = ROOT / catalogue.locale / _PO
    target = folder / "locale" / _PO
    target.parent.mkdir(parents=True)
    if committed.exists():
        shutil.copy(committed, target)
    arguments = ["--locale", LANGUAGE, "--no-obsolete", "--add-location", "file"]
    run([sys.executable, "-m", "django", "makemessages", *arguments], folder)
    return target


def texts(po: Path, selection: str) -> list[str]:
    """Return the source texts that `msgattrib` selects."""
    found = run(["msgattrib", "--no-wrap", "--no-obsolete", selection, str(po)], ROOT)
    lines = (line for line in found.splitlines() if line.startswith("msgid "))
    return [line.removeprefix("msgid ") for line in lines if line != 'msgid ""']


def compile_to(mo: Path, po: Path) -> None:
    """Compile; a placeholder that the translation lost is an error."""
    run(["msgfmt", "--check-format", "-o", str(mo), str(po)], ROOT)


def entries(mo: Path) -> dict[object, str]:
    """Return what a compiled file says, but for its header."""
    with mo.open("rb") as file:
        catalogue: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    return {key: value for key, value in catalogue.items() if key}


def run(command: list[str], folder: Path) -> str:
    """Run a program and return what it printed; end with its complaints if it fails."""
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise MissingToolError(
            f"{command[0]} is missing. Debian, Ubuntu: sudo apt-get install gettext"
        ) from None
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
