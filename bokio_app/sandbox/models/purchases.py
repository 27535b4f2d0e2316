"""Purchases: suppliers, their invoices, uploaded receipts, and payments from the bank account."""

import uuid
from decimal import Decimal

from django.db import models

from bokio_app.sandbox.models.access import Application
from bokio_app.sandbox.models.amounts import Amount
from bokio_app.sandbox.models.books import JournalEntry
from bokio_app.sandbox.models.companies import Company


class Supplier(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="suppliers")
    name = models.CharField(max_length=200)
    org_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3, default="SEK")
    address = models.JSONField(null=True)
    payment_details = models.JSONField(null=True)
    made_by = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name


class SupplierInvoice(models.Model):
    """An invoice to pay, in the supplier's currency."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="supplier_invoices")
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="invoices")
    invoice_number = models.CharField(max_length=60, blank=True)
    invoice_date = models.DateField()
    due_date = models.DateField()
    total = Amount()
    remaining = Amount()
    currency = models.CharField(max_length=3, default="SEK")
    currency_rate = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(1))
    lines = models.JSONField(default=list)
    entry = models.OneToOneField(
        JournalEntry, models.PROTECT, null=True, related_name="supplier_invoice"
    )
    made_by = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return self.invoice_number


class Upload(models.Model):
    """A document of the books, free or connected to an entry or a supplier invoice."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="uploads")
    description = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    entry = models.ForeignKey(JournalEntry, models.PROTECT, null=True, related_name="uploads")
    supplier_invoice = models.ForeignKey(
        SupplierInvoice, models.SET_NULL, null=True, related_name="uploads"
    )

    def __str__(self) -> str:
        return self.description


class BankPayment(models.Model):
    """An order to pay that waits for somebody to sign it in Bokio."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="bank_payments")
    made_by = models.ForeignKey(Application, models.PROTECT, related_name="+")
    amount = Amount()
    payment_date = models.DateField()
    recipient = models.JSONField()
    own_note = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=20, default="readyToSign")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.payment_date} {self.amount}"
