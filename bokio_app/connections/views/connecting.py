"""The way to Bokio's consent page and back."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from bokio_app.connections import features, services
from bokio_app.connections.failures import FAILURES, REASONS, SIGN_IN
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale
from bokio_app.tenants.models import User

from .pages import find

INVITED = "invitations"  # in the session: the ids of those whose links were opened, latest last


def last_opened(request: HttpRequest) -> str | None:
    """The id of the invitation whose link was opened last in this browser."""
    opened: list[str] = request.session.get(INVITED, [])
    return opened[-1] if opened else None


@member
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: TenantRequest) -> HttpResponse:
    """Say what is asked for; on *Continue*, lead to Bokio's consent page."""
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.path)
        address = services.start_connect(
            request.tenant,
            by=request.user,
            browser=browser_of(request),
            scopes=features.scopes_for(request.POST.getlist("feature")),
        )
        return redirect(address)
    return render(request, "connections/connect.html", asked())


def asked() -> dict[str, object]:
    """What a page needs that says what is asked for, and lets a person choose."""
    offered = features.offered()
    return {
        "needed": [each for each in offered if each.is_needed],
        "choices": features.choices(),
        "scopes": len(features.NEEDED),
    }


@member
@require_POST
def reconnect(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Lead to Bokio's consent page for the same company, which keeps its history here. What its
    runs lack is asked for too.
    """
    connection = find(request, connection_id)
    if connection.is_private:
        return redirect("connections:replace_token", connection.pk)
    if is_stale(request):
        return ask_again(reverse("connections:detail", args=[connection.pk]))
    address = services.start_connect(
        request.tenant,
        by=request.user,
        browser=browser_of(request),
        connection=connection,
        more=features.scopes_for(features.needing(connection.lacks)),
    )
    return redirect(address)


def browser_of(request: HttpRequest) -> str:
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
    person = request.user if isinstance(request.user, User) else None
    try:
        connected = services.finish_connect(
            by=person,
            browser=request.session.session_key or "",
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
        )
    except services.ConnectFailed as failure:
        reason = REASONS[type(failure)]
        if invitation_id := failure.invitation_id or (None if person else last_opened(request)):
            return redirect("connections:invited_failed", invitation_id, reason)
        return redirect("connections:failed", reason if person else SIGN_IN)
    if connected.invitation_id:
        return redirect("connections:invited_thanks")
    if connected.back_to:
        return HttpResponseRedirect(connected.back_to)
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
