"""What every answer has: its language, and headers that keep it private; and whole addresses."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import translation
from django.utils.http import urlencode

NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class LanguageMiddleware:
    """Activate the language of the cookie that the language switch sets, else Swedish: the
    browser's own preference does not decide.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class PrivacyMiddleware:
    """Keep what a signed-in person reads out of shared caches, and devices out of our pages.

    Whoever brings a session counts as signed in, so that nothing is looked up for it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", NO_DEVICES)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class WholeTextMiddleware:
    """Take what holds a NUL in an address for absent: nobody types it, and no database keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            pairs = [(name, each) for name, found in request.GET.lists() for each in found]
            request.GET = QueryDict(
                urlencode([pair for pair in pairs if "\0" not in "".join(pair)])
            )
        return self.get_response(request)
