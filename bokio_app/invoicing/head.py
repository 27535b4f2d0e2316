"""The form of an invoice's head: customer, dates, references, currency, discount."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.connections.models import Connection

from .currencies import HOME
from .fields import AmountField, DayField
from .inputs import Discount, More
from .models import Customer
from .more import InvoiceMore


class InvoiceForm(forms.Form):
    """The head of an invoice. Only the date must be there to save a draft.

    `customer` is the one picked in the list and `customer_text` what stands in the field; they
    belong together only while the text is the picked customer's name. Where a text fits several
    customers, `candidates` holds them and `customer_choice` takes the answer.
    """

    draft_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seq = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
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

    discount = AmountField(label=gettext_lazy("Discount"), required=False)
    discount_kind = forms.ChoiceField(
        label=gettext_lazy("Discount in"), choices=InvoiceMore.Discount.choices, required=False
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        required=False,
        widget=forms.TextInput(
            attrs={"list": "currencies", "maxlength": 3, "autocapitalize": "characters"}
        ),
    )
    rate = AmountField(label=gettext_lazy("Rate, SEK"), digits=20, decimals=8, required=False)
    order_number = forms.CharField(
        label=gettext_lazy("Order number"), required=False, max_length=100
    )
    project = forms.CharField(label=gettext_lazy("Project"), required=False, max_length=100)
    contract = forms.CharField(label=gettext_lazy("Contract"), required=False, max_length=100)
    line1 = forms.CharField(label=gettext_lazy("Delivery address"), required=False, max_length=200)
    line2 = forms.CharField(
        label=gettext_lazy("Address, second line"), required=False, max_length=200
    )
    postal_code = forms.CharField(label=gettext_lazy("Postal code"), required=False, max_length=20)
    city = forms.CharField(label=gettext_lazy("City"), required=False, max_length=100)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        required=False,
        widget=forms.TextInput(attrs={"maxlength": 2, "autocapitalize": "characters"}),
    )

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection = connection
        self.candidates: list[Customer] = []

    def clean_discount(self) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data["discount"]
        if amount is not None and amount < 0:
            raise ValidationError(_("Write the discount as a positive number."))
        return amount

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper() or HOME
        if not re.fullmatch("[A-Z]{3}", currency):
            raise ValidationError(_("Write the currency as three letters: SEK, EUR, NOK …"))
        return currency

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country and not re.fullmatch("[A-Z]{2}", country):
            raise ValidationError(_("Write the country as two letters: SE, NO, DE …"))
        return country

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        customer = values["customer"] = self._customer(values)
        day: date | None = values.get("invoice_date")
        if day and "terms" in values and "due_date" in values:
            values["due_date"] = _due_date(values, day, customer)
        self._check_discount(values)
        self._check_currency(values)
        self._check_delivery(values)
        return values

    def _check_discount(self, values: dict[str, Any]) -> None:
        values["discount_kind"] = values.get("discount_kind") or InvoiceMore.Discount.PERCENT
        percent = values["discount_kind"] == InvoiceMore.Discount.PERCENT
        if percent and (values.get("discount") or 0) > 100:
            self.add_error("discount", _("A discount is at most 100 %."))

    def _check_currency(self, values: dict[str, Any]) -> None:
        rate = values.get("rate")
        if values.get("currency") == HOME:
            values["rate"] = Decimal(1)
        elif rate is None and "currency" in values and "rate" in values:
            self.add_error("rate", _("Write how many kronor one unit of the currency costs."))
        elif rate is not None and rate <= 0:
            self.add_error("rate", _("The rate must be above 0."))

    def _check_delivery(self, values: dict[str, Any]) -> None:
        """All of an address or nothing of it: Bokio takes no part of one."""
        needed = ("line1", "postal_code", "city")
        if any(values.get(name) for name in (*needed, "line2")):
            for name in needed:
                if name in values and not values[name]:
                    self.add_error(name, _("The delivery address needs this too."))

    @property
    def found_discount(self) -> Discount | None:
        """The discount, of a form that was cleaned; None where there is none or no such one."""
        amount = self.cleaned_data.get("discount")
        return Discount(amount, self.cleaned_data["discount_kind"]) if amount else None

    @property
    def found_more(self) -> More:
        """What the form says beyond head and lines, as far as it can be read."""
        read = {each.name: self.cleaned_data.get(each.name) for each in fields(More)}
        return More(**{name: value for name, value in read.items() if value is not None})

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
