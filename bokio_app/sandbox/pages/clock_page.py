"""The sandbox's clock as a page: see what day it is there, and move it."""

import datetime as dt
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bokio_app.sandbox import clock, store
from bokio_app.sandbox.models import Person
from bokio_app.sandbox.pages.access import for_person

FURTHEST = dt.timedelta(days=20 * 365)
STEPS = (
    ("hours", 1, _("1 hour on")),
    ("days", 1, _("1 day on")),
    ("days", 7, _("7 days on")),
    ("days", 31, _("31 days on")),
    ("days", -1, _("1 day back")),
)


class MoveForm(forms.Form):
    """How far to move from where the clock is now; negative is back."""

    amount = forms.IntegerField(label=_("Move by"), min_value=-99_999, max_value=99_999)
    unit = forms.ChoiceField(
        label=_("Unit"),
        choices=[("hours", _("hours")), ("days", _("days")), ("minutes", _("minutes"))],
    )

    def clean(self) -> None:
        super().clean()
        data: dict[str, Any] = self.cleaned_data
        if {"amount", "unit"} <= data.keys() and abs(self.target()) > FURTHEST:
            self.add_error("amount", _("The clock goes no further than 20 years."))

    def target(self) -> dt.timedelta:
        data = self.cleaned_data
        return clock.offset() + dt.timedelta(**{data["unit"]: data["amount"]})


@require_http_methods(["GET", "POST"])
@for_person
def move(request: HttpRequest, _person: Person) -> HttpResponse:
    """Show the clock, move it, or put it back to the real time."""
    if request.POST.get("action") == "now":
        _set(dt.timedelta(0))
        messages.success(request, _("The clock shows the real time."))
        return redirect("clock")
    form = MoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _set(form.target())
        messages.success(request, _("The clock is moved."))
        return redirect("clock")
    context = {
        "form": form,
        "now": clock.now(),
        "real": dt.datetime.now(dt.UTC),
        "moved": bool(clock.offset()),
        "steps": STEPS,
        "here": "clock",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "sandbox/clock.html", context, status=status)


def _set(offset: dt.timedelta) -> None:
    with store.write():
        clock.set_offset(offset)
        store.save_state()
