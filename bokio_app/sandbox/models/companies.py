"""People and their companies: settings, price plan, chart of accounts, fiscal years."""

import uuid

from django.db import models


class Person(models.Model):
    """Somebody who works in Bokio and may let an application in."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=80)
    email = models.EmailField()

    def __str__(self) -> str:
        return self.name


class Plan(models.TextChoices):
    """Bokio's price plans, and the trial in which everything is open."""

    BASIC = "basic"
    PLUS = "plus"
    PREMIUM = "premium"
    BUSINESS = "business"
    TRIAL = "trial"


class Company(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=120)
    company_type = models.CharField(max_length=30, default="limitedCompany")
    org_number = models.CharField(max_length=20)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=30, blank=True)
    address = models.JSONField(default=dict)
    has_bank_account = models.BooleanField(default=False)
    people = models.ManyToManyField(Person, related_name="companies")
    plan = models.CharField(max_length=10, choices=Plan, default=Plan.PLUS)
    has_integrations_addon = models.BooleanField(default=False)
    automatic_recording = models.BooleanField(default=False)
    whole_krona_rounding = models.BooleanField(default=False)
    payment_days = models.PositiveIntegerField(default=30)
    next_invoice_number = models.PositiveIntegerField(default=1001)
    next_entry_number = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A row of the chart of accounts. A payment account can receive a payment."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="accounts")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    account_type = models.CharField(max_length=20, default="basePlanAccount")
    receives_payments = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="account_one_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class FiscalYear(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="fiscal_years")
    start = models.DateField()
    end = models.DateField()
    method = models.CharField(max_length=10, default="accrual")
    status = models.CharField(max_length=10, default="open")

    def __str__(self) -> str:
        return f"{self.start}–{self.end}"
