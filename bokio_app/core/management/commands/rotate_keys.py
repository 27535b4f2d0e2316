"""Encrypt all that is stored with the newest key: `manage.py rotate_keys`, see `docs/deploy.md`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bokio_app.core import crypto, rotation, sealing


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first key of FIELD_ENCRYPTION_KEYS. Runs beside the "
        "app; interrupted, it goes on where it was when it is started again. Ends with 1 while "
        "anything is left under another key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="count only, and change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["check"]:
            for column in sealing.columns():
                written = rotation.rotate(column)
                self.stdout.write(f"{column}: {written} rows encrypted anew")
        counted = rotation.count()
        for name, tally in counted.items():
            self._tell(name, tally)
        if any(tally.left or tally.lost for tally in counted.values()):
            sys.exit(1)
        self.stdout.write("Everything is under the newest key; the others may go.")

    def _tell(self, name: str, tally: rotation.Tally) -> None:
        ours = crypto.key_ids()
        for key, values in sorted(tally.by_key.items()):
            place = f"key {ours.index(key) + 1}" if key in ours else "a key that we do not have"
            self.stdout.write(f"{name}: {values} under {place} ({key})")
        if tally.unbound:
            self.stdout.write(f"{name}: {tally.unbound} not yet bound to their rows")
        if tally.lost:
            self.stdout.write(f"{name}: {tally.lost} cannot be opened with any key that we have")
