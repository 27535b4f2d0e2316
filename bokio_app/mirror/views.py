"""The live parts of pages that show our copy, and the wish to have it read again."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.tenants.access import TenantRequest, member

from .freshness import read_again
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


@member
@require_safe
@never_cache
def freshness(request: TenantRequest) -> HttpResponse:
    """How fresh the copy of a company is, or of all."""
    # An invoice's page stays when its company has gone, and goes on asking.
    companies = request.tenant.connections.filter(is_proven=True)
    context = {"company": _company(companies, request.GET.get("company", ""))}
    return render(request, "components/freshness.html", context)


@member
@require_POST
def read(request: TenantRequest) -> HttpResponse:
    """Read a company from Bokio again, or all of them, in the background."""
    company = _company(live(request.tenant), request.POST.get("company", ""))
    read_again(request.tenant, company, by=request.user)
    if request.htmx:
        return render(request, "components/freshness.html", {"company": company})
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if is_ours else "start")


def _company(companies: QuerySet[Connection], key: str) -> Connection | None:
    """The company that was asked for; none means all."""
    if not key:
        return None
    try:
        return get_object_or_404(companies, pk=UUID(key))
    except ValueError:
        raise Http404 from None
