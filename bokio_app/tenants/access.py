"""Who may open a page: signed in, and a member of a workspace."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from .models import Tenant, User

P = ParamSpec("P")


class TenantRequest(HttpRequest):
    """A request of a member: `user` is signed in and `tenant` is theirs."""

    user: User
    tenant: Tenant
    htmx: HtmxDetails


View = Callable[Concatenate[TenantRequest, P], HttpResponseBase]


def member(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let members in; send strangers to the sign-in page, and people without a workspace to
    a page that says so.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not getattr(request, "tenant", None):
            return render(request, "tenants/no_workspace.html", status=403)
        return view(cast("TenantRequest", request), *args, **kwargs)

    return guarded
