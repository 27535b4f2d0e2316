"""Files on their way to Bokio."""

from __future__ import annotations

import uuid

from django.db import models


class HeldFile(models.Model):
    """A file on its way to Bokio, committed with the flow that sends it, gone once it is there.

    In the database, so that every machine's workers have it and nothing else must be kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
