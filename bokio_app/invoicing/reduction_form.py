"""The part of the editor for ROT and RUT: the work, the home, and the people who take part."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.core.money import parse

from . import numbers
from .currencies import HOME
from .fields import AmountField, as_typed
from .tax_reduction import Person, Reduction, TaxReduction, is_work

MOST_PEOPLE = 10
LONGEST = {"description": 200}
KEY = re.compile(r"[0-9a-f]{32}")
PERSON_KEY = re.compile(r"people-(\d{1,4})-number")
NEEDED = {
    TaxReduction.Property.REAL_ESTATE: ("real_estate_number",),
    TaxReduction.Property.HOUSING: ("tenant_org_number", "apartment_number"),
}


def new_person() -> dict[str, str]:
    """A person not written yet."""
    return {"key": uuid.uuid4().hex, "number": "", "amount": ""}


class ReductionForm(forms.Form):
    """What is reduced. Nothing of it counts until a type is chosen."""

    type = forms.ChoiceField(
        label=gettext_lazy("ROT or RUT"),
        choices=[("", gettext_lazy("None")), *TaxReduction.Type.choices],
        required=False,
    )
    job = forms.ChoiceField(
        label=gettext_lazy("Work"),
        choices=[
            ("", "–"),
            ("ROT", [each for each in TaxReduction.Job.choices if each[0].startswith("rot")]),
            ("RUT", [each for each in TaxReduction.Job.choices if each[0].startswith("rut")]),
        ],
        required=False,
    )
    description = forms.CharField(
        label=gettext_lazy("What was done"), required=False, max_length=200
    )
    property_type = forms.ChoiceField(
        label=gettext_lazy("Home"),
        choices=[("", "–"), *TaxReduction.Property.choices],
        required=False,
    )
    real_estate_number = forms.CharField(
        label=gettext_lazy("Property designation"), required=False, max_length=100
    )
    tenant_org_number = forms.CharField(
        label=gettext_lazy("The association's organisation number"), required=False, max_length=100
    )
    apartment_number = forms.CharField(
        label=gettext_lazy("The flat's number"), required=False, max_length=100
    )

    @property
    def types(self) -> list[tuple[str, str, bool]]:
        """Value, label and whether it is chosen."""
        chosen = str(self["type"].value() or "")
        choices = [("", _("None")), *TaxReduction.Type.choices]
        return [(value, str(label), value == chosen) for value, label in choices]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        kind = values.get("type")
        if not kind:
            return values
        if "job" in values and not values["job"].startswith(kind):
            self.add_error("job", _("Choose work that %(type)s is for.") % {"type": kind.upper()})
        if "description" in values and not values["description"]:
            self.add_error("description", _("Write what was done."))
        if kind == TaxReduction.Type.ROT and "property_type" in values:
            self._check_home(values)
        return values

    def _check_home(self, values: Mapping[str, Any]) -> None:
        home = values["property_type"]
        if not home:
            self.add_error("property_type", _("ROT needs to know the home."))
        for name in NEEDED.get(home, ()):
            if name in values and not values[name]:
                self.add_error(name, _("This kind of home needs it."))


class PersonForm(forms.Form):
    """One person. `whole` is the number as typed or kept; the field may show it in part."""

    key = forms.CharField(widget=forms.HiddenInput, required=False)
    number = forms.CharField(
        label=gettext_lazy("Personal number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "nums", "autocomplete": "off"}),
    )
    amount = AmountField(label=gettext_lazy("Deduction, kr"), required=False)

    def __init__(self, *args: Any, number: int, whole: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.place, self.whole = number, whole
        self.fields["amount"].widget.attrs["data-deduction"] = True

    @property
    def remove(self) -> str:
        return f"remove_person:{self.place - 1}"

    def clean_number(self) -> str:
        return numbers.personal_number(self.whole)

    def clean_amount(self) -> Decimal:
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is None or amount < 0:
            raise ValidationError(_("Write how many kronor this person's deduction is."))
        return amount


@dataclass(frozen=True)
class RawReduction:
    """As typed; numbers that the page showed in part are whole again. `kept` are those that the
    draft has, by the person's key.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[Mapping[str, str]] = field(default=(), repr=False)
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)


def typed(data: QueryDict, kept: Reduction | None) -> RawReduction:
    """What a person sent."""
    known = {each.key: each for each in kept.people} if kept else {}
    people: list[dict[str, str]] = []
    for place in [found[1] for name in data if (found := PERSON_KEY.fullmatch(name))]:
        person = {name: data.get(f"people-{place}-{name}", "") for name in new_person()}
        used = {each["key"] for each in people}
        if not KEY.fullmatch(person["key"]) or person["key"] in used:
            person["key"] = uuid.uuid4().hex
        mine = known.get(person["key"])
        if mine and person["number"] == mine.shown_number:
            person["number"] = mine.number
        people.append(person)
    parts = {name: data.get(f"reduction-{name}", "") for name in ReductionForm.base_fields}
    numbers_kept = {key: each.number for key, each in known.items()}
    return RawReduction(parts, people[:MOST_PEOPLE], numbers_kept)


