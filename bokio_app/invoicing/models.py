"""Customers and invoices: ours until they are sent, then our copy of what Bokio holds."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from bokio_app.core import clock
from bokio_app.core.money import ZERO, Row, Totals, rounded, totals
from bokio_app.core.personal import without_last_four
from bokio_app.flows.listing.rows import Copied
from bokio_app.tenants.seen import SeenManager

from . import more as _more  # noqa: F401  its models hang on the invoice
from . import tax_reduction as _tax_reduction  # noqa: F401  and so do these
from .attached import Attachment
from .credit_notes import CreditNote
from .currencies import InCurrency
from .listing.indexes import LIST_INDEXES
from .listing.kept import ListSettings, SavedView
from .registers.rows import CUSTOMER_INDEXES, ITEM_INDEXES, KeptCustomer, Marked
from .units import Unit

__all__ = [
    "Attachment",
    "CreditNote",
    "Customer",
    "Invoice",
    "Item",
    "LineItem",
    "ListSettings",
    "SavedView",
]


class Customer(KeptCustomer):
    """Whom invoices of one company go to. `remote_id` is empty until Bokio has it."""

    class Type(models.TextChoices):
        COMPANY = "company", _("Company")
        PRIVATE = "private", _("Private person")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="customers", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="customers",
        verbose_name=_("connection"),
    )
    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    name = models.CharField(_("name"), max_length=200)
    type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.COMPANY)
    org_number = models.CharField(_("organisation number"), max_length=40, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    line1 = models.CharField(_("address"), max_length=200, blank=True)
    line2 = models.CharField(_("address, second line"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, default="SE")
    payment_terms = models.CharField(_("payment terms"), max_length=40, blank=True, default="30")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SeenManager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name", "pk"]
        constraints = [
            UniqueConstraint(
                fields=["connection", "remote_id"],
                condition=~Q(remote_id=""),
                name="customer_remote_once",
            )
        ]
        indexes = CUSTOMER_INDEXES

    def __str__(self) -> str:
        return self.name

    @property
    def terms_days(self) -> int:
        """Days to pay; Bokio's terms may be words, which count as 30 days."""
        return int(self.payment_terms) if self.payment_terms.isdigit() else 30

    @property
    def is_person(self) -> bool:
        return self.type == self.Type.PRIVATE

    @property
    def shown_number(self) -> str:
        """The organisation number for pages: none of a person, a sole trader's in part."""
        return "" if self.is_person else without_last_four(self.org_number)


