"""What somebody sees who was invited to a workspace: sign in or make an account, and join."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bokio_app.connections import colleagues
from bokio_app.connections.forms_of_members import JoiningForm
from bokio_app.connections.models import Invitation
from bokio_app.tenants import accounts
from bokio_app.tenants.middleware import work_in
from bokio_app.tenants.models import Member, User

from .invitations import opened


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def joining(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Who asks whom, and one way on: join, sign in first, or make an account and join."""
    invitation = opened(request, invitation_id)
    if invitation is None or not invitation.is_for_colleague:
        return redirect("connections:invitation_over")
    account = accounts.with_address(invitation.email)
    if isinstance(request.user, User):
        return _as_signed_in(request, invitation, request.user, account)
    if account:
        return _page(request, invitation, account=account)
    form = JoiningForm(invitation.email, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _as_new_person(request, invitation, form)
    return _page(request, invitation, form=form)


def _as_signed_in(
    request: HttpRequest, invitation: Invitation, person: User, account: User | None
) -> HttpResponse:
    if Member.objects.filter(tenant=invitation.tenant, user=person).exists():
        messages.info(request, _("You work in this workspace already."))
        return _work(request, invitation)
    if account != person:
        return _page(request, invitation, other=person)
    if request.method != "POST":
        return _page(request, invitation, account=person, may_join=True)
    try:
        colleagues.join(invitation, person=person)
    except colleagues.AlreadyMember:
        messages.info(request, _("You work in this workspace already."))
    except colleagues.InvitationOver:
        return redirect("connections:invitation_over")
    return _work(request, invitation)


def _as_new_person(request: HttpRequest, invitation: Invitation, form: JoiningForm) -> HttpResponse:
    try:
        person = colleagues.join_as_new_person(
            invitation,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            language=translation.get_language() or invitation.language,
        )
    except colleagues.InvitationOver:
        return redirect("connections:invitation_over")
    answer: HttpResponse = perform_login(request, person, redirect_url="/")
    work_in(request, invitation.tenant)
    return answer


def _work(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    work_in(request, invitation.tenant)
    return redirect("start")


def _page(request: HttpRequest, invitation: Invitation, **facts: object) -> HttpResponse:
    form = facts.get("form")
    context = {"invitation": invitation, "here": request.path, **facts}
    status = 422 if isinstance(form, JoiningForm) and form.is_bound else 200
    return render(request, "connections/joining.html", context, status=status)
