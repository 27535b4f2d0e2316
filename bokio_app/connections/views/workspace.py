"""The workspace itself: which one to work in, leaving it, closing it and opening it again."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections import closing, colleagues
from bokio_app.tenants.access import TenantRequest, member, member_of_closed, owner_of_closed
from bokio_app.tenants.freshness import ask_again, is_stale
from bokio_app.tenants.middleware import work_in
from bokio_app.tenants.models import NAME_LENGTH, Member, Tenant

from .disconnecting import FINISH

REOPEN = "reopen"


class CloseForm(forms.Form):
    """The workspace's name, typed so that no other is closed by mistake."""

    name = forms.CharField(
        label=gettext_lazy("Name of the workspace"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, tenant: Tenant, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # handed on as it comes
        self._name = tenant.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.split() != self._name.split():
            raise forms.ValidationError(_("This is not the name of the workspace."))
        return name


@member
@require_safe
def workspace(request: TenantRequest) -> HttpResponse:
    """Which workspaces the person has, and what can be done with this one."""
    place = _place(request)
    mine = Member.objects.filter(user=request.user).select_related("tenant")
    context = {
        "place": place,
        "is_last_owner": colleagues.is_last_owner(place),
        "mine": mine.order_by("tenant__name", "tenant"),
    }
    return render(request, "connections/workspace.html", context)


@member_of_closed
@require_POST
def choose(request: TenantRequest) -> HttpResponse:
    """Work in another of one's workspaces from now on."""
    mine = Tenant.objects.filter(members__user=request.user)
    number = request.POST.get("workspace", "")
    work_in(request, get_object_or_404(mine, pk=number if number.isdecimal() else None))
    return redirect("start")


@member_of_closed
@require_POST
def leave(request: TenantRequest) -> HttpResponse:
    """End one's own place in the workspace."""
    name = request.tenant.name
    try:
        colleagues.leave(_place(request))
    except colleagues.LastOwner:
        messages.error(request, _("The workspace needs an owner. Make somebody else one first."))
        return redirect("workspace:workspace")
    messages.success(request, _("You no longer work in %(name)s.") % {"name": name})
    return redirect("start")


@owner_of_closed
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: TenantRequest) -> HttpResponse:
    """Say what closing does, and do it; or open the workspace again."""
    tenant = request.tenant
    form = CloseForm(tenant, request.POST if _closes(request) else None)
    if request.method == "POST":
        if is_stale(request):
            return ask_again(request.path)
        if request.POST.get("do") == REOPEN:
            return _reopened(request)
        if form.is_valid():
            finishes = request.POST.get("work") == FINISH
            closing.close(tenant, finishes_first=finishes, by=request.user)
            return redirect("workspace:close")
    context = {
        "form": form,
        "companies": closing.connected(tenant).count(),
        "left": closing.work_left(tenant),
        "days": int(settings.WORKSPACE_KEPT_DAYS),
    }
    status = 422 if form.is_bound else 200
    return render(request, "connections/close_workspace.html", context, status=status)


def _closes(request: TenantRequest) -> bool:
    return request.method == "POST" and request.POST.get("do") != REOPEN


def _reopened(request: TenantRequest) -> HttpResponse:
    try:
        closing.reopen(request.tenant, by=request.user)
    except closing.NotClosed:
        messages.info(request, _("The workspace is open, or is being erased already."))
    else:
        messages.success(request, _("The workspace is open again."))
    return redirect("workspace:workspace")


def _place(request: TenantRequest) -> Member:
    return Member.objects.select_related("user", "tenant").get(
        tenant=request.tenant, user=request.user
    )
