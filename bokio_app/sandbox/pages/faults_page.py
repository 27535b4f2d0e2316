"""Faults as pages: what can go wrong, ordering it, and those in force."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bokio_app.sandbox import faults
from bokio_app.sandbox.api.registry import all_operations
from bokio_app.sandbox.models import Company, Person, Plan
from bokio_app.sandbox.pages import fields
from bokio_app.sandbox.pages.access import for_person

NEXT, NTH, EVERY, LOT = "next", "nth", "every", "lot"
PARAM = "param-"
PARAM_WORDS = {
    "seconds": _("Seconds"),
    "bytesPerSecond": _("Bytes per second"),
    "retryAfter": _("Seconds to wait, as the headers say"),
    "processAnyway": _("Do the work even if the client has left"),
    "processed": _("After the work is done, not before"),
    "status": _("Status"),
    "code": _("Code"),
    "message": _("Message"),
    "headers": _("Headers, as a JSON object"),
    "body": _("Literal body, instead of code and message"),
    "plan": _("Price plan"),
}


@dataclass(frozen=True)
class Recipe:
    """A fault worth trying, ordered with one press."""

    name: str
    words: str | Promise
    kind: str
    operation: str


RECIPES = (
    Recipe(
        "payment",
        _("The answer to the next payment is lost"),
        "lose_answer",
        "post-invoice-payment",
    ),
    Recipe(
        "publish",
        _("The next publishing is done, but answered with 500"),
        "error_after",
        "post-invoices-invoiceId-publish",
    ),
    Recipe("draft", _("The answer to the next draft is lost"), "lose_answer", "post-invoice"),
    Recipe("refresh", _("New tokens are issued, but their answer is lost"), "lose_refresh", ""),
    Recipe(
        "revoke",
        _("The connection is ended just before the next recording"),
        "connection_revoked",
        "record-invoice-with-id",
    ),
)


class OrderForm(forms.Form):
    """Whom a fault of this kind hits, and when; then what the kind itself takes."""

    operation = forms.ChoiceField(label=_("Operation"))
    company = forms.ChoiceField(label=_("Company"), required=False)
    when = forms.ChoiceField(
        label=_("Strikes"),
        choices=[
            (NEXT, _("the next call")),
            (NTH, _("the nth call")),
            (EVERY, _("every call")),
            (LOT, _("by lot")),
        ],
    )
    nth = forms.IntegerField(label=_("Which call (n)"), min_value=1, initial=1, required=False)
    times = forms.IntegerField(
        label=_("Times"),
        min_value=1,
        required=False,
        help_text=_("How many calls at most. Empty: one, or without an end."),
    )
    probability = fields.NumberField(
        label=_("Probability"),
        min_value=0,
        max_value=1,
        required=False,
        help_text=_("Between 0 and 1, for a fault by lot."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        required=False,
        help_text=_("The same seed and the same calls give the same strikes."),
    )

    def __init__(self, name: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind_name = name
        self.kind = faults.KINDS[name]
        only = self.kind.operation
        operations = [only] if only else [faults.ANY, *operation_ids()]
        everything = {faults.ANY: _("every operation")}
        fields.offer(self, "operation", [(one, everything.get(one, one)) for one in operations])
        companies = [(str(row.uuid), row.name) for row in Company.objects.order_by("name")]
        fields.offer(self, "company", [("", _("every company")), *companies])
        for param in self.kind.params:
            self.fields[PARAM + param.name] = _param_field(param)

    def params(self) -> list[forms.BoundField]:
        return [self[PARAM + param.name] for param in self.kind.params]

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("when") == LOT and self.cleaned_data.get("probability") is None:
            self.add_error("probability", _("Give the probability of a strike."))

    def order(self) -> faults.Fault:
        """The fault. Raises `ValueError`, or `TypeError`, for what the kind does not take."""
        data = self.cleaned_data
        when = data["when"]
        given = {param.name: data[PARAM + param.name] for param in self.kind.params}
        return faults.from_json(
            {
                "kind": self.kind_name,
                "operation": data["operation"],
                "company": data["company"],
                "nth": {NEXT: 1, NTH: data["nth"] or 1, EVERY: None, LOT: data["nth"] or 1}[when],
                "times": data["times"],
                "probability": data["probability"] if when == LOT else None,
                "seed": data["seed"] or 0,
                "params": {name: value for name, value in given.items() if value not in ("", None)},
            }
        )


def _param_field(param: faults.Param) -> forms.Field:
    """A field for the type of the parameter's default."""
    label = PARAM_WORDS.get(param.name, param.name)
    if param.name == "plan":
        plans = [(plan.value, plan.label) for plan in Plan]
        return forms.ChoiceField(label=label, choices=plans, initial=param.default)
    if isinstance(param.default, bool):
        return forms.BooleanField(label=label, initial=param.default, required=False)
    if isinstance(param.default, int | float):
        return fields.NumberField(label=label, initial=param.default, min_value=0, required=False)
    shown = "" if param.default in (None, {}) else param.default
    return forms.CharField(label=label, initial=shown, required=False)


def operation_ids() -> list[str]:
    return sorted(operation.id for operation in all_operations())


@require_GET
@for_person
def overview(request: HttpRequest, _person: Person) -> HttpResponse:
    """The faults in force, recipes, and every kind there is."""
    names = {str(row.uuid): row.name for row in Company.objects.all()}
    context = {
        "faults": faults.ordered.all(),
        "companies": names,
        "kinds": faults.KINDS.items(),
        "recipes": RECIPES,
        "here": "faults",
    }
    return render(request, "sandbox/faults.html", context)


@require_http_methods(["GET", "POST"])
@for_person
def order(request: HttpRequest, _person: Person, kind: str) -> HttpResponse:
    """Order a fault of one kind; `operation` in the address chooses one beforehand."""
    if kind not in faults.KINDS:
        raise Http404
    initial = {"operation": request.GET.get("operation") or faults.ANY}
    form = OrderForm(kind, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            faults.ordered.add(form.order())
        except (ValueError, TypeError) as wrong:
            form.add_error(None, str(wrong))
        else:
            messages.success(request, _("The fault is in force."))
            return redirect("faults")
    context = {"form": form, "kind": kind, "description": form.kind.description, "here": "faults"}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "sandbox/fault.html", context, status=status)


@require_POST
@for_person
def change(request: HttpRequest, _person: Person) -> HttpResponse:
    """Order by recipe, release, remove, or clear."""
    chosen = request.POST.get("fault", "")
    match request.POST.get("action"):
        case "recipe":
            _by_recipe(request, chosen)
        case "release":
            faults.ordered.release(chosen)
        case "remove":
            faults.ordered.remove(chosen)
        case "clear":
            faults.ordered.clear()
            messages.success(request, _("No fault is in force any more."))
    return redirect("faults")


def _by_recipe(request: HttpRequest, name: str) -> None:
    recipe = next((one for one in RECIPES if one.name == name), None)
    if recipe is None:
        raise Http404
    faults.ordered.add(
        faults.from_json({"kind": recipe.kind, "operation": recipe.operation, "nth": 1})
    )
    messages.success(request, str(recipe.words))
