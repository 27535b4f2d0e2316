"""The forms of the invoice editor beside its head: one line, a customer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.connections.models import Connection
from bokio_app.core.money import parse, rounded

from . import numbers
from .fields import AmountField
from .inputs import LineInput
from .models import Customer, LineItem

if TYPE_CHECKING:
    CustomerModelForm = forms.ModelForm[Customer]
else:
    CustomerModelForm = forms.ModelForm


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
        self,
        *args: Any,
        number: int = 0,
        accounts: Mapping[int, str],
        items_url: str = "",
        **options: Any,
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

        if items_url:
            self.fields["description"].widget.attrs |= {
                "role": "combobox",
                "autocomplete": "off",
                "aria-autocomplete": "list",
                "aria-expanded": "false",
                "aria-controls": f"{self['description'].auto_id}_list",
                "data-free": True,
                "hx-get": items_url,
                "hx-trigger": "input changed delay:150ms",
                "hx-target": "next .combo-list",
                "hx-swap": "innerHTML",
                "hx-sync": "this:replace",
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
