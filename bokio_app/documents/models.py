"""Files that we keep: copies of Bokio's, and those that people attach to invoices."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core import clock
from bokio_app.tenants.seen import SeenManager


class Document(models.Model):
    """One file, in the database, so that every machine serves it and nothing else must be kept.

    `kind` and `remote_id` name what of Bokio's it belongs to; of an attachment, our own row's key.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice as PDF")
        CREDIT_NOTE = "credit_note", _("Credit note as PDF")
        ATTACHMENT = "attachment", _("Attachment")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="documents", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="documents",
        verbose_name=_("connection"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    name = models.CharField(_("file name"), max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    fetched_at = models.DateTimeField(_("read from Bokio"), default=clock.now)

    objects = SeenManager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            UniqueConstraint(fields=["connection", "kind", "remote_id"], name="document_once")
        ]

    def __str__(self) -> str:
        return self.name
