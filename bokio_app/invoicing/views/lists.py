"""The list of invoices, of one company or of all."""

import uuid
from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import CHOICES, live, matching
from bokio_app.core import clock
from bokio_app.invoicing import queries
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


@require_safe
@member
def invoice_list(request: TenantRequest) -> HttpResponse:
    """`?company=`, `?view=`, `?q=` narrow the list; `?before=` asks for the rows that follow."""
    asked = _asked(request)
    companies = list(live(request.tenant)[: CHOICES + 1])
    company = asked.company
    page = queries.find_invoices(request.tenant, asked)
    return render(
        request,
        "invoicing/list.html",
        {
            "page": page,
            "asked": asked,
            "views": [(label, _link(replace(asked, view=name)), name) for name, label in VIEWS],
            "companies": companies,
            "company_count": (
                live(request.tenant).count() if len(companies) > CHOICES else len(companies)
            ),
            "has_many": len(companies) > CHOICES,
            "year": fiscal_year_of(company, clock.today()) if company else None,
            "new_url": reverse("invoicing:new") + (f"?company={company.pk}" if company else ""),
            "next_url": _link(asked, before=page.next) if page.next else "",
            "first_url": _link(asked) if asked.before else "",
        },
    )


def _asked(request: TenantRequest) -> queries.Filter:
    view = request.GET.get("view", "all")
    company, typed = _company(request.tenant, request.GET.get("company", "")), ""
    if "company_text" in request.GET:
        typed = request.GET["company_text"].strip()[:100]
        company = _typed_company(request.tenant, typed, picked=company)
    return queries.Filter(
        view=view if view in queries.VIEWS else "all",
        text=request.GET.get("q", "").strip()[:100],
        company=company,
        company_text="" if company else typed,
        before=queries.read_mark(request.GET.get("before", "")),
    )


def _company(tenant: Tenant, text: str) -> Connection | None:
    """The company that the address names; one that is not the tenant's is not found."""
    if not text:
        return None
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return get_object_or_404(tenant.connections, pk=found)


def _typed_company(tenant: Tenant, text: str, *, picked: Connection | None) -> Connection | None:
    """The company of a field where one types: the one picked, else the first that fits.

    Without script the id that was picked stays when the text is changed, so the text decides.
    """
    if picked and str(picked) == text:
        return picked
    return matching(live(tenant), text).first() if text else None


def _link(asked: queries.Filter, *, before: str = "") -> str:
    parts = {
        "company": str(asked.company.pk) if asked.company else "",
        "company_text": asked.company_text,
        "view": asked.view if asked.view != "all" else "",
        "q": asked.text,
        "before": before,
    }
    return "?" + urlencode({name: value for name, value in parts.items() if value})
