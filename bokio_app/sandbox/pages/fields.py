"""Form fields that read numbers as people in Sweden type them, and what fields offer to choose."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language

from bokio_app.sandbox.api.reader import FINEST_DECIMALS

SPACES = dict.fromkeys(map(ord, " \u00a0\u202f"))


class NumberField(forms.DecimalField):
    """A decimal with comma or point, spaces between thousands, and either kind of minus."""

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off", "class": "num"}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.translate(SPACES).replace("\u2212", "-").replace(",", ".")
        return super().to_python(value)

    def prepare_value(self, value: object) -> object:
        if not isinstance(value, Decimal):
            return value
        text = format(value, "f")
        return text.replace(".", ",") if get_language() == "sv" else text


def money(**options: Any) -> NumberField:
    """SEK or the invoice's currency, with at most two decimals."""
    return NumberField(max_digits=14, decimal_places=2, **options)


def exact(**options: Any) -> NumberField:
    """A quantity or a price, as exact as the API takes them."""
    return NumberField(max_digits=30, decimal_places=FINEST_DECIMALS, **options)


class DayInput(forms.DateInput):
    """The browser's own calendar, which speaks ISO 8601 whatever the language of the page."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def day(**options: Any) -> forms.DateField:
    return forms.DateField(widget=DayInput(), input_formats=["%Y-%m-%d"], **options)


def offer(form: forms.Form, name: str, choices: Iterable[tuple[object, object]]) -> None:
    """Set what the choice field of this form offers: pairs of a value and its words."""
    cast("forms.ChoiceField", form.fields[name]).choices = choices


def offer_rows(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Set which rows the model choice field of this form offers."""
    cast("forms.ModelChoiceField[Any]", form.fields[name]).queryset = rows
