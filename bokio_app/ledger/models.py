"""Our copy of a company's books. Bokio decides; these rows say when they were read."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _


class FiscalYear(models.Model):
    """A fiscal year of a company. Nothing can be recorded in a closed one."""

    class Method(models.TextChoices):
        ACCRUAL = "accrual", _("accrual method")
        CASH = "cash", _("cash method")

    connection = models.ForeignKey(
        "connections.Connection",
        models.CASCADE,
        related_name="fiscal_years",
        verbose_name=_("connection"),
    )
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    start = models.DateField(_("start"))
    end = models.DateField(_("end"))
    method = models.CharField(
        _("method"), max_length=20, help_text="accrual or cash, as Bokio says"
    )
    status = models.CharField(_("status"), max_length=20, help_text="open or closed, as Bokio says")

    class Meta:
        verbose_name = _("fiscal year")
        verbose_name_plural = _("fiscal years")
        ordering = ["connection", "start"]
        constraints = [
            UniqueConstraint(fields=["connection", "remote_id"], name="fiscal_year_once")
        ]

    def __str__(self) -> str:
        return f"{self.start} – {self.end}"

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def is_cash(self) -> bool:
        return self.method == self.Method.CASH


class Account(models.Model):
    """An account of a company's chart."""

    connection = models.ForeignKey(
        "connections.Connection", models.CASCADE, related_name="accounts"
    )
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["connection", "number"]
        constraints = [UniqueConstraint(fields=["connection", "number"], name="account_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class JournalEntry(models.Model):
    """A journal entry as Bokio wrote it: balanced, never edited, only reversed."""

    connection = models.ForeignKey(
        "connections.Connection",
        models.CASCADE,
        related_name="journal_entries",
        verbose_name=_("connection"),
    )
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    number = models.CharField(_("number"), max_length=40, help_text="such as V342")
    title = models.CharField(_("title"), max_length=500, blank=True)
    date = models.DateField(_("date"), null=True)
    reversed_by = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        ordering = ["connection", "date", "pk"]
        constraints = [
            UniqueConstraint(fields=["connection", "remote_id"], name="journal_entry_once")
        ]

    def __str__(self) -> str:
        return self.number


class JournalItem(models.Model):
    """One row of a journal entry, in SEK."""

    entry = models.ForeignKey(JournalEntry, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(_("position"))
    account = models.PositiveIntegerField(_("account"))
    debit = models.DecimalField(
        _("debit"), max_digits=15, decimal_places=2, default=Decimal("0.00")
    )
    credit = models.DecimalField(
        _("credit"), max_digits=15, decimal_places=2, default=Decimal("0.00")
    )

    class Meta:
        ordering = ["entry", "position"]

    def __str__(self) -> str:
        return f"{self.account} {self.debit} {self.credit}"
