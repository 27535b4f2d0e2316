"""Saved views of the list, and how a member looks at it."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bokio_app.invoicing.listing import saved
from bokio_app.invoicing.listing.asked import Asked
from bokio_app.invoicing.listing.chips import chips_of
from bokio_app.invoicing.listing.forms import ViewForm
from bokio_app.invoicing.listing.kept import SavedView
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import Member

from .lists import asked_for, label_of


@require_POST
@member
def list_settings(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """Keep columns and row height, and show the list again as it was."""
    asked = asked_for(request, connection_id)
    mine = saved.views_of(request.tenant, request.tenant.seen_by)
    saved.keep_look(
        _member(request),
        columns=request.POST.getlist("column"),
        height=request.POST.get("height", ""),
        view=mine.filter(pk=asked.saved).first() if asked.saved else None,
    )
    return redirect(asked.url())


@require_http_methods(["GET", "HEAD", "POST"])
@member
def save_view(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """Save the filter in the address by a name."""
    asked = asked_for(request, connection_id)
    form = ViewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(saved.asked_by(_saved(request, asked, form)).url())
        except saved.TooManyViews:
            message = _("There are %(count)s saved views already. Delete one before you save more.")
            form.add_error(None, message % {"count": saved.MOST_VIEWS})
    return render(
        request,
        "invoicing/view_form.html",
        {"form": form, "chips": chips_of(request.tenant, asked), "asked": asked, "view": None}
        | {"view_label": label_of(asked.view)},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member
def edit_view(request: TenantRequest, view_id: int) -> HttpResponse:
    """Rename, share, make the default, delete. With a query in the address, save that filter."""
    mine = saved.views_of(request.tenant, request.tenant.seen_by)
    view, person = get_object_or_404(mine, pk=view_id), _member(request)
    if request.POST.get("action") == "delete":
        view.delete()
        return redirect("invoicing:list")
    form = ViewForm(request.POST or None, initial=saved.as_form(view, person))
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data
        saved.change(view, person, name=found["name"], is_shared=found["is_shared"])
        saved.make_default(person, view, is_default=found["is_default"])
        return redirect(saved.asked_by(view).url())
    asked = saved.asked_by(view)
    return render(
        request,
        "invoicing/view_form.html",
        {"form": form, "chips": chips_of(request.tenant, asked), "asked": asked, "view": view}
        | {"view_label": label_of(asked.view)},
        status=422 if form.errors else 200,
    )


@require_POST
@member
def keep_filter(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """Let the saved view that the address names show the filter that stands there."""
    asked = asked_for(request, connection_id)
    mine = saved.views_of(request.tenant, request.tenant.seen_by)
    view = mine.filter(pk=asked.saved).first() if asked.saved else None
    if view is None:
        raise Http404(_("There is no such saved view."))
    saved.keep_filter(view, asked)
    return redirect(asked.url())


def _saved(request: TenantRequest, asked: Asked, form: ViewForm) -> SavedView:
    person, found = _member(request), form.cleaned_data
    view = saved.create(
        person, asked, name=found["name"], is_shared=found["is_shared"], key=found["request_key"]
    )
    saved.make_default(person, view, is_default=found["is_default"])
    return view


def _member(request: TenantRequest) -> Member:
    """The member who asks; whoever has a tenant is one."""
    if request.tenant.seen_by is None:
        raise Http404
    return request.tenant.seen_by
