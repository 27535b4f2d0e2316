"""Our rows of Bokio's credit notes."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core.money import ZERO
from bokio_app.flows.listing.rows import Copied
from bokio_app.tenants.seen import SeenManager


class CreditNote(Copied):
    """What takes an invoice back, as a whole or in part, as Bokio has it."""

    DRAFT = "draft"  # Bokio's word; any other status is one of a published note

    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="credit_notes", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="credit_notes",
        verbose_name=_("connection"),
    )
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    remote_invoice = models.CharField(max_length=80, blank=True, help_text="Bokio's id of it")
    status = models.CharField(_("status"), max_length=20)
    number = models.CharField(_("number"), max_length=40, blank=True)
    credit_date = models.DateField(_("date"))
    due_date = models.DateField(_("due date"), null=True)
    currency = models.CharField(_("currency"), max_length=3, default="SEK")
    total = models.DecimalField(_("total"), max_digits=15, decimal_places=2, default=ZERO)
    tax = models.DecimalField(max_digits=15, decimal_places=2, default=ZERO)
    published_at = models.DateTimeField(null=True)
    journal_entry_id = models.CharField(
        _("journal entry's id"), max_length=80, blank=True, help_text="set once recorded"
    )
    lines = models.JSONField(null=True, help_text="as in `sync.credit_notes`; null until read")

    objects = SeenManager()

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-credit_date", "pk"]
        constraints = [
            UniqueConstraint(fields=["connection", "remote_id"], name="credit_note_once")
        ]
        indexes = [
            models.Index(fields=["connection", "remote_invoice"], name="credit_note_of"),
            models.Index(fields=["tenant", "-credit_date", "-id"], name="credit_note_newest"),
        ]

    def __str__(self) -> str:
        return self.number or str(_("Draft"))

    @property
    def is_draft(self) -> bool:
        return self.status == self.DRAFT

    @property
    def is_recorded(self) -> bool:
        return bool(self.journal_entry_id)

    @property
    def net(self) -> Decimal:
        return self.total - self.tax

    @property
    def state(self) -> str:
        """As `{% glyph %}` names it."""
        if self.is_draft:
            return "draft"
        return "recorded" if self.is_recorded else "published"
