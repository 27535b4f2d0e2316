"""The sample form and rows that `components/gallery.html` shows the components with."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms, template

from bokio_app.core import clock

register = template.Library()


class SampleForm(forms.Form):
    rest = forms.CharField(widget=forms.TextInput(attrs={"class": "money", "inputmode": "decimal"}))
    focused = forms.CharField(widget=forms.TextInput(attrs={"class": "money is-focus"}))
    wrong = forms.CharField()
    accepted = forms.CharField()
    read_only = forms.CharField(
        widget=forms.TextInput(attrs={"readonly": True, "class": "num"}), required=False
    )
    terms = forms.ChoiceField(choices=[("30", "30 dagar"), ("15", "15 dagar")])
    mail = forms.BooleanField(required=False)

    def clean_wrong(self) -> str:
        raise forms.ValidationError("Kontrollsiffran stämmer inte.")


SAMPLE = {
    "rest": "1\u00a0234,50",
    "focused": "1\u00a0234,50",
    "wrong": "556703-4186",
    "accepted": "556703-4185",
    "read_only": "25\u00a0%",
    "terms": "30",
    "mail": "on",
}


@dataclass(frozen=True)
class SampleOption:
    value: str
    label: str
    aside: str


def sample_events() -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {"state": "waiting", "title": "Bokföring väntar", "detail": "Steg 2 av 2."},
        {
            "state": "done",
            "title": "Betalning registrerad",
            "detail": "4 985,00 kr och avgift 15,00 kr.",
            "who": "Oskar Berg",
            "at": now - timedelta(days=2),
        },
        {
            "state": "waiting",
            "title": "Svar uteblev",
            "detail": "Läst i Bokio: betalningen fanns redan. Övertagen, inte skickad igen.",
            "at": now - timedelta(days=16),
            "reference": "0f8fad5b-d9cb-469f-a165-70867728950e",
        },
        {
            "state": "done",
            "title": "Publicerad som 1029",
            "detail": "OCR 1029008.",
            "who": "Hanna Sjöö",
            "at": now - timedelta(days=36),
        },
    ]


@register.inclusion_tag("components/gallery_side.html", takes_context=True)
def gallery_side(context: dict[str, Any], side: str) -> dict[str, Any]:
    """All components on one background; `side` is light or dark."""
    form = SampleForm(SAMPLE, auto_id=f"{side}_%s")
    for name in form.fields:
        if name != "wrong":
            form.fields[name].required = name != "read_only"
    return {
        "request": context.get("request"),
        "csrf_token": context.get("csrf_token"),
        "side": side,
        "form": form,
        "amount": Decimal("64312"),
        "credit": Decimal("-6250"),
        "large": Decimal("1163082.5"),
        "states": ["draft", "published", "recorded", "part-paid", "paid"],
        "run_states": ["waiting", "running", "needs", "stuck", "done", "cancelled", "skipped"],
        "options": [
            SampleOption("1", "Holmgårdens Samfällighet", "717903-4413"),
            SampleOption("2", "Bröderna Holm Bygg AB", "556318-2046"),
        ],
        "listbox": f"{side}_customer_list",
        "events": sample_events(),
    }
