"""After a restore of the database: nothing is sent before Bokio has been read."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from bokio_app.flows.epochs import raise_epoch, unchecked


class Command(BaseCommand):
    help = (
        "Run once after restoring the database or a failover that may have lost commits, before "
        "the workers start again: every open run is compared with Bokio before it sends anything."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="what happened, for the record")

    def handle(self, *_args: Any, **options: Any) -> None:
        recovery = raise_epoch(options["reason"])
        open_flows = unchecked(recovery.epoch)
        counted = open_flows.values("connection__name", "connection__company_id")
        for row in counted.annotate(flows=Count("*")).order_by("connection__name"):
            name = row["connection__name"] or row["connection__company_id"]
            self.stdout.write(f"{name}: {row['flows']} to be read for")
        self.stdout.write(
            f"Epoch {recovery.epoch}. {open_flows.count()} open runs in doubt; "
            f"absence counts from {recovery.settled_at:%Y-%m-%d %H:%M:%S} UTC."
        )
