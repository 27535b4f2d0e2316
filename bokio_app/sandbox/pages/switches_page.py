"""Switches as a page: every undocumented behaviour with its help, its default and its value."""

import ast
import inspect
import textwrap
from dataclasses import Field, dataclass, fields
from functools import cache
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bokio_app.sandbox import store, switches
from bokio_app.sandbox.models import Person
from bokio_app.sandbox.pages.access import for_person
from bokio_app.sandbox.switches import Switches

LONGEST_TEXT = 200


@dataclass(frozen=True)
class Row:
    """A switch for the template: its form field, and whether it was turned."""

    name: str
    field: forms.BoundField
    help: str
    default: object
    changed: bool


@cache
def helps() -> dict[str, str]:
    """The docstring below each field of `Switches`, which Python itself does not keep."""
    source = ast.parse(textwrap.dedent(inspect.getsource(Switches)))
    body = next(node for node in source.body if isinstance(node, ast.ClassDef)).body
    found: dict[str, str] = {}
    for pair in pairwise(body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                found[name] = inspect.cleandoc(str(text))
    return found


def _form_field(field: Field[Any]) -> forms.Field:
    """The form field that reads values of the switch's type."""
    if get_origin(field.type) is Literal:
        choices = [(value, str(value)) for value in get_args(field.type)]
        kind: Any = type(field.default)
        return forms.TypedChoiceField(choices=choices, coerce=kind)
    if isinstance(field.default, bool):
        return forms.BooleanField(required=False)
    if isinstance(field.default, int):
        return forms.IntegerField(min_value=0)
    if isinstance(field.default, float):
        return forms.FloatField(min_value=0, localize=True)
    return forms.CharField(max_length=LONGEST_TEXT, required=False)


class SwitchesForm(forms.Form):
    """A field for each switch, in the order of `Switches`."""

    def __init__(self, data: Any) -> None:
        super().__init__(data, initial=vars(switches.current()), label_suffix="")
        for field in fields(Switches):
            made = _form_field(field)
            made.label, made.help_text = field.name, helps().get(field.name, "")
            self.fields[field.name] = made

    def rows(self) -> list[Row]:
        turned = switches.changed()
        return [
            Row(
                field.name,
                self[field.name],
                helps().get(field.name, ""),
                field.default,
                field.name in turned,
            )
            for field in fields(Switches)
        ]


@require_http_methods(["GET", "POST"])
@for_person
def turn(request: HttpRequest, _person: Person) -> HttpResponse:
    """Show the switches, turn them, or put all back."""
    if request.POST.get("action") == "reset":
        with store.write():
            switches.reset()
            store.save_state()
        messages.success(request, _("Every switch is back at its default."))
        return redirect("switches")
    form = SwitchesForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _turned(form):
        messages.success(request, _("The switches are turned."))
        return redirect("switches")
    context = {"form": form, "rows": form.rows(), "changed": len(switches.changed())}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "sandbox/switches.html", context | {"here": "switches"}, status=status)


def _turned(form: SwitchesForm) -> bool:
    """Turn the switches as the form says. False, with the reason on the form, when refused."""
    try:
        with store.write():
            switches.change(form.cleaned_data)
            store.save_state()
    except ValueError:
        form.add_error(None, gettext("A switch does not take this value."))
        return False
    return True
