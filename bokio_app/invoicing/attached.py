"""Files that people attach to invoices: the rows, whose content is a document of ours."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core import clock
from bokio_app.documents.models import Document


class Attachment(models.Model):
    """A file of an invoice. `remote_id` is empty until Bokio has it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invoice = models.ForeignKey("invoicing.Invoice", models.CASCADE, related_name="attachments")
    document = models.OneToOneField(Document, models.CASCADE, related_name="attachment")
    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("added by")
    )
    added_at = models.DateTimeField(_("added"), default=clock.now)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["invoice", "added_at", "pk"]
        constraints = [
            UniqueConstraint(
                fields=["invoice", "remote_id"],
                condition=~Q(remote_id=""),
                name="attachment_remote_once",
            )
        ]

    def __str__(self) -> str:
        return str(self.document)

    @property
    def type_label(self) -> str:
        """What people call its type: PDF, JPEG or PNG."""
        return self.document.content_type.rpartition("/")[2].upper()

    @property
    def is_at_bokio(self) -> bool:
        return bool(self.remote_id)
