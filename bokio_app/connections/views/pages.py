"""Pages of companies: the list, one company, and what a consent led to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections import invitations, overview, services, takeover
from bokio_app.connections.budget import budget_of
from bokio_app.connections.models import Connection, State, Usage
from bokio_app.connections.queries import CHOICES, live, matching
from bokio_app.core.personal import without_last_four
from bokio_app.tenants.access import TenantRequest, member

if TYPE_CHECKING:
    from bokio_app.flows.models import Flow

LATEST = 10


@member
@require_safe
def list_(request: TenantRequest) -> HttpResponse:
    """All companies of the tenant, those that need a person first."""
    text = request.GET.get("q", "").strip()
    found = overview.standings(request.tenant, text=text)
    states = [standing.state for _connection, standing in found]
    page = Paginator(found, overview.PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": overview.companies_of(page.object_list),
        "count": len(found),
        "page": page,
        "text": text,
        "works": states.count("works"),
        "waits": states.count("waiting"),
        "needs": states.count("needs"),
        "invitations": invitations.open_invitations(request.tenant),
    }
    return render(request, "connections/list.html", context)


@member
@require_safe
def options(request: TenantRequest) -> HttpResponse:
    """The companies that a field with a list offers for what is typed in it."""
    text = request.GET.get("company_text", "").strip()[:100]
    found = matching(live(request.tenant), text)[:CHOICES]
    context = {
        "list": "id_company_text_list",
        "options": [
            {"value": each.pk, "label": str(each), "aside": without_last_four(each.org_number)}
            for each in found
        ],
        "query": text,
    }
    return render(request, "components/combobox_options.html", context)


def find(request: TenantRequest, connection_id: UUID) -> Connection:
    """The company with its fiscal years at hand; 404 for one that is not theirs to see."""
    return get_object_or_404(
        live(request.tenant).select_related("created_by").prefetch_related("fiscal_years"),
        pk=connection_id,
    )


@member
@require_safe
def detail(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """One company: how its connection stands, its fiscal years and its latest runs."""
    connection = find(request, connection_id)
    waiting = connection.flows.filter(state="parked").count()
    usage = Usage.objects.filter(pk=connection.pk).first() or Usage()
    context = {
        "company": overview.company_of(connection, waiting=waiting),
        "years": sorted(connection.fiscal_years.all(), key=lambda year: year.start, reverse=True),
        "flows": _wanted(connection).order_by("-created_at", "-pk")[:LATEST],
        "accounts": connection.accounts.count(),
        "moved_here": takeover.moved_here(connection),
        "usage": usage,
        "budget": budget_of(connection, usage),
    }
    return render(request, "connections/detail.html", context)


def _wanted(connection: Connection) -> QuerySet[Flow]:
    """Runs that somebody asked for or must see to; readings that come by themselves are many."""
    by_themselves = Q(kind__startswith="read_", created_by=None) & ~Q(state="stuck")
    return connection.flows.exclude(by_themselves)


@member
@require_POST
def read(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Read the company, its accounts and its customers anew, in the background."""
    connection = find(request, connection_id)
    services.read_again(connection, by=request.user)
    messages.info(request, _("The company is being read from Bokio."))
    return redirect("connections:detail", connection.pk)


@member
@require_POST
def look_again(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Try at once whether what keeps the company waiting is over."""
    connection = find(request, connection_id)
    services.look_again(connection, by=request.user)
    messages.info(request, _("Bokio is being asked again."))
    return redirect("connections:detail", connection.pk)


@member
@require_safe
def result(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The company is connected: its first reading, live."""
    return _result(request, connection_id, again=False)


@member
@require_safe
def renewed(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The company was connected before, and its consent is renewed."""
    return _result(request, connection_id, again=True)


def _result(request: TenantRequest, connection_id: UUID, *, again: bool) -> HttpResponse:
    connection = find(request, connection_id)
    going_on = connection.flows.filter(state__in=["ready", "running", "parked"])
    context = {
        "company": overview.company_of(connection),
        "again": again,
        "broken": connection.state == State.BROKEN,
        "reading": _reading(connection),
        "moved_here": takeover.moved_here(connection),
        "going_on": going_on.exclude(kind__startswith="read_").count() if again else 0,
    }
    return render(request, "connections/result.html", context)


def _reading(connection: Connection) -> list[Flow]:
    """The latest flow of each kind that reads the company, in the order they were started."""
    latest: dict[str, Flow] = {}
    reads = connection.flows.filter(
        kind__startswith="read_", business_key__startswith=f"{connection.pk}:"
    )
    for flow in reads.select_related("connection").prefetch_related("steps").order_by("pk"):
        latest[flow.kind] = flow
    return list(latest.values())
