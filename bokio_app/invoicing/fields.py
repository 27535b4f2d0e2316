"""Fields of forms: amounts and days as people in Sweden type them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bokio_app.core.money import parse


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
