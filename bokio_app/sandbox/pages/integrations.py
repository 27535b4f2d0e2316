"""The marketplace of one company: applications to connect and disconnect, as Bokio does it."""

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import store
from bokio_app.sandbox.models import Application, Company, Connection
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.lists import company_page


@dataclass(frozen=True)
class Offer:
    """An application in the eyes of a company. Empty addresses: it has not named any."""

    application: Application
    connection: Connection | None
    connect: str
    disconnect: str


def _offers(request: HttpRequest, company: Company, rows: QuerySet[Application]) -> list[Offer]:
    connected = {
        connection.application_id: connection
        for connection in company.connections.select_related("person")
    }
    return [_offer(request, company, row, connected.get(row.pk)) for row in rows]


def _offer(
    request: HttpRequest, company: Company, row: Application, connection: Connection | None
) -> Offer:
    here = reverse("integration", args=[company.uuid, row.client_id])
    back = request.build_absolute_uri(here)
    tenant = {"bokio_tenantid": str(company.uuid)}
    return Offer(
        row,
        connection,
        connect=_joined(
            connect_address(row), {**tenant, "bokio_tenanttype": "company", "redirect_url": back}
        ),
        disconnect=_joined(row.disconnect_url, {**tenant, "redirect_url": back}),
    )


def connect_address(row: Application) -> str:
    """Where the application wants a connection to begin. That of the product is known."""
    if not row.connect_url and str(row.client_id) == settings.SANDBOX_CLIENT_ID:
        return f"{settings.SANDBOX_APP_URL}/bokio/connect"
    return row.connect_url


def _joined(address: str, query: dict[str, str]) -> str:
    if not address:
        return ""
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


@require_GET
@for_company
def integrations(request: HttpRequest, company: Company) -> HttpResponse:
    """Every public application, and the company's own private ones."""
    public = Application.objects.filter(private_to=None).order_by("name")
    own = company.private_applications.order_by("name")
    context = {
        "offers": _offers(request, company, public),
        "own": [offer for offer in _offers(request, company, own) if offer.connection],
    }
    return company_page(request, company, "integrations", "integrations", context)


@require_GET
@for_company
def integration(request: HttpRequest, company: Company, client_id: uuid.UUID) -> HttpResponse:
    """The page of one integration, to which the application sends the browser back."""
    row = get_object_or_404(Application, client_id=client_id, private_to=None)
    (offer,) = _offers(request, company, Application.objects.filter(pk=row.pk))
    return company_page(request, company, "integrations", "integration", {"offer": offer})


@require_POST
@for_company
def end(request: HttpRequest, company: Company, client_id: uuid.UUID) -> HttpResponse:
    """End the connection on this side. The application is told nothing."""
    with store.write():
        company.connections.filter(application__client_id=client_id).delete()
    messages.success(request, _("The connection is ended."))
    return redirect("integrations", company.uuid)
