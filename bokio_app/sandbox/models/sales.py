"""Sales: customers, items, invoices and what happens to them."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q

from bokio_app.sandbox.models.access import Application
from bokio_app.sandbox.models.amounts import ZERO, Amount
from bokio_app.sandbox.models.books import JournalEntry
from bokio_app.sandbox.models.companies import Company


class Customer(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="customers")
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10)
    vat_number = models.CharField(max_length=40, blank=True)
    org_number = models.CharField(max_length=40, blank=True)
    payment_terms = models.CharField(max_length=40, blank=True)
    contacts = models.JSONField(default=list)
    address = models.JSONField(null=True)
    language = models.CharField(max_length=2, default="sv")
    customer_number = models.CharField(max_length=40, blank=True)
    construction_reverse_charge = models.BooleanField(default=False)
    modified_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["company", "org_number"], name="customer_org_number"),
            models.Index(fields=["company", "name"], name="customer_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """Something sold, or a text, kept to be put on invoices."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="items")
    description = models.CharField(max_length=500)
    item_type = models.CharField(max_length=30)
    product_type = models.CharField(max_length=10, blank=True)
    unit_type = models.CharField(max_length=50, blank=True)
    unit_price = models.DecimalField(max_digits=16, decimal_places=6, default=ZERO)
    tax_rate = models.PositiveSmallIntegerField(default=0)
    account = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return self.description


class Invoice(models.Model):
    """An invoice with its lines as JSON, and its open amount kept up to date.

    `outstanding` is SEK: what the customer owes (`deduction` is owed by the Tax Agency) less
    payments, settlements and published credit notes. `made_by` is None for one made in the app.
    The references to attachments and credit notes are kept here once more, so that reading an
    invoice, the most frequent call of all, needs no other tables.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="invoices")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="invoices")
    customer_name = models.CharField(max_length=200, blank=True)
    contact = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    delivery_address = models.JSONField(null=True)
    references = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    lines = models.JSONField(default=list)
    currency = models.CharField(max_length=3, default="SEK")
    currency_rate = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(1))
    rounding = models.BooleanField(default=False)
    tax_reduction = models.JSONField(null=True, help_text="ROT or RUT, as the API writes it")
    made_by = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    invoice_date = models.DateField()
    due_date = models.DateField()
    total = Amount(default=ZERO)
    tax = Amount(default=ZERO)
    deduction = Amount(default=ZERO, help_text="the Tax Agency's share of ROT or RUT, SEK")
    paid = Amount(default=ZERO, help_text="payments, SEK")
    settled = Amount(default=ZERO, help_text="settlements, SEK")
    credited = Amount(default=ZERO, help_text="published credit notes, SEK")
    outstanding = Amount(default=ZERO)
    number = models.PositiveIntegerField(null=True)
    payment_reference = models.CharField(max_length=25, blank=True)
    published_at = models.DateTimeField(null=True)
    entry = models.OneToOneField(JournalEntry, models.PROTECT, null=True, related_name="invoice")
    attachment_refs = models.JSONField(default=list, help_text="`id` and `name`, in their order")
    credit_note_refs = models.JSONField(default=list, help_text="`id`, in their order")

    class Meta:
        indexes = [
            models.Index(fields=["company", "customer"], name="invoice_by_customer"),
            # Answers filters on states, sums and dates, in the order of lists, without the rows. An
            # index that begins with a date would be chosen instead, and read them one by one.
            models.Index(
                fields=[
                    *("company", "id", "number", "due_date", "invoice_date"),
                    *("total", "outstanding", "paid", "settled", "credited"),
                ],
                name="invoice_for_lists",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="invoice_one_per_number"),
            models.CheckConstraint(
                condition=Q(number__isnull=True, published_at__isnull=True)
                | Q(number__isnull=False, published_at__isnull=False),
                name="invoice_number_when_published",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number or "draft")


class InvoiceMetadata(models.Model):
    """The metadata of an invoice once more, one row per key, for filtering."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="+")
    key = models.CharField(max_length=25)
    value = models.CharField(max_length=250)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["company", "key", "value"], name="metadata_value")]

    def __str__(self) -> str:
        return self.key


class Attachment(models.Model):
    """A file that goes with an invoice."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="attachments")
    file_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.file_name


class Payment(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="payments")
    date = models.DateField()
    amount = Amount()
    account = models.PositiveIntegerField()
    entry = models.OneToOneField(JournalEntry, models.PROTECT, null=True, related_name="payment")

    def __str__(self) -> str:
        return f"{self.date} {self.amount}"


class Settlement(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="settlements")
    type = models.CharField(max_length=20)
    date = models.DateField()
    amount = Amount()
    vat_scheme = models.CharField(max_length=10, blank=True)
    entry = models.OneToOneField(JournalEntry, models.PROTECT, null=True, related_name="settlement")

    def __str__(self) -> str:
        return f"{self.type} {self.amount}"


class CreditNote(models.Model):
    """A draft or published credit of an invoice, or of some of its lines and quantities."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="credit_notes")
    company = models.ForeignKey(Company, models.CASCADE, related_name="credit_notes")
    references = models.JSONField(default=dict)
    contact = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    delivery_address = models.JSONField(null=True)
    currency = models.CharField(max_length=3, default="SEK")
    currency_rate = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(1))
    rounding = models.BooleanField(default=False)
    credit_date = models.DateField()
    due_date = models.DateField()
    lines = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    total = Amount(default=ZERO)
    tax = Amount(default=ZERO)
    number = models.PositiveIntegerField(null=True)
    published_at = models.DateTimeField(null=True)
    entry = models.OneToOneField(
        JournalEntry, models.PROTECT, null=True, related_name="credit_note"
    )

    def __str__(self) -> str:
        return str(self.number or "draft")
