"""Connecting a company by the token of a private integration. Bokio is asked by a worker."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bokio_app.connections import private_tokens
from bokio_app.connections.forms import PrivateTokenForm
from bokio_app.connections.models import Connection, Kind, State
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.freshness import ask_again, is_stale


@sensitive_post_parameters("token")
@member
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def private_token(request: TenantRequest) -> HttpResponse:
    """Paste a company's token. It is shown by no page afterwards."""
    if is_stale(request):
        return ask_again(request.path)
    form = PrivateTokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            connection = private_tokens.paste(
                request.tenant,
                company_id=form.cleaned_data["company"],
                token=form.cleaned_data["token"],
                by=request.user,
            )
        except private_tokens.AlreadyConnected:
            form.add_error("company", _("The company is connected here already."))
        else:
            return redirect("connections:private_result", connection.pk)
    return _page(request, form)


@sensitive_post_parameters("token")
@member
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def replace_token(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Paste a new token for a company whose old one was replaced or revoked in Bokio."""
    connection = _find(request, connection_id)
    if is_stale(request):
        return ask_again(request.path)
    form = PrivateTokenForm(request.POST or None, for_company=connection.company_id)
    if request.method == "POST" and form.is_valid():
        try:
            private_tokens.replace(connection, token=form.cleaned_data["token"], by=request.user)
        except private_tokens.NotPrivate:
            raise Http404 from None
        return redirect("connections:private_result", connection.pk)
    return _page(request, form, connection=connection)


def _page(
    request: TenantRequest, form: PrivateTokenForm, *, connection: Connection | None = None
) -> HttpResponse:
    context = {"form": form, "connection": connection, "here": request.path}
    status = 422 if form.is_bound else 200
    return render(request, "connections/private_token.html", context, status=status)


def _find(request: TenantRequest, connection_id: UUID) -> Connection:
    mine = request.tenant.connections.filter(kind=Kind.PRIVATE)
    return get_object_or_404(mine, pk=connection_id)


@member
@require_safe
def private_result(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The token is being tried, live; then what came of it."""
    connection = _find(request, connection_id)
    checks = connection.flows.filter(kind="read_private_token").select_related("connection")
    flow = checks.prefetch_related("steps").order_by("-pk").first()
    if flow is None:
        raise Http404
    if connection.is_proven and flow.state == "done" and connection.is_active:
        return redirect("connections:result", connection.pk)
    context = {
        "connection": connection,
        "flow": flow,
        "refused": connection.state == State.BROKEN,
        "taken": connection.state == State.ENDED,
        "stuck": flow.state == "stuck",
    }
    return render(request, "connections/private_result.html", context)
