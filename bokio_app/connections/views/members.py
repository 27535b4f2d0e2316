"""Who works in the workspace, in which role, and which companies each of them sees. For owners."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections import colleagues, company_access, invitations
from bokio_app.connections.forms_of_members import ALL, AccessForm, ColleagueForm, RoleForm
from bokio_app.connections.models import Connection, Invitation, State
from bokio_app.connections.queries import live
from bokio_app.tenants.access import TenantRequest, owner
from bokio_app.tenants.freshness import ask_again, is_stale
from bokio_app.tenants.models import Member, Role


@owner
@require_safe
def members(request: TenantRequest) -> HttpResponse:
    """All members of the workspace, how much each sees, and who is invited."""
    companies = live(request.tenant).count()
    given = Count("company_access", filter=~Q(company_access__connection__state=State.ENDED))
    found = Member.objects.filter(tenant=request.tenant).select_related("user")
    waiting = colleagues.listed(request.tenant).annotate(given=Count("companies"))
    context = {
        "members": found.annotate(given=given).order_by("user__name"),
        "count": companies,
        "invitations": waiting.select_related("created_by"),
    }
    return render(request, "connections/members.html", context)


@owner
@require_http_methods(["GET", "HEAD", "POST"])
def invite_colleague(request: TenantRequest) -> HttpResponse:
    """Invite somebody to the workspace. The link goes by mail alone: it proves the address."""
    companies = live(request.tenant)
    initial = {"language": translation.get_language()}
    form = ColleagueForm(companies, request.POST or None, initial=initial)
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.path)
        if form.is_valid() and (answer := _invited(request, form)):
            return answer
    role = form["role"].value() or Role.MEMBER
    context = {"form": form, "role": role, **_choices(form, companies)}
    status = 422 if form.is_bound else 200
    return render(request, "connections/invite_colleague.html", context, status=status)


def _invited(request: TenantRequest, form: ColleagueForm) -> HttpResponse | None:
    values = form.cleaned_data
    try:
        made = colleagues.invite(
            request.tenant,
            by=request.user,
            email=values["email"],
            role=values["role"],
            sees_all=values["sees"] == ALL,
            companies=[each.pk for each in values["companies"]],
            language=values["language"],
        )
    except colleagues.AlreadyMember:
        form.add_error("email", _("Who has this address works in the workspace already."))
    except invitations.TooMany:
        form.add_error(None, _("The workspace has invited as many as it may in a day."))
    else:
        return _sent(request, *made)
    return None


@owner
@require_POST
def invite_again(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Send a new link; the one before works no more."""
    found = _invitation(request, invitation_id)
    if is_stale(request):
        return ask_again(reverse("connections:members"))
    try:
        return _sent(request, *colleagues.invite_again(found, by=request.user))
    except colleagues.AlreadyMember:
        messages.info(request, _("Who has this address works in the workspace already."))
    except invitations.TooMany:
        messages.error(request, _("The workspace has invited as many as it may in a day."))
    return redirect("connections:members")


def _sent(request: TenantRequest, invitation: Invitation, link: str) -> HttpResponse:
    if invitations.send(invitation, link):
        text = _("The invitation went to %(email)s.") % {"email": invitation.email}
        messages.success(request, text)
    else:
        messages.error(request, _("The mail could not be sent. Send the invitation again later."))
    return redirect("connections:members")


@owner
@require_POST
def revoke_colleague(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation that nobody has taken."""
    colleagues.revoke(_invitation(request, invitation_id), by=request.user)
    messages.success(request, _("The invitation is withdrawn. Its link no longer works."))
    return redirect("connections:members")


@owner
@require_http_methods(["GET", "HEAD", "POST"])
def member_access(request: TenantRequest, member_id: int) -> HttpResponse:
    """One member: role, place, and what they see, which is what its form keeps."""
    member = _member(request, member_id)
    companies = live(request.tenant)
    form = AccessForm(companies, request.POST or None, initial=AccessForm.of(member))
    if request.method == "POST" and form.is_valid():
        try:
            company_access.set_access(
                member,
                sees_all=form.cleaned_data["sees"] == ALL,
                companies=[each.pk for each in form.cleaned_data["companies"]],
                by=request.user,
            )
        except company_access.OwnerSeesAll:
            messages.error(request, _("Owners see every company."))
        else:
            messages.success(request, _("Saved. It holds from the next page that they open."))
        return redirect("connections:members")
    return _page(request, member, form)


def _page(request: TenantRequest, member: Member, form: AccessForm) -> HttpResponse:
    context = {
        "form": form,
        "member": member,
        "role": member.role,
        "is_self": member.user_id == request.user.pk,
        "is_last_owner": colleagues.is_last_owner(member),
        **_choices(form, live(request.tenant)),
    }
    return render(request, "connections/member.html", context, status=422 if form.is_bound else 200)


def _choices(form: AccessForm, companies: QuerySet[Connection]) -> dict[str, object]:
    """What stands chosen in the form, for cards and boxes."""
    return {"rows": form.rows(companies), "sees": form["sees"].value() or ALL}


@owner
@require_POST
def member_role(request: TenantRequest, member_id: int) -> HttpResponse:
    """Make a member an owner, or an owner a member."""
    member = _member(request, member_id)
    if is_stale(request):
        return ask_again(reverse("connections:member", args=[member.pk]))
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            colleagues.change_role(member, form.cleaned_data["role"], by=request.user)
        except colleagues.LastOwner:
            messages.error(
                request, _("The workspace needs an owner. Make somebody else one first.")
            )
        else:
            messages.success(request, _("Saved. It holds from the next page that they open."))
    if member.user_id == request.user.pk and not member.is_owner:
        return redirect("start")
    return redirect("connections:member", member.pk)


@owner
@require_POST
def member_remove(request: TenantRequest, member_id: int) -> HttpResponse:
    """End a member's place in the workspace."""
    member = _member(request, member_id)
    name = str(member.user)
    try:
        colleagues.remove(member, by=request.user)
    except colleagues.LastOwner:
        messages.error(request, _("The workspace needs an owner. Make somebody else one first."))
        return redirect("connections:member", member_id)
    messages.success(request, _("%(name)s no longer works here.") % {"name": name})
    return redirect("connections:members")


def _member(request: TenantRequest, member_id: int) -> Member:
    found = Member.objects.filter(tenant=request.tenant).select_related("user")
    return get_object_or_404(found, pk=member_id)


def _invitation(request: TenantRequest, invitation_id: UUID) -> Invitation:
    found = colleagues.listed(request.tenant).select_related("tenant")
    return get_object_or_404(found, pk=invitation_id)
