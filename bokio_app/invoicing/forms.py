"""The forms of the invoice editor: the head, one line, a discount, a customer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bokio_app.connections.models import Connection
from bokio_app.core.money import parse, rounded

from . import numbers
from .models import Customer, LineItem
from .services import LineInput

if TYPE_CHECKING:
    CustomerModelForm = forms.ModelForm[Customer]
else:
    CustomerModelForm = forms.ModelForm


def as_typed(amount: Decimal | None, *, decimals: int | None = 2) -> str:
    """An amount as a field shows it and `money.parse` reads it again: `1 234,50`.

    `decimals` None keeps those that the amount has. Empty for None.
    """
    if amount is None:
        return ""
    text = f"{amount.normalize():,f}" if decimals is None else f"{amount:,.{decimals}f}"
    swedish = (get_language() or "sv").startswith("sv")
    text = text.replace(",", "\u00a0").replace("-", "\u2212")
    return text.replace(".", ",") if swedish else text


class AmountField(forms.Field):
    """A decimal number typed with comma or point, with or without spaces."""

    def __init__(self, *, digits: int = 15, decimals: int = 2, **options: Any) -> None:
        css = "money" if decimals == 2 else "num"
        options.setdefault("widget", forms.TextInput(attrs={"class": css, "inputmode": "decimal"}))
        super().__init__(**options)
        self.validators.append(DecimalValidator(digits, decimals))

    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except ValueError:
            raise ValidationError(_("Write an amount such as 1 234,50.")) from None


class DayField(forms.DateField):
    """An accounting date: 2026-11-20, or quicker 20261120 or 261120.

    A text field, because a browser's own date field follows the browser's language.
    """

    def __init__(self, **options: Any) -> None:
        attrs = {"class": "nums", "inputmode": "numeric", "autocomplete": "off", "data-day": True}
        options.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs=attrs))
        options.setdefault("input_formats", ["%Y-%m-%d", "%Y%m%d", "%y%m%d"])
        options.setdefault(
            "error_messages", {"invalid": gettext_lazy("Write a date such as 2026-11-20.")}
        )
        super().__init__(**options)


class InvoiceForm(forms.Form):
    """The head of an invoice. Only the date must be there to save a draft.

    `customer` is the one picked in the list and `customer_text` what stands in the field; they
    belong together only while the text is the picked customer's name. Where a text fits several
    customers, `candidates` holds them and `customer_choice` takes the answer.
    """

    draft_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    customer = forms.UUIDField(required=False, widget=forms.HiddenInput)
    customer_text = forms.CharField(label=gettext_lazy("Customer"), required=False, max_length=200)
    customer_choice = forms.UUIDField(required=False, widget=forms.HiddenInput)
    invoice_date = DayField(label=gettext_lazy("Invoice date"))
    terms = forms.IntegerField(
        label=gettext_lazy("Terms"),
        required=False,
        min_value=0,
        max_value=365,
        widget=forms.NumberInput(attrs={"class": "num", "inputmode": "numeric"}),
    )
    due_date = DayField(label=gettext_lazy("Due date"), required=False)
    terms_seen = forms.CharField(required=False, widget=forms.HiddenInput)
    due_seen = forms.CharField(required=False, widget=forms.HiddenInput)
    your_reference = forms.CharField(
        label=gettext_lazy("Your reference"), required=False, max_length=100
    )

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection = connection
        self.candidates: list[Customer] = []

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        customer = values["customer"] = self._customer(values)
        day: date | None = values.get("invoice_date")
        if day and "terms" in values and "due_date" in values:
            values["due_date"] = _due_date(values, day, customer)
        return values

    def _customer(self, values: Mapping[str, Any]) -> Customer | None:
        mine = self.connection.customers.all()
        text = (values.get("customer_text") or "").strip()
        for picked in (values.get("customer_choice"), values.get("customer")):
            found = mine.filter(pk=picked).first() if isinstance(picked, UUID) else None
            if found and (found.name == text or picked == values.get("customer_choice")):
                return found
        if not text:
            return None
        same = list(mine.filter(name__iexact=text)[:20]) or list(mine.filter(org_number=text)[:20])
        if len(same) == 1:
            return same[0]
        self.candidates = same or list(mine.filter(name__icontains=text)[:20])
        if self.candidates:
            self.add_error("customer_text", _("Choose which customer you mean."))
        else:
            message = _("No customer is called “%(text)s”. Create it, or write another name.")
            self.add_error("customer_text", message % {"text": text})
        return None


def _due_date(values: Mapping[str, Any], day: date, customer: Customer | None) -> date:
    """The due date as typed; worked out from the terms where it is empty, or where the terms
    were changed on a page without scripts while the date still is what the page showed.
    """
    due: date | None = values.get("due_date")
    terms: int | None = values.get("terms")
    untouched = due is not None and due.isoformat() == values.get("due_seen")
    terms_changed = str(terms if terms is not None else "") != values.get("terms_seen", "")
    if due and not (untouched and terms_changed):
        return due
    if terms is None:
        terms = customer.terms_days if customer else 30
    return day + timedelta(days=terms)


class LineForm(forms.Form):
    """One line. `number` is its place as people count, for the list of errors."""

    FIELDS = (
        "type", "description", "product", "quantity", "unit", "unit_price", "tax_rate", "account",
    )  # fmt: skip

    type = forms.ChoiceField(
        choices=LineItem.Type.choices, required=False, widget=forms.HiddenInput
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=500, required=False)
    product = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=LineItem.Product.choices, required=False
    )
    quantity = AmountField(label=gettext_lazy("Quantity"), digits=12, decimals=3, required=False)
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"), choices=LineItem.Unit.choices, required=False
    )
    unit_price = AmountField(label=gettext_lazy("Unit price"), required=False)
    tax_rate = forms.TypedChoiceField(
        label=gettext_lazy("VAT"),
        choices=[(rate, f"{rate} %") for rate in LineItem.TAX_RATES],
        coerce=int,
        required=False,
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "list": "accounts", "class": "nums"}),
    )

    def __init__(
        self, *args: Any, number: int = 0, accounts: Mapping[int, str], **options: Any
    ) -> None:
        options.setdefault("use_required_attribute", False)
        super().__init__(*args, **options)
        self.number, self.accounts = number, accounts
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = field.label
            field.widget.attrs["class"] = f"input {field.widget.attrs.get('class', '')}".strip()
            field.widget.attrs["data-part"] = name
            if number:
                field.label = _("Line %(number)s, %(part)s") % {
                    "number": number,
                    "part": str(field.label or "").lower(),
                }

    @property
    def is_text(self) -> bool:
        return bool(self["type"].value() == LineItem.Type.TEXT)

    @property
    def is_blank(self) -> bool:
        return is_blank({name: self[name].value() for name in ("description", "unit_price")})

    @property
    def remove(self) -> str:
        """The action of the button that removes this line."""
        return f"remove_line:{self.number - 1}" if self.number else ""

    @property
    def net(self) -> Decimal | None:
        """Quantity × price as far as both can be read; None otherwise."""
        try:
            price = parse(str(self["unit_price"].value() or ""))
            return rounded(parse(str(self["quantity"].value() or "1")) * price)
        except ValueError:
            return None

    def clean_account(self) -> int | None:
        text: str = self.cleaned_data["account"]
        if not text:
            return None
        if not re.fullmatch(r"[1-8]\d{3}", text):
            raise ValidationError(_("An account has four digits."))
        account = int(text)
        if self.accounts and account not in self.accounts:
            message = _("Account %(account)s is not in the chart. Choose one that is.")
            raise ValidationError(message % {"account": account})
        return account

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if self.is_blank:
            return values
        if not values.get("description") and "description" not in self.errors:
            self.add_error("description", _("Say what the line is about."))
        if self.is_text:
            return values
        if values.get("unit_price") is None and "unit_price" not in self.errors:
            self.add_error("unit_price", _("Write the price without VAT."))
        return values

    @property
    def is_readable(self) -> bool:
        """Its amount is certain, whatever its account is."""
        return set(self.errors) <= {"account"}

    @property
    def line(self) -> LineInput:
        """The line as the services take it, of a readable form that is not blank."""
        values = self.cleaned_data
        if self.is_text:
            return LineInput(description=values["description"], type=LineItem.Type.TEXT)
        quantity = values["quantity"]
        return LineInput(
            description=values["description"],
            product=values["product"] or LineItem.Product.SERVICES,
            quantity=Decimal(1) if quantity is None else quantity,
            unit=values["unit"] or LineItem.Unit.UNSPECIFIED,
            unit_price=values["unit_price"],
            tax_rate=25 if values["tax_rate"] == "" else values["tax_rate"],
            account=values.get("account"),
        )


def is_blank(row: Mapping[str, Any]) -> bool:
    """Nothing was typed in the line, so it is not saved."""
    return not any(str(row.get(name) or "").strip() for name in ("description", "unit_price"))


class DiscountForm(forms.Form):
    """A discount to add as a line: an amount without VAT, or per cent of what is sold at a rate."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
            field.widget.attrs["class"] = f"input {field.widget.attrs.get('class', '')}".strip()

    amount = AmountField(label=gettext_lazy("Discount"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Discount in"),
        choices=[("sek", gettext_lazy("SEK without VAT")), ("percent", "%")],
    )
    tax_rate = forms.TypedChoiceField(
        label=gettext_lazy("VAT"),
        choices=[(rate, f"{rate} %") for rate in LineItem.TAX_RATES],
        coerce=int,
    )

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount <= 0:
            raise ValidationError(_("Write the discount as a positive number."))
        return amount

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("kind") == "percent" and (values.get("amount") or 0) > 100:
            self.add_error("amount", _("A discount is at most 100 %."))
        return values


class CustomerForm(CustomerModelForm):
    """A customer, created in place or, while Bokio does not have it, corrected."""

    id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    payment_terms = forms.IntegerField(
        label=gettext_lazy("Payment terms, days"),
        min_value=0,
        max_value=365,
        initial=30,
        widget=forms.NumberInput(attrs={"class": "num", "inputmode": "numeric"}),
    )

    class Meta:
        model = Customer
        fields = [
            "name", "type", "org_number", "vat_number", "email",
            "line1", "line2", "postal_code", "city", "country", "payment_terms",
        ]  # fmt: skip

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        options.setdefault("use_required_attribute", False)
        super().__init__(*args, **options)
        self.connection = connection
        self.twin: Customer | None = None
        for name in ("line1", "postal_code", "city"):
            self.fields[name].required = True
        self.fields["country"].widget.attrs["maxlength"] = 2

    def clean_org_number(self) -> str:
        typed: str = self.cleaned_data["org_number"]
        if self.data.get(self.add_prefix("type")) == Customer.Type.PRIVATE:
            if typed:
                raise ValidationError(
                    _("Leave this empty for a private person. Personal numbers are not kept here.")
                )
            return ""
        if self._country() != "SE":
            return typed
        return numbers.organisation_number(typed)

    def clean_vat_number(self) -> str:
        return numbers.vat_number(self.cleaned_data["vat_number"])

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if not re.fullmatch("[A-Z]{2}", country):
            raise ValidationError(_("Write the country as two letters: SE, NO, DE …"))
        return str(country)

    def clean_payment_terms(self) -> str:
        return str(self.cleaned_data["payment_terms"])

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        number = values.get("org_number")
        if number:
            same = self.connection.customers.filter(
                org_number__in=[number, number.replace("-", "")]
            )
            self.twin = same.exclude(pk=self.cleaned_data["id"] or uuid.uuid4()).first()
        if self.twin:
            message = _("%(name)s has this organisation number already.")
            self.add_error("org_number", message % {"name": self.twin.name})
        return values

    def values(self) -> dict[str, Any]:
        """The customer's fields, of a valid form."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _country(self) -> str:
        return str(self.data.get(self.add_prefix("country")) or "SE").upper()
