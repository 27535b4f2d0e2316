"""Connecting from Bokio's marketplace, with or without an account here."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bokio_app.connections import features, services
from bokio_app.connections.failures import MARKETPLACE
from bokio_app.connections.forms import WorkspaceForm
from bokio_app.connections.marketplace import Asked, NotUnderstood
from bokio_app.connections.queries import live
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale
from bokio_app.tenants.middleware import work_in
from bokio_app.tenants.models import Tenant, User
from bokio_app.tenants.services import create_workspace

from .connecting import asked, browser_of


@require_safe
def marketplace_connect(request: HttpRequest) -> HttpResponse:
    """Where Bokio's marketplace sends a person who wants to connect a company.

    Whoever follows a link from anywhere gets here, so nothing is begun before a person has seen
    what is asked for and has pressed a button of ours.
    """
    try:
        wanted = Asked.of(request.GET)
    except NotUnderstood:
        return redirect("connections:connect")
    query = urlencode({"ask": wanted.signed()})
    return redirect(f"{reverse('connections:marketplace')}?{query}")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def marketplace(request: HttpRequest) -> HttpResponse:
    """Say what is asked for and which workspace gets the company; then to Bokio's consent page.

    Who is not signed in signs in or up first, and comes back to this very address.
    """
    if not isinstance(request.user, User):
        return redirect_to_login(request.get_full_path())
    try:
        wanted = Asked.from_signed(request.GET.get("ask", ""))
    except NotUnderstood:
        return redirect("connections:failed", MARKETPLACE)
    mine = Tenant.objects.filter(members__user=request.user, closed_at=None)
    mine = mine.order_by("name", "pk")
    form = WorkspaceForm(mine, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.get_full_path())
        if form.is_valid():
            return _begin(request, request.user, wanted, form)
    return _page(request, form, mine, status=422 if form.is_bound else 200)


def _begin(request: HttpRequest, person: User, wanted: Asked, form: WorkspaceForm) -> HttpResponse:
    tenant = form.tenant or create_workspace(form.cleaned_data["name"], owner=person)
    work_in(request, tenant)
    address = services.start_connect(
        tenant,
        by=person,
        browser=browser_of(request),
        company_id=wanted.company_id,
        scopes=features.scopes_for(request.POST.getlist("feature")),
        back_to=wanted.back_to,
    )
    return redirect(address)


def _page(
    request: HttpRequest, form: WorkspaceForm, mine: QuerySet[Tenant], *, status: int
) -> HttpResponse:
    context = {
        "form": form,
        "workspaces": list(mine),
        "frame": "base.html" if mine else "base_plain.html",
        "here": request.get_full_path(),
        **asked(),
    }
    return render(request, "connections/marketplace.html", context, status=status)


@member
@require_safe
def marketplace_disconnect(request: TenantRequest) -> HttpResponse:
    """Where Bokio's marketplace sends a person who wants to disconnect a company.

    Leads to the page that says what that does, where nothing ends before a button is pressed; to
    the list of companies if the company is none of the workspace's.
    """
    try:
        wanted = Asked.of(request.GET)
    except NotUnderstood:
        return redirect("connections:list")
    found = live(request.tenant).filter(company_id=wanted.company_id).first()
    return redirect("connections:disconnect", found.pk) if found else redirect("connections:list")
