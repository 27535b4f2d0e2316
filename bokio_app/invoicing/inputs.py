"""A draft as the editor gives it: checked values, nothing kept yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from bokio_app.core.money import ZERO, Row, rounded

from .currencies import HOME
from .models import Customer, Invoice, LineItem
from .more import InvoiceMore
from .tax_reduction import Reduction


@dataclass(frozen=True)
class LineInput:
    """A row as the editor gives it: checked, amounts in the invoice's currency without VAT."""

    description: str
    type: str = LineItem.Type.SALES
    product: str = LineItem.Product.SERVICES
    quantity: Decimal = Decimal(1)
    unit: str = LineItem.Unit.UNSPECIFIED
    unit_price: Decimal = Decimal(0)
    tax_rate: int = 25
    account: int | None = None

    @property
    def is_sales(self) -> bool:
        return self.type == LineItem.Type.SALES

    @property
    def net(self) -> Decimal:
        """Quantity × price, without VAT, rounded to öre."""
        return rounded(self.quantity * self.unit_price) if self.is_sales else ZERO

    @property
    def row(self) -> Row:
        return Row(net=self.net, tax_rate=self.tax_rate)


@dataclass(frozen=True)
class Discount:
    """A discount on the whole invoice: per cent, or an amount without VAT in its currency."""

    amount: Decimal
    kind: str = InvoiceMore.Discount.PERCENT


@dataclass(frozen=True)
class More:
    """What an invoice says beyond its head and lines. `rate` is SEK per unit of the currency."""

    rate: Decimal = Decimal(1)
    order_number: str = ""
    project: str = ""
    contract: str = ""
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""


@dataclass(frozen=True)
class DraftInput:
    """A whole draft as the editor gives it. An incomplete draft can be saved, not sent.

    `lines` are without those that the discount becomes.
    """

    customer: Customer | None
    invoice_date: date
    due_date: date | None
    your_reference: str
    lines: Sequence[LineInput]
    discount: Discount | None = None
    currency: str = HOME
    more: More = field(default_factory=More)
    reduction: Reduction | None = None


@dataclass(frozen=True)
class NewDraft:
    """A draft as it will be kept: the invoice with its sums, its lines, and what it says more."""

    invoice: Invoice
    lines: list[LineItem]
    more: InvoiceMore | None = None
