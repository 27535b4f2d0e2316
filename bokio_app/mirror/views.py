"""The live part of pages that show our copy."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bokio_app.connections.queries import live
from bokio_app.tenants.access import TenantRequest, member

from .progress import copy_of

UNCHANGED = 204


@member
@require_safe
def lists(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The lists of a company; nothing while they are as the page has `seen` them."""
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    copy = copy_of(connection)
    if copy.is_moving and copy.version == request.GET.get("seen"):
        return HttpResponse(status=UNCHANGED)
    context = {"copy": copy, "polled": bool(request.htmx)}
    return render(request, "mirror/_lists_part.html", context)
