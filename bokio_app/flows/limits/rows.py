"""The limiter's state as rows, where there is no Redis."""

from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """What the limiter knows of one company, see `tables.State`; whoever asks locks this row."""

    connection = models.OneToOneField(
        "connections.Connection", models.CASCADE, primary_key=True, related_name="pace"
    )
    state = models.TextField(default="{}")

    def __str__(self) -> str:
        return f"pace of {self.connection_id}"
