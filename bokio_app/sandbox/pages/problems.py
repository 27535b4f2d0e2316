"""Error pages of the sandbox's own, so that it never shows the product's."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def _page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "sandbox/problem.html", {"status": status}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # given by Django
    return _page(request, 400)


def forbidden(
    request: HttpRequest,
    exception: Exception | None = None,  # noqa: ARG001  # given by Django
    reason: str = "",  # noqa: ARG001  # given by Django's CSRF check
) -> HttpResponse:
    return _page(request, 403)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # given by Django
    return _page(request, 404)


def failed(request: HttpRequest) -> HttpResponse:
    return _page(request, 500)
