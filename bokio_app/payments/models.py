"""Payments and settlements of invoices: wanted by a person here, or read from Bokio."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, QuerySet, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core import clock

UNRECORDED = Q(journal_entry_id="", gone_at=None)  # made, or to be made, and in no books


class Standing(models.Manager[Any]):
    """Rows that Bokio has, or shall have. Those that it has no longer are in `ever` alone."""

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(gone_at=None)


class Payment(models.Model):
    """Money received for an invoice, in SEK. `remote_id` is empty until Bokio has it."""

    objects: ClassVar[models.Manager[Payment]] = Standing()
    ever: ClassVar[models.Manager[Payment]] = models.Manager()

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
    gone_at = models.DateTimeField(
        _("gone from Bokio"), null=True, help_text="when it was found that Bokio has it no longer"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

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
        indexes = [
            models.Index(fields=["invoice"], condition=UNRECORDED, name="payment_unrecorded"),
            models.Index(fields=["date", "invoice"], name="payment_day"),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.amount}"

    @property
    def is_recorded(self) -> bool:
        return bool(self.journal_entry_id)


class Settlement(models.Model):
    """A fee or currency difference that closes the rest of an invoice, in SEK."""

    objects: ClassVar[models.Manager[Settlement]] = Standing()
    ever: ClassVar[models.Manager[Settlement]] = models.Manager()

    class Type(models.TextChoices):
        BANK_FEE = "bankFee", _("Bank fee")
        CURRENCY = "currency", _("Currency difference")
        PAYMENT_SERVICE_FEE = "paymentServiceFee", _("Payment service fee")

    class VatScheme(models.TextChoices):
        DOMESTIC = "domestic", _("Swedish seller")
        EU = "eu", _("Seller in the EU")
        NON_EU = "nonEu", _("Seller outside the EU")
        EXEMPT = "vatExempt", _("Without VAT")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invoice = models.ForeignKey(
        "invoicing.Invoice", models.PROTECT, related_name="settlements", verbose_name=_("invoice")
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="settlements"
    )
    type = models.CharField(_("type"), max_length=30, choices=Type.choices)
    vat_scheme = models.CharField(
        _("VAT scheme"),
        max_length=20,
        blank=True,
        default="",
        db_default="",  # the last release, which may run beside this one, does not know of it
        help_text="of a payment service's fee: domestic, eu, nonEu or vatExempt",
    )
    date = models.DateField(_("date"))
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2)
    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    journal_entry_id = models.CharField(
        _("journal entry's id"), max_length=80, blank=True, help_text="set once recorded"
    )
    gone_at = models.DateTimeField(
        _("gone from Bokio"), null=True, help_text="when it was found that Bokio has it no longer"
    )
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

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
        indexes = [
            models.Index(fields=["invoice"], condition=UNRECORDED, name="settlement_unrecorded")
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
