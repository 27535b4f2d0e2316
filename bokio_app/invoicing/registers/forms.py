"""The forms of the registers: a customer with its contacts, and an item."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.connections.models import Connection
from bokio_app.core.money import ZERO
from bokio_app.core.personal import without_last_four
from bokio_app.invoicing.fields import AmountField, as_typed
from bokio_app.invoicing.forms import CustomerForm
from bokio_app.invoicing.models import Customer, LineItem
from bokio_app.invoicing.refusals import CUSTOMER_POINTERS, LINE_POINTERS

from .rows import MOST_CONTACTS

LANGUAGES = [("sv", gettext_lazy("Swedish")), ("en", gettext_lazy("English"))]
NUMBERS = ("org_number", "vat_number")
ADDRESS = ("line1", "postal_code", "city")

Values = dict[str, Any]


class Once(forms.Form):
    """What every form of a register carries: its own key, so that it counts once however often it
    is sent, and the fingerprint of what the page showed.
    """

    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    mark = forms.CharField(required=False, widget=forms.HiddenInput, max_length=32)


class ContactForm(forms.Form):
    """One person at a customer; left empty it is none."""

    id = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=200)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False, max_length=200)
    phone = forms.CharField(label=gettext_lazy("Phone"), required=False, max_length=50)

    @property
    def is_blank(self) -> bool:
        return not any(self.cleaned_data.get(name) for name in ("name", "email", "phone"))


class CustomerDetails(CustomerForm):
    """A customer as a whole. `held` is what is known of it: a person's number in it is shown in
    part, and stays unless something else is typed.
    """

    request_key = Once.base_fields["request_key"]
    mark = Once.base_fields["mark"]
    twins_seen = forms.CharField(required=False, widget=forms.HiddenInput)
    # Bokio's may be words, which an invoice made here cannot have.
    payment_terms = forms.CharField(  # type: ignore[assignment]
        label=gettext_lazy("Payment terms"), required=False, max_length=40
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of invoices"), choices=LANGUAGES)
    customer_number = forms.CharField(
        label=gettext_lazy("Customer number"), required=False, max_length=40
    )
    default_contact = forms.ChoiceField(
        label=gettext_lazy("Invoices go to"),
        required=False,
    )

    class Meta(CustomerForm.Meta):
        fields = [name for name in CustomerForm.Meta.fields if name != "email"]

    def __init__(self, data: Any = None, *, connection: Connection, held: Values) -> None:
        super().__init__(data, connection=connection, initial=initial(held), label_suffix="")
        self.held = held
        for name in ADDRESS:
            self.fields[name].required = False
        self.fields["default_contact"].choices = [  # type: ignore[attr-defined]
            (str(place), _("Contact %(number)s") % {"number": place + 1})
            for place in range(MOST_CONTACTS)
        ]
        contacts = list(held.get("more", {}).get("contacts", ()))[:MOST_CONTACTS]
        self.contacts = [
            ContactForm(
                data,
                prefix=f"contact-{place}",
                initial=contacts[place] if place < len(contacts) else None,
                use_required_attribute=False,
            )
            for place in range(MOST_CONTACTS)
        ]

    @property
    def parts(self) -> list[forms.BaseForm]:
        """The form and those of its contacts, for the list of errors."""
        return [self, *self.contacts]

    def is_valid(self) -> bool:
        valid = [part.is_valid() for part in self.contacts]
        return super().is_valid() and all(valid)

    def clean_org_number(self) -> str:
        return self._as_held("org_number") or super().clean_org_number()

    def clean_vat_number(self) -> str:
        return self._as_held("vat_number") or super().clean_vat_number()

    def _as_held(self, name: str) -> str:
        """The number that is known, where the field still says what was shown of it."""
        held: str = self.held.get(name, "")
        return held if held and self.cleaned_data[name] == without_last_four(held) else ""

    def clean_payment_terms(self) -> str:
        terms: str = self.cleaned_data["payment_terms"].strip()
        if terms.isdecimal() and int(terms) > 365:
            raise ValidationError(_("At most 365 days."))
        return terms

    def clean(self) -> Values:
        values = self.cleaned_data
        given = [name for name in ADDRESS if values.get(name)]
        if given or values.get("line2"):
            for name in ADDRESS:
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, _("Bokio takes an address only as a whole."))
        return values

    def values(self) -> Values:
        """All that our row of the customer holds, of a valid form."""
        found = {name: self.cleaned_data[name] for name in self.Meta.fields}
        contacts = self._contacts()
        more = {
            **self.held.get("more", {}),
            "contacts": contacts,
            "language": self.cleaned_data["language"],
            "customer_number": self.cleaned_data["customer_number"],
        }
        email = next((each["email"] for each in contacts if each["email"]), "")
        told = {key: value for key, value in more.items() if value or value is False}
        return {**found, "email": email, "more": told}

    def _contacts(self) -> list[Values]:
        known = {each.get("id"): each for each in self.held.get("more", {}).get("contacts", ())}
        chosen = self.cleaned_data["default_contact"] or "0"
        filled = [
            (str(place), part.cleaned_data)
            for place, part in enumerate(self.contacts)
            if not part.is_blank
        ]
        default = chosen if any(place == chosen for place, _part in filled) else "0"
        return [
            {
                **known.get(part["id"], {"id": None}),
                **{name: part[name] for name in ("name", "email", "phone")},
                "is_default": place == default,
            }
            for place, part in filled
        ]

    def add_refusals(self, refusals: Iterable[Sequence[str]]) -> None:
        """Put Bokio's messages on the fields that its pointers name; others stand at the top."""
        self.is_valid()
        for pointer, message in refusals:
            text = _("Bokio: %(message)s") % {"message": message}
            path = [part for part in pointer.strip("#/").split("/") if part]
            name = path[-1] if path else ""
            if path[:1] == ["contactsDetails"] and len(path) > 2 and path[1].isdigit():
                self._on_contact(int(path[1]), name, text)
            else:
                ours = CUSTOMER_POINTERS.get(name) or POINTERS.get(name)
                self.add_error(ours if ours in self.fields else None, text)

    def _on_contact(self, place: int, name: str, text: str) -> None:
        if place < len(self.contacts) and name in {"name", "email", "phone"}:
            self.contacts[place].add_error(name, text)
        else:
            self.add_error(None, text)


