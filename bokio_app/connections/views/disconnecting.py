"""Disconnecting a company: what will happen, the choice, and how far it has come."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from bokio_app.connections import disconnecting, overview
from bokio_app.connections.models import Leaving, State
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale

from .pages import find

FINISH, STOP = "finish", "stop"


@member
@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Say what disconnecting does, and begin it as the person chooses."""
    connection = find(request, connection_id)
    left = disconnecting.work_left(connection)
    may_finish = connection.state == State.ACTIVE
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.path)
        finishes = may_finish and request.POST.get("work") == FINISH
        disconnecting.ask(connection, finishes_first=finishes, by=request.user)
        return redirect("connections:leaving", connection.pk)
    context = {
        "company": overview.company_of(connection),
        "left": left,
        "parked": connection.flows.filter(state="parked").count(),
        "stuck": connection.flows.filter(state="stuck").count(),
        "may_finish": may_finish,
    }
    return render(request, "connections/disconnect.html", context)


@member
@require_safe
def leaving(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """How far the disconnecting has come, also when the company is gone from the lists."""
    connection = get_object_or_404(request.tenant.connections, pk=connection_id, is_proven=True)
    asked = connection.leavings.select_related("asked_by").order_by("pk").last()
    if asked is None or asked.stage == Leaving.Stage.CALLED_OFF:
        return redirect("connections:list")
    context = {
        "connection": connection,
        "leaving": asked,
        "left": disconnecting.work_left(connection) if asked.is_open else 0,
        "stuck": connection.flows.filter(state="stuck").count(),
    }
    return render(request, "connections/leaving.html", context)
