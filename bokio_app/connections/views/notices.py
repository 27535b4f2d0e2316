"""What has happened to the companies' connections, for whoever is signed in."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bokio_app.connections import notices as told
from bokio_app.connections.models import Notice
from bokio_app.core import clock
from bokio_app.tenants.access import TenantRequest, member

PAGE = 50


@member
@require_safe
def notices(request: TenantRequest) -> HttpResponse:
    """The latest notices; with those on the first page all count as seen from now on."""
    found = told.of(request.user, request.tenant)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    response = render(request, "connections/notices.html", {"page": page})
    if request.method == "GET" and page.number == 1:
        # Also of companies that they no longer see: the bell must not count those for ever.
        Notice.objects.filter(person=request.user, tenant=request.tenant, seen_at=None).update(
            seen_at=clock.now()
        )
    return response
