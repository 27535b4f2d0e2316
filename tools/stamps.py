"""Short texts that stay the same for as long as there is nothing to do."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from tools.programs import ROOT


def of_files(*folders: str) -> str:
    """Return a hash over files of ours, by place, size and time, and over all pinned versions."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".pyc" or path.is_dir():
                continue
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def of_demo(var: Path, env: Mapping[str, str]) -> str:
    """Return what the demo's database and files were prepared for; empty if one is missing.

    The code with its migrations, the static files, the account's password, and the very database
    file: one that was put in its place is prepared anew.
    """
    database = var / "app.sqlite3"
    if not (database.is_file() and (var / "static").is_dir()):
        return ""
    key, password = env["SECRET_KEY"].encode(), env["DEMO_PASSWORD"].encode()
    account = hmac.new(key, password, hashlib.sha256).hexdigest()
    return f"{of_files('bokio_app', 'static')} {account} {database.stat().st_ino}"
