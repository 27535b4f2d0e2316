"""What every list page does: search, pages, and an address that keeps both."""

from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bokio_app.sandbox.models import Company

M = TypeVar("M", bound=Model)
ROWS_PER_PAGE = 50
LONGEST_NUMBER = 9


def searched(request: HttpRequest) -> str:
    """What was typed in the search field. A null character can be in no text of the books."""
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


def as_number(text: str) -> int | None:
    """The text as a whole number that fits a column, or None."""
    fits = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return int(text) if fits else None


def paged(request: HttpRequest, rows: QuerySet[M]) -> Page[M]:
    return Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))


def kept(request: HttpRequest) -> str:
    """The query of the address without its page, ready to have one appended."""
    rest = [(name, value) for name, value in request.GET.items() if name != "page" and value]
    return urlencode(rest) + ("&" if rest else "")


def company_page(
    request: HttpRequest,
    company: Company,
    section: str,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """Render a page inside the company's menu."""
    common = {
        "company": company,
        "section": section,
        "here": "home",
        "q": searched(request),
        "kept": kept(request),
    }
    return render(request, f"sandbox/{template}.html", common | (context or {}), status=status)