def stored(kept: Reduction | None) -> RawReduction:
    """What a draft says."""
    if kept is None:
        return RawReduction()
    people = [asdict(each) | {"amount": _shown(each.amount)} for each in kept.people]
    parts = {name: value for name, value in asdict(kept).items() if name != "people"}
    return RawReduction(parts, people, {each.key: each.number for each in kept.people})


def _shown(amount: str) -> str:
    try:
        return as_typed(parse(amount))
    except ValueError:
        return amount


class ReductionPart:
    """ROT and RUT in the editor. `quiet` shows what was typed without judging it."""

    def __init__(self, raw: RawReduction, *, quiet: bool) -> None:
        self.raw = raw
        self.people_typed = list(raw.people) or [new_person()]
        self.judged = self._forms(quiet=False)
        self.form, self.people = self._forms(quiet=True) if quiet or not self.is_on else self.judged

    def _forms(self, *, quiet: bool) -> tuple[ReductionForm, list[PersonForm]]:
        parts = {f"reduction-{name}": value for name, value in self.raw.parts.items()}
        form = (
            ReductionForm(initial=dict(self.raw.parts), prefix="reduction")
            if quiet
            else ReductionForm(parts, prefix="reduction")
        )
        typed = self.people_typed
        if not quiet:  # room that was left empty is no mistake beside somebody
            typed = [each for each in typed if each["number"] or each["amount"]] or typed[:1]
        people = [self._person(each, n, quiet) for n, each in enumerate(typed, start=1)]
        return form, people

    def _person(self, typed: Mapping[str, str], number: int, quiet: bool) -> PersonForm:
        """A number that the draft has already goes to the page in part only."""
        person, prefix = Person(**typed), f"people-{number - 1}"
        is_kept = self.raw.kept.get(person.key) == _normal(person.number) != ""
        shown = {**typed, "number": person.shown_number if is_kept else person.number}
        options: dict[str, Any] = {"number": number, "whole": person.number, "prefix": prefix}
        if quiet:
            return PersonForm(initial=shown, **options)
        return PersonForm({f"{prefix}-{name}": value for name, value in shown.items()}, **options)

    @property
    def is_on(self) -> bool:
        return self.raw.parts.get("type") in TaxReduction.Type.values

    @property
    def value(self) -> Reduction | None:
        """The reduction, as typed where it cannot be read; None where none is chosen."""
        if not self.is_on:
            return None
        parts = {
            name: value.strip()[: LONGEST.get(name, 100)]
            if isinstance(ReductionForm.base_fields[name], forms.CharField)
            else value
            if value in _values(name)
            else ""
            for name, value in self.raw.parts.items()
        }
        return Reduction(
            **parts,
            people=tuple(
                Person(each["key"], _normal(each["number"])[:40], _amount(each["amount"])[:30])
                for each in self.people_typed
                if each["number"] or each["amount"]
            ),
        )

    def is_valid(self, *, currency: str, total: Decimal, lines: Sequence[Any]) -> bool:
        """Judge it together with the invoice that it is of."""
        if not self.is_on:
            return True
        form, people = self.judged
        fine = [form.is_valid(), *(each.is_valid() for each in people)]
        value = self.value
        if value and currency != HOME:
            form.add_error("type", _("ROT and RUT need an invoice in SEK."))
        elif value and not any(map(is_work, lines)):
            form.add_error("type", _("No line is a service by the hour or without a unit."))
        elif value and all(fine) and value.deduction >= total:
            people[0].add_error("amount", _("The deductions must come to less than the total."))
        return not form.errors and not any(each.errors for each in people)

    @property
    def forms(self) -> list[forms.Form]:
        """What the page shows mistakes of."""
        return [self.form, *self.people] if self.is_on else []

    def changed(self, verb: str, argument: str) -> ReductionPart:
        """The same with room for another person, or without the one at a place; not judged."""
        people = [each for at, each in enumerate(self.people_typed) if argument != str(at)]
        if verb == "add_person":
            people = [*people, new_person()][:MOST_PEOPLE]
        return ReductionPart(replace(self.raw, people=people), quiet=True)


def _values(name: str) -> list[str]:
    choices = {
        "type": TaxReduction.Type.values,
        "job": TaxReduction.Job.values,
        "property_type": TaxReduction.Property.values,
    }
    return choices[name]


def _normal(number: str) -> str:
    """In its usual form where it can be read."""
    try:
        return numbers.personal_number(number)
    except ValidationError:
        return number


def _amount(text: str) -> str:
    try:
        return str(parse(text))
    except ValueError:
        return text
