"""What the sandbox keeps: people, companies and their books, and who may use the API.

Money is kept as whole öre (`Amount`), so that sums are exact also inside the database.
Rows carry a `uuid` for the API; the automatic `id` gives lists a stable order.
"""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable

ZERO = Decimal(0)


if TYPE_CHECKING:
    _AmountBase = models.BigIntegerField[Decimal | int | Combinable, Decimal]
else:
    _AmountBase = models.BigIntegerField


class Amount(_AmountBase):
    """An amount of money with two decimals, kept as an integer number of öre."""

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)

    def to_python(self, value: Any) -> Any:
        return value if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(Decimal(value).scaleb(2).to_integral_exact())


class Person(models.Model):
    """Somebody who works in Bokio and may let an application in."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=80)
    email = models.EmailField()

    def __str__(self) -> str:
        return self.name


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
    plan_has_api = models.BooleanField(default=True)
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
    made_by_api = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["company", "org_number"], name="customer_org_number"),
            models.Index(fields=["company", "name"], name="customer_name"),
        ]

    def __str__(self) -> str:
        return self.name


class JournalEntry(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField(help_text="shown with the series letter, such as V342")
    title = models.CharField(max_length=200)
    date = models.DateField()
    reversing = models.UUIDField(null=True)
    reversed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="entry_one_per_number")
        ]

    def __str__(self) -> str:
        return f"V{self.number}"


class JournalItem(models.Model):
    entry = models.ForeignKey(JournalEntry, models.CASCADE, related_name="items")
    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    account = models.PositiveIntegerField()
    debit = Amount(default=ZERO)
    credit = Amount(default=ZERO)

    class Meta:
        indexes = [models.Index(fields=["company", "account"], name="item_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(debit=0, credit__gt=0) | Q(debit__gt=0, credit=0),
                name="item_debit_or_credit",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit or -self.credit}"


class Invoice(models.Model):
    """An invoice with its lines as JSON, and its open amount kept up to date.

    `outstanding` is SEK: what is owed less payments, settlements and published credit notes.
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
    invoice_date = models.DateField()
    due_date = models.DateField()
    total = Amount(default=ZERO)
    tax = Amount(default=ZERO)
    paid = Amount(default=ZERO, help_text="payments, SEK")
    settled = Amount(default=ZERO, help_text="settlements, SEK")
    credited = Amount(default=ZERO, help_text="published credit notes, SEK")
    outstanding = Amount(default=ZERO)
    number = models.PositiveIntegerField(null=True)
    payment_reference = models.CharField(max_length=25, blank=True)
    published_at = models.DateTimeField(null=True)
    entry = models.OneToOneField(JournalEntry, models.PROTECT, null=True, related_name="invoice")

    class Meta:
        indexes = [
            models.Index(fields=["company", "invoice_date"], name="invoice_by_date"),
            models.Index(fields=["company", "due_date"], name="invoice_by_due_date"),
            models.Index(fields=["company", "customer"], name="invoice_by_customer"),
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
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="credit_notes")
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


class Application(models.Model):
    """A registered integration, as Bokio's developer portal would hold it."""

    client_id = models.UUIDField(unique=True)
    secret_hash = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    redirect_uris = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    """A company's leave for an application. Consenting again keeps the row and its `uuid`."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    application = models.ForeignKey(Application, models.CASCADE, related_name="connections")
    company = models.ForeignKey(Company, models.CASCADE, related_name="connections")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "company"], name="connection_one_per_company"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} – {self.company}"


class AuthorizationCode(models.Model):
    code_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="codes")
    redirect_uri = models.CharField(max_length=500)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    spent = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"code until {self.expires_at}"


class AccessToken(models.Model):
    """A bearer token. Without a connection it is a general one, for the General API alone."""

    token_hash = models.CharField(max_length=64, unique=True)
    application = models.ForeignKey(Application, models.CASCADE, related_name="tokens")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="tokens")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"access until {self.expires_at}"


class RefreshToken(models.Model):
    token_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refresh_tokens")
    scopes = models.JSONField(default=list)
    uses = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"refresh used {self.uses} times"


class State(models.Model):
    """One row: how far the clock has been moved, and which switches differ from the default."""

    clock_seconds = models.FloatField(default=0)
    switches = models.JSONField(default=dict)

    def __str__(self) -> str:
        return "state"