class Invoice(Copied, InCurrency):
    """An invoice of one company. `status` is Bokio's word for it; a draft may be ours alone."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        PAID = "paid", _("Paid")
        UNDERPAID = "underPaid", _("Part-paid")
        OVERPAID = "overPaid", _("Overpaid")
        OVERDUE = "overdue", _("Overdue")
        CREDITED = "credited", _("Credited")
        GONE = "gone", _("Deleted in Bokio")  # our word, for what nothing of ours hangs on

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="invoices", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="invoices",
        verbose_name=_("connection"),
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, verbose_name=_("customer")
    )
    version = models.PositiveIntegerField(default=1, help_text="raised by each save of the draft")

    invoice_date = models.DateField(_("invoice date"), default=clock.today)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    your_reference = models.CharField(_("your reference"), max_length=100, blank=True)

    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    status = models.CharField(_("status"), max_length=20, default=Status.DRAFT)
    number = models.CharField(_("invoice number"), max_length=40, blank=True)
    ocr = models.CharField(_("OCR reference"), max_length=40, blank=True)
    net = models.DecimalField(max_digits=15, decimal_places=2, default=ZERO)
    tax = models.DecimalField(max_digits=15, decimal_places=2, default=ZERO)
    total = models.DecimalField(_("total"), max_digits=15, decimal_places=2, default=ZERO)
    open_amount = models.DecimalField(
        _("open amount"), max_digits=15, decimal_places=2, default=ZERO
    )
    published_at = models.DateTimeField(null=True, blank=True)
    journal_entry_id = models.CharField(
        _("journal entry's id"), max_length=80, blank=True, help_text="set once recorded"
    )
    paid = models.DecimalField(
        _("paid"),
        max_digits=15,
        decimal_places=2,
        default=ZERO,
        db_default=ZERO,  # the last release, which may run beside this one, does not know of it
        help_text="what Bokio says was paid, in the invoice's currency",
    )
    details_wanted_at = models.DateTimeField(
        null=True, help_text="since when payments and settlements are to be read anew"
    )

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(
        _("created"),
        default=clock.now,
        editable=False,
        help_text="here, or in Bokio where it was made there",
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = SeenManager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            UniqueConstraint(
                fields=["connection", "remote_id"],
                condition=~Q(remote_id=""),
                name="invoice_remote_once",
            ),
            CheckConstraint(
                condition=Q(status="draft") | ~Q(remote_id=""), name="invoice_sent_has_remote"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="invoice_newest"),
            models.Index(fields=["connection", "status"], name="invoice_status"),
            models.Index(  # these two serve what a number or reference begins with
                fields=["tenant", "number"],
                name="invoice_number",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            models.Index(
                fields=["tenant", "ocr"],
                name="invoice_ocr",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            *LIST_INDEXES,
            models.Index(
                fields=["tenant", "connection"],
                condition=Q(status="draft") | Q(journal_entry_id="") | Q(open_amount__gt=0),
                name="invoice_todo",
            ),
            models.Index(
                fields=["connection", "details_wanted_at"],
                condition=Q(details_wanted_at__isnull=False),
                name="invoice_details",
            ),
        ]

    def __str__(self) -> str:
        return self.number or str(_("Draft"))

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_ours(self) -> bool:
        """Nothing of it exists at Bokio yet."""
        return not self.remote_id

    @property
    def is_gone(self) -> bool:
        """Bokio had it and has it no longer."""
        return self.gone_at is not None

    @property
    def is_recorded(self) -> bool:
        return bool(self.journal_entry_id)

    @property
    def status_label(self) -> str:
        """Bokio's state in the reader's language; an unknown word as it stands."""
        return str(dict(self.Status.choices).get(self.status, self.status))

    @property
    def resource_key(self) -> str:
        """What flows hold, so that only one of them works on this invoice at a time."""
        return f"invoice:{self.pk}"

    @property
    def overdue_days(self) -> int:
        """Days since the due date of an invoice that is not settled; 0 if it is not overdue."""
        if self.is_draft or not self.due_date or self.open_amount <= 0:
            return 0
        return max((clock.today() - self.due_date).days, 0)

    @property
    def line_facts(self) -> tuple[tuple[object, ...], ...]:
        """All that our copy holds of the lines, in their order, to be compared."""
        return tuple(line.facts for line in self.lines.all())

    def totals(self) -> Totals:
        """Sums by the lines, VAT per rate."""
        return totals(line.row for line in self.lines.all() if line.is_sales)


class LineItem(models.Model):
    """A row of an invoice. A discount is a row with a negative price on an account of its own."""

    class Type(models.TextChoices):
        SALES = "salesItem", _("Sale")
        TEXT = "descriptionOnlyItem", _("Text only")

    class Product(models.TextChoices):
        SERVICES = "services", _("Services")
        GOODS = "goods", _("Goods")

    Unit = Unit
    TAX_RATES = (25, 12, 6, 0)
    FACTS = (
        "type",
        "product",
        "description",
        "quantity",
        "unit",
        "unit_price",
        "tax_rate",
        "account",
    )

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    type = models.CharField(max_length=20, choices=Type.choices, default=Type.SALES)
    product = models.CharField(
        _("kind"), max_length=10, choices=Product.choices, default=Product.SERVICES
    )
    description = models.CharField(_("description"), max_length=500)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, default=1)
    unit = models.CharField(
        _("unit"), max_length=20, choices=Unit.choices, default=Unit.UNSPECIFIED
    )
    unit_price = models.DecimalField(_("price"), max_digits=15, decimal_places=2, default=ZERO)
    tax_rate = models.PositiveSmallIntegerField(
        _("VAT"), choices=[(rate, f"{rate} %") for rate in TAX_RATES], default=25
    )
    account = models.PositiveIntegerField(_("account"), null=True, blank=True)

    class Meta:
        verbose_name = _("line item")
        verbose_name_plural = _("line items")
        ordering = ["invoice", "position"]
        constraints = [UniqueConstraint(fields=["invoice", "position"], name="line_position_once")]

    def __str__(self) -> str:
        return self.description

    @property
    def facts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.FACTS)

    @property
    def is_sales(self) -> bool:
        return self.type == self.Type.SALES

    @property
    def net(self) -> Decimal:
        """Quantity × price, without VAT, rounded to öre."""
        return rounded(self.quantity * self.unit_price) if self.is_sales else ZERO

    @property
    def row(self) -> Row:
        return Row(net=self.net, tax_rate=self.tax_rate)


class Item(Marked):
    """What a company sells again and again, as Bokio has it."""

    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="items", verbose_name=_("workspace")
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="items",
        verbose_name=_("connection"),
    )
    remote_id = models.CharField(_("Bokio's id"), max_length=80)
    type = models.CharField(max_length=20, choices=LineItem.Type.choices)
    product = models.CharField(_("kind"), max_length=10, choices=LineItem.Product.choices)
    description = models.CharField(_("description"), max_length=500)
    unit = models.CharField(_("unit"), max_length=20, choices=LineItem.Unit.choices)
    unit_price = models.DecimalField(_("price"), max_digits=15, decimal_places=2, default=ZERO)
    tax_rate = models.PositiveSmallIntegerField(_("VAT"), default=25)
    account = models.PositiveIntegerField(_("account"), null=True, blank=True)

    objects = SeenManager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["description", "pk"]
        constraints = [UniqueConstraint(fields=["connection", "remote_id"], name="item_once")]
        indexes = ITEM_INDEXES

    def __str__(self) -> str:
        return self.description
