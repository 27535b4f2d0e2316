"""The record of calls as a page: what applications asked for, and what they were answered."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bokio_app.sandbox.calls import record
from bokio_app.sandbox.models import Person
from bokio_app.sandbox.pages.access import for_person

SHOWN = 200


@require_http_methods(["GET", "POST"])
@for_person
def calls(request: HttpRequest, _person: Person) -> HttpResponse:
    """The newest calls, counts per operation, unknown fields and overlapping writes."""
    if request.method == "POST":
        record.clear()
        messages.success(request, _("The record is cleared."))
        return redirect("calls")
    data = record.as_json()
    wanted = request.GET.get("operation", "")
    found = [each for each in data["calls"] if wanted in ("", each["operation"])]
    context = {
        "calls": list(reversed(found[-SHOWN:])),
        "counts": sorted(data["counts"].items()),
        "total": sum(data["counts"].values()),
        "unknown": sorted(data["unknownFields"].items()),
        "overlaps": data["overlappingWrites"],
        "wanted": wanted,
        "here": "calls",
    }
    return render(request, "sandbox/calls.html", context)
