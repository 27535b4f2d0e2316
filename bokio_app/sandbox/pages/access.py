"""Who sees what: pages belong to a signed-in person, and books to those who work there."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from bokio_app.sandbox.models import Company, Person
from bokio_app.sandbox.pages.consent import sign_in_page
from bokio_app.sandbox.pages.context import signed_in

P = ParamSpec("P")


def for_person(
    view: Callable[Concatenate[HttpRequest, Person, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the signed-in person; everybody else gets the sign-in page."""

    @wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = signed_in(request)
        if person is None:
            return sign_in_page(request, then=request.get_full_path())
        return view(request, person, *args, **kwargs)

    return inner


def for_company(
    view: Callable[Concatenate[HttpRequest, Company, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give the view the company that `company_id` of its address names: 404 for a stranger's."""

    @for_person
    @wraps(view)
    def inner(
        request: HttpRequest, person: Person, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        return view(request, company_of(person, kwargs.pop("company_id")), *args, **kwargs)

    return inner


def company_of(person: Person, company_id: object) -> Company:
    """The company, if the person works there. Raises `Http404`."""
    return get_object_or_404(person.companies, uuid=uuid.UUID(str(company_id)))
