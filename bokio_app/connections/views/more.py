"""Asking a company for one permission more, for something that people now want to do."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bokio_app.connections import features, overview, services
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale

from .connecting import browser_of
from .pages import find


@member
@require_http_methods(["GET", "HEAD", "POST"])
def more(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Say what is not allowed yet and what it is for; on *Continue*, to Bokio's consent page.

    `?scope=` names permissions that a run lacks: what brings them is chosen to begin with.
    """
    connection = find(request, connection_id)
    if request.method == "POST" and not connection.is_private:
        if is_stale(request):
            return ask_again(request.get_full_path())
        address = services.start_connect(
            request.tenant,
            by=request.user,
            browser=browser_of(request),
            connection=connection,
            more=features.scopes_for(request.POST.getlist("feature")),
        )
        return redirect(address)
    known = bool(connection.scopes)
    context = {
        "company": overview.company_of(connection),
        "missing": features.missing(connection.scopes) if known else [],
        "chosen": features.needing(request.GET.getlist("scope")),
    }
    return render(request, "connections/more.html", context)
