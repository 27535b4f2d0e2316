"""The list of invoices, of one company or of all, and what it loads after its rows."""

import uuid
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import CHOICES, live, named
from bokio_app.core import clock
from bokio_app.invoicing.leftovers import Left
from bokio_app.invoicing.listing import asked as asking
from bokio_app.invoicing.listing import columns, saved, sums
from bokio_app.invoicing.listing.asked import Asked
from bokio_app.invoicing.listing.chips import LABELS, chips_of
from bokio_app.invoicing.listing.export import as_file
from bokio_app.invoicing.listing.heads import heads_of
from bokio_app.invoicing.listing.kept import Height, ListSettings, SavedView
from bokio_app.invoicing.listing.matching import invoices_of
from bokio_app.invoicing.listing.order import ordered
from bokio_app.invoicing.listing.rows import PAGE, find
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import Tenant

VIEWS = (
    ("all", pgettext_lazy("invoices", "All")),
    ("draft", _("Drafts")),
    ("unrecorded", _("Not recorded")),
    ("open", pgettext_lazy("invoices", "Open")),
    ("overdue", pgettext_lazy("invoices", "Overdue")),
    ("paid", pgettext_lazy("invoices", "Paid")),
)
DONE = ("draft", "unrecorded", "open", "overdue")  # empty, these say that work is done


