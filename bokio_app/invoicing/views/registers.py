"""What the pages of customers and of items have in common."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from bokio_app.connections import features
from bokio_app.connections.models import Connection
from bokio_app.connections.queries import CHOICES, live, matching
from bokio_app.core import clock
from bokio_app.invoicing.registers import services
from bokio_app.invoicing.registers.lists import Asked, Order
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest


def asked_of(request: TenantRequest, company: Connection | None, orders: dict[str, Order]) -> Asked:
    """What an address asks a list for; what makes no sense in it is taken for absent."""
    order = request.GET.get("order", "")
    return Asked(
        company=company,
        text=request.GET.get("q", "").strip()[:100],
        order=order if order in orders else next(iter(orders)),
        before=request.GET.get("before", "")[:80],
    )


def company_of(request: TenantRequest, connection_id: uuid.UUID | None) -> Connection | None:
    """The company of an address; one that is not theirs to see is not found."""
    if connection_id is None:
        return None
    return get_object_or_404(request.tenant.connections, pk=connection_id)


def chosen_company(request: TenantRequest, name: str) -> HttpResponse | None:
    """Lead a choice of company, made without its page's address, to that address."""
    if "company" not in request.GET and "company_text" not in request.GET:
        return None
    picked = request.GET.get("company", "")
    text = request.GET.get("company_text", "").strip()[:100]
    companies = live(request.tenant)
    try:
        found = companies.filter(pk=uuid.UUID(picked)).first() if picked else None
    except ValueError:
        found = None
    if "company_text" in request.GET and (found is None or str(found) != text):
        found = matching(companies, text).first() if text else None
    asked = {key: request.GET.get(key, "") for key in ("q", "order")}
    return redirect(_address(name, found, asked))


def frame(
    request: TenantRequest, asked: Asked, orders: dict[str, Order], *, names: dict[str, str]
) -> dict[str, Any]:
    """What a list shows beside its rows. `names` are those of its addresses."""
    companies = list(live(request.tenant)[: CHOICES + 1])
    company = asked.company
    lacking = _lacks(company, names["feature"]) if company else None
    return {
        "asked": asked,
        "companies": companies,
        "has_many": len(companies) > CHOICES,
        "orders": [
            (order.label, link(replace(asked, before=""), names["list"], order=key), key)
            for key, order in orders.items()
        ],
        "list_url": reverse(names["list"]),
        "clear_url": link(Asked(company=company), names["list"]),
        "first_url": link(asked, names["list"]) if asked.before else "",
        "export_url": link(asked, names["export"]),
        "new_url": reverse(names["new_of"], args=[company.pk])
        if company
        else reverse(names["new"]),
        "year": fiscal_year_of(company, clock.today()) if company else None,
        "lacking": lacking,
    }


def link(asked: Asked, name: str, *, order: str = "", before: str = "") -> str:
    """The address of a list."""
    parts = {"q": asked.text, "order": order or asked.order, "before": before}
    return _address(name, asked.company, parts)


def _address(name: str, company: Connection | None, parts: dict[str, str]) -> str:
    url = reverse(f"{name}_of", args=[company.pk]) if company else reverse(name)
    told = urlencode({key: value for key, value in parts.items() if value})
    return f"{url}?{told}" if told else url


def _lacks(company: Connection, feature: str) -> features.Feature | None:
    """The feature, where the company is known not to have allowed it."""
    if not company.scopes:
        return None
    return next((each for each in features.missing(company.scopes) if each.key == feature), None)


def choose_company(request: TenantRequest, *, title: str, name: str) -> HttpResponse:
    """Whose is it? The only company answers by itself."""
    companies = list(live(request.tenant))
    if len(companies) == 1:
        return redirect(name, companies[0].pk)
    links = [(each, reverse(name, args=[each.pk])) for each in companies]
    return render(request, "invoicing/registers/choose.html", {"title": title, "links": links})


def request_key(data: QueryDict) -> uuid.UUID:
    """The key of the form; one that makes no sense is taken for a new one."""
    try:
        return uuid.UUID(data.get("request_key", ""))
    except ValueError:
        return uuid.uuid4()


def give_up(request: TenantRequest, stands: services.Standing | None) -> None:
    """Drop a change that has stopped without effect, and say so."""
    try:
        if stands:
            services.give_up(stands, by=request.user)
    except services.Busy:
        messages.error(request, _("The run is not at rest. Open it to see what it waits for."))
    else:
        messages.success(request, _("The change is dropped. Nothing was changed in Bokio."))
