"""Pages and switches that belong to no company."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from .context import KEYS, KEYS_COOKIE, THEME_COOKIE, THEMES
from .freshness import keep_language

YEAR = 365 * 24 * 3600


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's choice in this browser, and go back."""
    return _remember(request, THEME_COOKIE, THEMES)


@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Remember in this browser whether single letters are shortcuts, and go back."""
    return _remember(request, KEYS_COOKIE, KEYS)


def _remember(request: HttpRequest, name: str, values: tuple[str, ...]) -> HttpResponse:
    """Keep a choice of the form in a cookie of the same name."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = redirect(back)
    if (wanted := request.POST.get(name, "")) in values:
        response.set_cookie(name, wanted, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in this browser, and for mails to the person; go back."""
    keep_language(request.user, request.POST.get("language", ""))
    return set_language(request)


def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive: answers without a look at the database."""
    return HttpResponse("ok", content_type="text/plain")
