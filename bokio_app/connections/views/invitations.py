"""Inviting somebody to connect their company, and the few pages that the invited see."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections import features, invitations, services
from bokio_app.connections.failures import FAILURES
from bokio_app.connections.forms import InvitationForm
from bokio_app.connections.models import Invitation
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale

from .connecting import INVITED, asked, browser_of

MOST_OPENED = 10  # invitations that a session remembers


@member
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: TenantRequest) -> HttpResponse:
    """Make an invitation. Its link is on the answer and nowhere else, for only its hash is kept."""
    form = InvitationForm(request.POST or None)
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.path)
        if form.is_valid():
            return _made(request, form)
    status = 422 if form.is_bound else 200
    return render(request, "connections/invite.html", {"form": form, **asked()}, status=status)


def _made(request: TenantRequest, form: InvitationForm) -> HttpResponse:
    try:
        invitation, link = invitations.invite(
            request.tenant,
            by=request.user,
            for_name=form.cleaned_data["for_name"],
            email=form.cleaned_data["email"],
            chosen=request.POST.getlist("feature"),
        )
    except invitations.TooMany:
        form.add_error(None, _("The workspace has invited as many as it may in a day."))
        return render(request, "connections/invite.html", {"form": form, **asked()}, status=422)
    sent = bool(invitation.email) and invitations.send(invitation, link)
    context = {"invitation": invitation, "link": link, "sent": sent}
    return render(request, "connections/invited_link.html", context)


@member
@require_POST
def revoke_invitation(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation that has not been used."""
    found = invitations.open_invitations(request.tenant)
    invitations.revoke(get_object_or_404(found, pk=invitation_id), by=request.user)
    messages.success(request, _("The invitation is withdrawn. Its link no longer works."))
    return redirect("connections:list")


@never_cache
@csrf_exempt
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link itself: leads on at once to an address without the token, which nothing keeps.

    Whatever is asked, and however the link is mangled, this is the answer: an error would be
    logged with the address.
    """
    found = invitations.by_token(token.strip("/"))
    if found is None:
        response = redirect("connections:invitation_over")
    else:
        number = str(found.pk)
        before = [each for each in request.session.get(INVITED, []) if each != number]
        request.session[INVITED] = [*before, number][-MOST_OPENED:]
        page = "joining" if found.is_for_colleague else "invited"
        response = redirect(f"connections:{page}", number)
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def invitation_over(request: HttpRequest) -> HttpResponse:
    """The link was used, withdrawn or too old, or never was one: nobody is told which."""
    return render(request, "connections/invitation_over.html", status=410)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Who asks for what; on *Continue*, to Bokio's consent page."""
    found = opened(request, invitation_id)
    if found is None or found.is_for_colleague:
        return redirect("connections:invitation_over")
    if request.method == "POST":
        return redirect(services.start_invited(found, browser=browser_of(request)))
    context = {"invitation": found, "features": features.given(found.scopes)}
    return render(request, "connections/invited.html", context)


def opened(request: HttpRequest, invitation_id: UUID) -> Invitation | None:
    """The invitation if its link was opened in this browser and still works."""
    if str(invitation_id) not in request.session.get(INVITED, []):
        return None
    found = invitations.usable().select_related("tenant", "created_by")
    return found.filter(pk=invitation_id).first()


@require_safe
def invited_thanks(request: HttpRequest) -> HttpResponse:
    """The company is connected: thanks, and nothing else."""
    return render(request, "connections/invited_thanks.html")


@require_safe
def invited_failed(request: HttpRequest, invitation_id: UUID, reason: str) -> HttpResponse:
    """Why a consent led to nothing, for the invited."""
    failure = FAILURES.get(reason)
    if failure is None:
        raise Http404
    context = {"failure": failure, "invitation": opened(request, invitation_id)}
    return render(request, "connections/invited_failed.html", context)
