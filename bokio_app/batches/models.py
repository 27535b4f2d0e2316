"""What was ordered by file: one row per reference, kept for good."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class BulkLine(models.Model):
    """An accepted line. Its reference is used up: the same content again is the same order, any
    other content is refused.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="bulk_lines", verbose_name=_("workspace")
    )
    reference = models.CharField(_("reference"), max_length=200)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what was ordered")
    invoice = models.OneToOneField(
        "invoicing.Invoice",
        models.SET_NULL,
        null=True,
        related_name="bulk_line",
        verbose_name=_("invoice"),
    )
    flow = models.OneToOneField(
        "flows.Flow", models.PROTECT, related_name="bulk_line", verbose_name=_("run")
    )
    unread = models.BooleanField(
        default=False, help_text="its flow has ended, and the invoice was not read since"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("ordered invoice")
        verbose_name_plural = _("ordered invoices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            UniqueConstraint(fields=["tenant", "reference"], name="bulk_reference_once"),
        ]
        indexes = [
            models.Index(fields=["tenant"], condition=Q(unread=True), name="bulk_unread"),
        ]

    def __str__(self) -> str:
        return self.reference
