"""Who may open a page: signed in, and a member of a workspace."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from .models import Tenant, User

P = ParamSpec("P")
READING = {"GET", "HEAD", "OPTIONS"}


class TenantRequest(HttpRequest):
    """A request of a member: `user` is signed in and `tenant` is theirs."""

    user: User
    tenant: Tenant
    htmx: HtmxDetails


View = Callable[Concatenate[TenantRequest, P], HttpResponseBase]


def member(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let members in; send strangers to the sign-in page, and people without a workspace to
    a page that says so. In a workspace that is closed there is nothing but reading.
    """

    @wraps(view)
    def while_open(
        request: TenantRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if request.tenant.closed_at and request.method not in READING:
            return render(request, "tenants/closed.html", status=409)
        return view(request, *args, **kwargs)

    return member_of_closed(while_open)


def member_of_closed(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """The same for what can be done in a closed workspace too: leaving, opening it again."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if not getattr(request, "tenant", None):
            return render(request, "tenants/no_workspace.html", status=403)
        return view(cast("TenantRequest", request), *args, **kwargs)

    return guarded


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which leads back. Where a part of a page asks, the whole page goes there:
    a browser would follow a redirect by itself and the part would turn into the sign-in page.
    """
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    if not htmx:
        return redirect_to_login(request.get_full_path())
    page = htmx.current_url_abs_path or "/"
    return HttpResponseClientRedirect(redirect_to_login(page).url)


def owner(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let the owners of a workspace in, and tell other members that they are not."""
    return member(_only_owners(view))


def owner_of_closed(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """The same for what can be done in a closed workspace too."""
    return member_of_closed(_only_owners(view))


def _only_owners(view: View[P]) -> View[P]:
    @wraps(view)
    def guarded(request: TenantRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.tenant.seen_by is None or not request.tenant.seen_by.is_owner:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
