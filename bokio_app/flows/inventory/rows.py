"""What an inventory found: things at Bokio that are not as our rows say."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.tenants.seen import SeenManager


class Finding(models.Model):
    """One difference between Bokio's books and ours, an alarm until a person has resolved it.

    `step` is what made the thing, or should have; None when our marker stands on a thing that no
    step of ours knows.
    """

    class Kind(models.TextChoices):
        SURPLUS = "surplus", _("One too many in Bokio")
        CHANGED = "changed", _("Changed in Bokio")
        VANISHED = "vanished", _("No longer in Bokio")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="findings", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="findings",
        verbose_name=_("connection"),
    )
    step = models.ForeignKey(
        "flows.Step", models.CASCADE, null=True, related_name="findings", verbose_name=_("step")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    object_type = models.CharField(_("what"), max_length=20)
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    wanted = models.JSONField(
        default=dict, encoder=DjangoJSONEncoder, help_text="as our rows have it"
    )
    seen = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="as Bokio has it")
    found_at = models.DateTimeField(_("found"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("resolved by")
    )
    reason = models.TextField(_("reason"), blank=True)

    objects = SeenManager()

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-found_at", "-pk"]
        constraints = [
            # The same thing is counted on several days, and is told once.
            UniqueConstraint(
                fields=["connection", "object_type", "remote_id", "kind"], name="finding_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "-found_at"],
                condition=Q(resolved_at__isnull=True),
                name="finding_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_type} {self.remote_id}"