POINTERS = {"customerNumber": "customer_number", "language": "language"}


def initial(held: Values) -> Values:
    """What the form begins with: of a person's number only what may be seen."""
    private = held.get("type") == Customer.Type.PRIVATE
    more = held.get("more", {})
    contacts = more.get("contacts", ())
    default = next((str(at) for at, each in enumerate(contacts) if each.get("is_default")), "0")
    shown = {name: without_last_four(held.get(name, ""), private=private) for name in NUMBERS}
    return {
        "language": more.get("language") or "sv",
        "customer_number": more.get("customer_number", ""),
        "default_contact": default,
        "request_key": uuid.uuid4(),
        **held,
        **shown,
    }


def as_post(values: Values) -> QueryDict:
    """Values as the form would send them, to show them bound, with what is wrong with them."""
    data = QueryDict(mutable=True)
    more = values.get("more", {})
    for name, value in initial(values).items():
        if name != "more":
            data[name] = str(value)
    for place, contact in enumerate(more.get("contacts", ())):
        for name in ("id", "name", "email", "phone"):
            data[f"contact-{place}-{name}"] = contact.get(name) or ""
    return data


def item_post(values: Values) -> QueryDict:
    """An item's values as its form would send them."""
    data = QueryDict(mutable=True)
    data["request_key"] = str(uuid.uuid4())
    for name, value in values.items():
        data[name] = "" if value is None else str(value)
    data["unit_price"] = as_typed(Decimal(values["unit_price"]))
    return data


class ItemForm(Once):
    """What a company sells again and again. `accounts` is its chart."""

    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=LineItem.Type.choices)
    description = forms.CharField(label=gettext_lazy("Description"), max_length=500)
    product = forms.ChoiceField(label=gettext_lazy("Kind"), choices=LineItem.Product.choices)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=LineItem.Unit.choices)
    unit_price = AmountField(label=gettext_lazy("Price without VAT"), required=False)
    tax_rate = forms.TypedChoiceField(
        label=gettext_lazy("VAT"),
        choices=[(rate, f"{rate} %") for rate in LineItem.TAX_RATES],
        coerce=int,
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "list": "accounts", "class": "nums"}),
    )

    def __init__(self, data: Any = None, *, held: Values, accounts: Mapping[int, str]) -> None:
        price = held.get("unit_price")
        first = {
            "request_key": uuid.uuid4(),
            **held,
            "unit_price": as_typed(Decimal(price)) if price is not None else "",
        }
        super().__init__(data, initial=first, label_suffix="", use_required_attribute=False)
        self.accounts = accounts
        unit = held.get("unit", "")
        if unit and unit not in LineItem.Unit.values:  # a word of Bokio's that is not known here
            self.fields["unit"].choices = [*LineItem.Unit.choices, (unit, unit)]  # type: ignore[attr-defined]

    @property
    def parts(self) -> list[forms.BaseForm]:
        """The form, for the list of errors."""
        return [self]

    def clean_account(self) -> int | None:
        text: str = self.cleaned_data["account"]
        if not text:
            return None
        if not re.fullmatch(r"[1-8]\d{3}", text):
            raise ValidationError(_("An account has four digits."))
        if self.accounts and int(text) not in self.accounts:
            message = _("Account %(account)s is not in the chart. Choose one that is.")
            raise ValidationError(message % {"account": text})
        return int(text)

    def clean(self) -> Values:
        values = self.cleaned_data
        is_sold = values.get("type") == LineItem.Type.SALES
        if is_sold and values.get("unit_price") is None and "unit_price" not in self.errors:
            self.add_error("unit_price", _("Write the price without VAT."))
        return values

    def values(self) -> Values:
        """The item as a payload has it, of a valid form."""
        names = ("description", "type", "product", "unit", "tax_rate", "account")
        price = self.cleaned_data["unit_price"]
        return {name: self.cleaned_data[name] for name in names} | {
            "unit_price": ZERO if price is None else price
        }

    def add_refusals(self, refusals: Iterable[Sequence[str]]) -> None:
        """Put Bokio's messages on the fields that its pointers name; others stand at the top."""
        self.is_valid()
        for pointer, message in refusals:
            name = LINE_POINTERS.get(pointer.rstrip("/").rpartition("/")[2].lstrip("#"), "")
            text = _("Bokio: %(message)s") % {"message": message}
            self.add_error(name if name in self.fields else None, text)
