"""The start page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bokio_app.core import clock
from bokio_app.tenants.access import TenantRequest, member

from .queue import queue_of


@member
@require_safe
def start(request: TenantRequest) -> HttpResponse:
    """What there is to do over all companies; each count leads to its list."""
    context = {"queue": queue_of(request.tenant), "today": clock.today()}
    return render(request, "console/start.html", context)
