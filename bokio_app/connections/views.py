"""Pages of companies: the list, one company, and the way to Bokio's consent page and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from bokio_app.core.personal import without_last_four
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import User

from . import overview, services
from .failures import FAILURES, REASONS, SIGN_IN
from .models import Connection, State, Usage
from .queries import CHOICES, live, matching

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


def _find(request: TenantRequest, connection_id: UUID) -> Connection:
    return get_object_or_404(
        live(request.tenant).select_related("created_by").prefetch_related("fiscal_years"),
        pk=connection_id,
    )


@member
@require_safe
def detail(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """One company: how its connection stands, its fiscal years and its latest runs."""
    connection = _find(request, connection_id)
    waiting = connection.flows.filter(state="parked").count()
    context = {
        "company": overview.company_of(connection, waiting=waiting),
        "permissions": overview.PERMISSIONS,
        "years": sorted(connection.fiscal_years.all(), key=lambda year: year.start, reverse=True),
        "flows": connection.flows.order_by("-created_at", "-pk")[:LATEST],
        "known": _known(connection),
        "usage": Usage.objects.filter(pk=connection.pk).first() or Usage(),
    }
    return render(request, "connections/detail.html", context)


def _known(connection: Connection) -> dict[str, int]:
    """How much of the company our own copy holds."""
    return {
        "accounts": connection.accounts.count(),
        "customers": connection.customers.count(),
        "invoices": connection.invoices.count(),
    }


@member
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: TenantRequest) -> HttpResponse:
    """Say what is asked for; on *Continue*, lead to Bokio's consent page."""
    if request.method == "POST":
        address = services.start_connect(request.tenant, by=request.user, browser=_browser(request))
        return redirect(address)
    context = {"permissions": overview.PERMISSIONS, "scopes": len(services.SCOPES)}
    return render(request, "connections/connect.html", context)


@member
@require_POST
def reconnect(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Lead to Bokio's consent page for the same company, which keeps its history here."""
    connection = _find(request, connection_id)
    address = services.start_connect(
        request.tenant, by=request.user, browser=_browser(request), connection=connection
    )
    return redirect(address)


@member
@require_POST
def read(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Read the company, its accounts and its customers anew, in the background."""
    connection = _find(request, connection_id)
    services.read_again(connection, by=request.user)
    messages.info(request, _("The company is being read from Bokio."))
    return redirect("connections:detail", connection.pk)


def _browser(request: HttpRequest) -> str:
    """The key of this browser's session, made if there is none yet."""
    if not request.session.session_key:
        request.session.save()
    return request.session.session_key or ""


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """The way back from Bokio. Leads on to an address that holds neither code nor state."""
    response = _finished(request)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _finished(request: HttpRequest) -> HttpResponse:
    if not isinstance(request.user, User):
        return redirect("connections:failed", SIGN_IN)
    try:
        connected = services.finish_connect(
            by=request.user,
            browser=request.session.session_key or "",
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
        )
    except services.ConnectFailed as failure:
        return redirect("connections:failed", REASONS[type(failure)])
    name = "renewed" if connected.already else "result"
    return redirect(f"connections:{name}", connected.connection.pk)


@require_safe
def failed(request: HttpRequest, reason: str) -> HttpResponse:
    """Why a consent did not lead to a connection, and two ways on."""
    failure = FAILURES.get(reason)
    if failure is None:
        raise Http404
    signed_in = request.user.is_authenticated
    context = {
        "failure": failure,
        "signed_in": signed_in,
        "frame": "base.html" if signed_in else "base_plain.html",
    }
    return render(request, "connections/failed.html", context)


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
    connection = _find(request, connection_id)
    going_on = connection.flows.filter(state__in=["ready", "running", "parked"])
    context = {
        "company": overview.company_of(connection),
        "again": again,
        "broken": connection.state == State.BROKEN,
        "reading": _reading(connection),
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


@require_safe
def marketplace_connect(_request: HttpRequest) -> HttpResponse:
    """Where Bokio's marketplace sends a person who wants to connect: to our own beginning.

    What the address brings along is not trusted, and nothing of it is used or kept.
    """
    return redirect("connections:connect")


@require_safe
def marketplace_disconnect(_request: HttpRequest) -> HttpResponse:
    """Where Bokio's marketplace sends a person who wants to disconnect: to the companies."""
    return redirect("connections:list")