@require_safe
@member
def invoice_list(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """The list, a part of it that has changed, or the rows that follow."""
    if connection_id is None and (address := _elsewhere(request)):
        return redirect(address)
    asked = asked_for(request, connection_id)
    mine = list(saved.views_of(request.tenant, request.tenant.seen_by))
    settings = saved.settings_of(request.tenant.seen_by)
    context = _results(request, asked, settings, mine)
    if request.htmx and asked.after:
        answer = render(request, "invoicing/_list_rows.html", context)
    elif request.htmx:
        answer = render(request, "invoicing/_list_results.html", context)
        answer["HX-Replace-Url"] = asked.url()
    else:
        context |= _page(request, asked, mine)
        answer = render(request, "invoicing/list.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


@require_safe
@member
def list_sums(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """Count and sums of the whole filter, which the list asks for when its rows are there."""
    asked = asked_for(request, connection_id)
    found = sums.sums_of(request.tenant, asked)
    return render(request, "invoicing/_list_sums.html", {"sums": found})


@require_safe
@member
def list_tabs(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """The views with how many invoices each holds."""
    asked = asked_for(request, connection_id)
    mine = list(saved.views_of(request.tenant, request.tenant.seen_by))
    return render(request, "invoicing/_list_tabs.html", _tabs(request.tenant, asked, mine, True))


@require_safe
@member
def list_export(
    request: TenantRequest, connection_id: uuid.UUID | None = None
) -> StreamingHttpResponse:
    """All that the filter means, as a file."""
    asked = asked_for(request, connection_id)
    found = ordered(invoices_of(request.tenant, asked), asked.sort)
    return as_file(found, _columns(request, asked))


@require_POST
@member
def list_selection(
    request: TenantRequest, connection_id: uuid.UUID | None = None
) -> StreamingHttpResponse | HttpResponse:
    """The selected invoices: their sums on the list, or a file of them.

    Rows of other workspaces are no rows: who names them gets a file without them.
    """
    asked = asked_for(request, connection_id)
    picked = _ids(request.POST.getlist("invoice"))
    if "sums" in request.POST:
        chosen = "&".join(f"invoice={each}" for each in picked[:PAGE])
        url = asked.url(keeps_place=True)
        return redirect(f"{url}&{chosen}" if "?" in url else f"{url}?{chosen}")
    found = request.tenant.invoices.filter(pk__in=picked)
    return as_file(ordered(found, asked.sort), _columns(request, asked))


def asked_for(request: TenantRequest, connection_id: uuid.UUID | None) -> Asked:
    """What the address says; a company that is not the tenant's is not found."""
    company = None
    if connection_id:
        company = get_object_or_404(request.tenant.connections, pk=connection_id)
    typed = "" if company else request.GET.get("company_text", "").strip()[:100]
    return Asked.of(request.GET, company=company, company_text=typed)


def label_of(view: str) -> str:
    """What a standard view is called."""
    return str(dict(VIEWS)[view])


def _elsewhere(request: TenantRequest) -> str:
    """Where the list stands that an address without a company in its path means, if elsewhere."""
    if not request.GET and (member_ := request.tenant.seen_by):
        view = saved.settings_of(member_).default_view
        mine = saved.views_of(request.tenant, member_)
        return saved.asked_by(view).url() if view and mine.filter(pk=view.pk).exists() else ""
    company, typed = _company(request.tenant, request.GET.get("company", "")), ""
    if "company_text" in request.GET:
        typed = request.GET["company_text"].strip()[:100]
        company = named(request.tenant, typed, picked=company)
    if company is None:
        return ""
    return Asked.of(request.GET, company=company).url(keeps_place=True)


def _results(
    request: TenantRequest, asked: Asked, settings: ListSettings, mine: list[SavedView]
) -> dict[str, Any]:
    shown = columns.chosen(_names(asked, settings, mine), one_company=asked.company is not None)
    page = find(request.tenant, asked)
    picked = _ids(request.GET.getlist("invoice"))
    view = next((each for each in mine if each.pk == asked.saved), None)
    return {
        "page": page,
        "rows": columns.written(
            page.rows, shown, picked=set(picked), can_pick=not request.tenant.closed_at
        ),
        "asked": asked,
        "settings": settings,
        "heads": heads_of(asked, shown),
        "column_count": len(shown) + 1,
        "chips": chips_of(request.tenant, asked),
        "next_url": replace(asked, after=page.next).url(keeps_place=True) if page.next else "",
        "first_url": asked.url() if asked.after else "",
        "sums_url": asked.url("sums"),
        "export_url": asked.url("export"),
        "selection_url": asked.url("selection", keeps_place=True),
        "clear_url": Asked(company=None).url(),
        "picked": picked,
        "picked_sums": sums.sums_of_these(request.tenant, picked) if picked else None,
        "sums": sums.sums_of(request.tenant, asked) if "sums" in request.GET else None,
        "view": view,
        "is_changed": bool(view and saved.is_changed(view, asked)),
        "keep_url": asked.url("keep_filter"),
        "companies_exist": bool(page.rows) or live(request.tenant).exists(),
        "new_url": _new_url(asked.company),
        "is_done": asked.narrowing in [[("view", name)] for name in DONE],
        "shown_columns": {column.name for column in shown},
        "all_columns": columns.COLUMNS,
        "heights": Height.choices,
        "settings_url": asked.url("settings"),
        "save_url": asked.url("save_view"),
    }


def _page(request: TenantRequest, asked: Asked, mine: list[SavedView]) -> dict[str, Any]:
    """What stands around the rows, and stays when they change."""
    companies = list(live(request.tenant)[: CHOICES + 1])
    has_many, company = len(companies) > CHOICES, asked.company
    return {
        "companies": companies,
        "company_count": live(request.tenant).count() if has_many else len(companies),
        "has_many": has_many,
        "year": fiscal_year_of(company, clock.today()) if company else None,
        "fields": _fields(asked),
        "states": [(name, name in asked.states) for name in asking.STATES],
        "lefts": Left.choices,
        "path": asking.path_of("list", company),
    } | _tabs(request.tenant, asked, mine, False)


def _tabs(tenant: Tenant, asked: Asked, mine: list[SavedView], are_counted: bool) -> dict[str, Any]:
    shown = [(f"v_{name}", str(label), asked.only(view=name)) for name, label in VIEWS]
    shown += [(f"s_{view.pk}", view.name, saved.asked_by(view)) for view in mine]
    current = f"s_{asked.saved}" if asked.saved else f"v_{asked.view}"
    # Of the saved ones the current alone is counted: each more makes every visit dearer.
    counted = {key: each for key, _, each in shown if key.startswith("v_") or key == current}
    counts = sums.counts_of(tenant, counted) if are_counted else {}
    return {
        "tabs": [
            (label, each.url(), key == current, counts.get(key)) for key, label, each in shown
        ],
        "tabs_url": asked.url("tabs"),
        "are_counted": are_counted,
    }


def _fields(asked: Asked) -> list[tuple[str, str, str, bool, bool]]:
    """Name, label, value, whether it is an amount, whether it is unclear."""
    found = []
    for name in asking.DAYS + asking.AMOUNTS:
        value = asked.days.get(name) or asked.amounts.get(name)
        text = asked.unclear.get(name) or ("" if value is None else str(value))
        found.append((name, str(LABELS[name]), text, name in asking.AMOUNTS, name in asked.unclear))
    return found


def _columns(request: TenantRequest, asked: Asked) -> list[columns.Column]:
    """Those that the list shows of the same filter."""
    mine = list(saved.views_of(request.tenant, request.tenant.seen_by))
    names = _names(asked, saved.settings_of(request.tenant.seen_by), mine)
    return columns.chosen(names, one_company=asked.company is not None)


def _names(asked: Asked, settings: ListSettings, mine: list[SavedView]) -> list[str]:
    """Columns of the view that is shown, else those that the member has chosen."""
    of_view = next((view.columns for view in mine if view.pk == asked.saved), None)
    return list(of_view or settings.columns)


def _ids(texts: list[str]) -> list[uuid.UUID]:
    return [found for text in texts if (found := asking.read_uuid(text))]


def _new_url(company: Connection | None) -> str:
    return reverse("invoicing:new") + (f"?company={company.pk}" if company else "")


def _company(tenant: Tenant, text: str) -> Connection | None:
    """The company that a query names; one that is not the tenant's is not found."""
    found = asking.read_uuid(text)
    return get_object_or_404(tenant.connections, pk=found) if found else None
