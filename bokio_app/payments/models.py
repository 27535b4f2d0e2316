"""Payments and settlements of invoices: wanted by a person here, or read from Bokio."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """Money received for an invoice, in SEK. `remote_id` is empty until Bokio has it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invoice = models.ForeignKey(
        "invoicing.Invoice", models.PROTECT, related_name="payments", verbose_name=_("invoice")
    )
    date = models.DateField(_("date"))
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2)
    account = models.PositiveIntegerField(_("account"))
    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    journal_entry_id = models.CharField(
        _("journal entry's id"), max_length=80, blank=True, help_text="set once recorded"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["date", "created_at"]
        constraints = [
            UniqueConstraint(
                fields=["invoice", "remote_id"],
                condition=~Q(remote_id=""),
                name="payment_remote_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.amount}"

    @property
    def is_recorded(self) -> bool:
        return bool(self.journal_entry_id)


class Settlement(models.Model):
    """A fee or currency difference that closes the rest of an invoice, in SEK."""

    class Type(models.TextChoices):
        BANK_FEE = "bankFee", _("Bank fee")
        CURRENCY = "currency", _("Currency difference")
        PAYMENT_SERVICE_FEE = "paymentServiceFee", _("Payment service fee")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invoice = models.ForeignKey(
        "invoicing.Invoice", models.PROTECT, related_name="settlements", verbose_name=_("invoice")
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="settlements"
    )
    type = models.CharField(_("type"), max_length=30, choices=Type.choices)
    date = models.DateField(_("date"))
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2)
    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    journal_entry_id = models.CharField(
        _("journal entry's id"), max_length=80, blank=True, help_text="set once recorded"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        ordering = ["date", "created_at"]
        constraints = [
            UniqueConstraint(
                fields=["invoice", "remote_id"],
                condition=~Q(remote_id=""),
                name="settlement_remote_once",
            ),
            CheckConstraint(condition=~Q(amount=0), name="settlement_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.amount}"

    @property
    def is_recorded(self) -> bool:
        return bool(self.journal_entry_id)

    @property
    def label(self) -> str:
        """The kind in the reader's language; a kind made in Bokio itself as it stands."""
        return str(dict(self.Type.choices).get(self.type, self.type))
