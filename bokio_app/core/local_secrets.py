"""Secrets of the embedded mode: random, made once, kept in a file that only its owner may read.

A deployment has keys of its own in its environment and never comes here. Standard library only,
because the launcher reads the file before anything is installed.
"""

import base64
import fcntl
import os
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "secrets.env"

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else


def _encryption_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _password() -> str:
    """Return four groups of four characters: 79 bits, and fit to be typed from a screen."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))


_MAKERS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": _encryption_key,
    "BOKIO_CLIENT_ID": lambda: str(uuid.uuid4()),
    "BOKIO_CLIENT_SECRET": lambda: secrets.token_urlsafe(32),
    "DEMO_PASSWORD": _password,
}
NAMES = tuple(_MAKERS)


def ensure_secrets(var_dir: Path) -> dict[str, str]:
    """Return every secret by its name, making those that `var_dir` does not hold yet.

    The folder is made 0700 and the file 0600. Processes that start at the same moment agree on
    one set of values: the first writes, the others wait for it. Raises `OSError` when the folder
    cannot be written.
    """
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(var_dir):
        path = var_dir / FILE_NAME
        known = _read(path)
        _close_to_others(var_dir)
        missing = {name: make() for name, make in _MAKERS.items() if not known.get(name)}
        if missing:
            known |= missing
            _write(path, known)
    return known


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's own lock, which a killed process gives back and which leaves no file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _close_to_others(folder: Path) -> None:
    """Take from everyone else the right to a folder that some other program made."""
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file in one move, so that a reader or a crash never sees half of it."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
