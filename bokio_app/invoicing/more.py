"""What the editor keeps of an invoice beyond its head and its lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core.money import ZERO


class InvoiceMore(models.Model):
    """What a draft of ours says beyond head and lines. Most invoices have no such row."""

    class Discount(models.TextChoices):
        PERCENT = "percent", "%"
        AMOUNT = "amount", _("without VAT")

    ADDRESS = ("line1", "line2", "postal_code", "city", "country")

    invoice = models.OneToOneField(
        "invoicing.Invoice", models.CASCADE, primary_key=True, related_name="more"
    )
    discount = models.DecimalField(
        _("discount"), max_digits=15, decimal_places=2, default=ZERO, help_text="0 for none"
    )
    discount_kind = models.CharField(
        max_length=10, choices=Discount.choices, default=Discount.PERCENT
    )
    rate = models.DecimalField(
        _("rate"),
        max_digits=20,
        decimal_places=8,
        default=Decimal(1),
        help_text="SEK per unit of the invoice's currency",
    )
    order_number = models.CharField(_("order number"), max_length=100, blank=True)
    project = models.CharField(_("project"), max_length=100, blank=True)
    contract = models.CharField(_("contract"), max_length=100, blank=True)
    line1 = models.CharField(_("delivery address"), max_length=200, blank=True)
    line2 = models.CharField(_("address, second line"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)

    class Meta:
        verbose_name = _("invoice's additions")
        verbose_name_plural = _("invoices' additions")
        constraints = [
            CheckConstraint(
                condition=Q(discount__gte=0) & (Q(discount__lte=100) | Q(discount_kind="amount")),
                name="more_discount_possible",
            ),
            CheckConstraint(condition=Q(rate__gt=0), name="more_rate_positive"),
        ]

    def __str__(self) -> str:
        return str(self.invoice_id)

    @property
    def payload(self) -> dict[str, Any]:
        """As `create_invoice` carries it; empty parts too, so that a correction can empty them."""
        address = {name: getattr(self, name) for name in self.ADDRESS}
        address["country"] = address["country"] or "SE"
        return {
            "currency_rate": self.rate,
            "order_number": self.order_number,
            "project": self.project,
            "contract": self.contract,
            "delivery_address": address if self.line1 else None,
        }


class Writing(models.Model):
    """How far somebody has come in writing a draft: what was typed and is not whole yet.

    `typed` is the form as it stood, empty once all of it is in the invoice. `page_key` is that of
    the page which saved last, so that a page whose answer was lost is not in its own way.
    """

    invoice = models.OneToOneField(
        "invoicing.Invoice", models.CASCADE, primary_key=True, related_name="writing"
    )
    typed = models.JSONField(default=dict, blank=True)
    page_key = models.CharField(max_length=80, blank=True)
    page_seq = models.PositiveIntegerField(
        default=0, help_text="of the saves of that page, which may arrive in another order"
    )
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    saved_at = models.DateTimeField()
    noted_at = models.DateTimeField(null=True, help_text="when saving was last written to the log")

    class Meta:
        verbose_name = _("draft being written")
        verbose_name_plural = _("drafts being written")

    def __str__(self) -> str:
        return str(self.invoice_id)


class Opened(models.Model):
    """Who has a draft open; the page says so again and again while it is looked at."""

    invoice = models.ForeignKey("invoicing.Invoice", models.CASCADE, related_name="opened")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("open draft")
        verbose_name_plural = _("open drafts")
        constraints = [UniqueConstraint(fields=["invoice", "user"], name="opened_once")]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.user_id}"
