"""Headers that keep the sandbox's pages strict."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
)


class SecurityHeaders:
    """Adds the headers to each answer; a view may have set its own policy before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy())
        # `no-referrer` would make the browser send `Origin: null` with its own forms.
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def policy(*form_targets: str) -> str:
    """The content security policy; `form_targets` are origins that a form may end up at."""
    return POLICY.format(forms=" ".join(["'self'", *form_targets]))


class SwedishFirst:
    """As at Bokio, pages speak Swedish until the person switches, whatever the browser prefers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META.pop("HTTP_ACCEPT_LANGUAGE", None)
        return self.get_response(request)
